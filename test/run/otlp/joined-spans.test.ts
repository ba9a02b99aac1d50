import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLIENT, EDGE, get, ok, SERVICE, WEB } from '../../analyze/trace/traces.ts';
import { type ExportSettings, exported, type Span } from '../../support/exported-telemetry.ts';
import { attributesIn } from '../../support/otlp-receiver.ts';
import { TracedCapture } from '../../support/traced-capture.ts';

const API = '10.244.2.9';
const NAMES = { [CLIENT]: 'shop/client-1', [EDGE]: 'shop/edge-1', [WEB]: 'shop/web-1', [API]: 'shop/api-1' };
const REQUEST_ID = 'X-Request-Id: 6f1c2a34-88aa-4d21-9c57-0f6a8f3e2b10\r\n';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

/** client → edge → web → api, captured in edge and web; header lines of each request. */
function chain(headers: readonly [string, string, string], last = ok('5')): TracedCapture {
  const capture = new TracedCapture(['shop/edge-1/any', 'shop/web-1/any']);
  const one = capture.connection([{ interfaceId: 0 }], [CLIENT, 40_000], [EDGE, 80], [1000, 9000]);
  const between = [{ interfaceId: 0 }, { interfaceId: 1, ttl: 63 }];
  const two = capture.connection(between, [EDGE, 50_000], [WEB, 8080], [77_000, 88_000]);
  const three = capture.connection([{ interfaceId: 1 }], [WEB, 60_000], [API, 8080], [777_000, 888_000]);
  for (const each of [one, two, three]) each.handshake(1000);
  one.send(0, get('/cart', headers[0]), [1010]);
  two.send(0, get('/cart', headers[1]), [1012, 1013]);
  three.send(0, get('/stock', headers[2]), [1015]).send(1, last, [1020]);
  two.send(1, ok(), [1025, 1024]);
  one.send(1, ok(), [1026]);
  return capture;
}

async function spansOf(capture: TracedCapture, settings: ExportSettings = {}): Promise<Record<string, Span>> {
  const { spans } = await exported(capture.pcapng(), { joins: true, names: NAMES, ...settings });
  const named = spans.map((span) => [String(attributesIn(span.attributes)['server.address']).split('.')[0], span]);
  expect(new Set(named.map(([name]) => name)).size).toBe(spans.length);
  return Object.fromEntries(named) as Record<string, Span>;
}

const joined = (span: Span | undefined) => attributesIn(span?.attributes ?? [])['ksnoop.joined'];
const links = (span: Span | undefined) =>
  span?.links?.map(({ attributes, ...to }) => ({ ...to, joined: attributesIn(attributes)['ksnoop.joined'] }));

describe('spans without trace headers', () => {
  it('are one trace, each below the request that it was made because of, where an id proves that', async () => {
    const spans = await spansOf(chain([REQUEST_ID, REQUEST_ID, REQUEST_ID]));
    const { 'edge-1': edge, 'web-1': web, 'api-1': api } = spans;
    expect(Object.keys(spans)).toHaveLength(3);
    expect([edge?.parentSpanId, web?.parentSpanId, api?.parentSpanId]).toEqual([undefined, edge?.spanId, web?.spanId]);
    expect([web?.traceId, api?.traceId]).toEqual([edge?.traceId, edge?.traceId]);
    expect([edge, web, api].map(joined)).toEqual([undefined, 'proven', 'proven']);
    expect([edge, web, api].map(links)).toEqual([undefined, undefined, undefined]);
    expect(await spansOf(chain([REQUEST_ID, REQUEST_ID, REQUEST_ID]))).toEqual(spans);
  });

  it('have the same trace for whoever sees a part of them, because the id names it', async () => {
    const whole = await spansOf(chain([REQUEST_ID, REQUEST_ID, REQUEST_ID]));
    const other = chain([REQUEST_ID, REQUEST_ID, REQUEST_ID]);
    // Only web's interface, by another clock.
    other.miss((interfaceId) => interfaceId === 0);
    const part = await spansOf(other);
    expect(Object.keys(part).sort()).toEqual(['api-1', 'web-1']);
    expect(new Set([...Object.values(whole), ...Object.values(part)].map(({ traceId }) => traceId)).size).toBe(1);
    expect(part['api-1']?.parentSpanId).toBe(part['web-1']?.spanId);
    expect(part['web-1']?.parentSpanId).toBeUndefined();
  });

  it('have a trace named by the connection where the id is short: other requests have such ids as well', async () => {
    const short = 'X-Request-Id: 17\r\n';
    const one = await spansOf(chain([short, short, short]));
    expect(one['api-1']?.traceId).toBe(one['edge-1']?.traceId);
    const later = chain([short, short, short]);
    for (const frame of later.frames) Object.assign(frame, { at: frame.at + 5000 });
    expect((await spansOf(later))['edge-1']?.traceId).not.toBe(one['edge-1']?.traceId);
  });

  it('are linked, and no parents, where that is only likely', async () => {
    const { 'edge-1': edge, 'web-1': web, 'api-1': api } = await spansOf(chain(['', '', '']));
    expect([edge, web, api].map((span) => span?.parentSpanId)).toEqual([undefined, undefined, undefined]);
    expect(new Set([edge, web, api].map((span) => span?.traceId)).size).toBe(3);
    expect(links(web)).toEqual([{ traceId: edge?.traceId, spanId: edge?.spanId, joined: 'likely' }]);
    expect([edge, web].map(joined)).toEqual([undefined, undefined]);
  });

  it('stand alone where several requests may be the reason, and none is lost', async () => {
    const capture = new TracedCapture(['shop/edge-1/any']);
    const here = [{ interfaceId: 0 }];
    const open = (from: string, port: number, to: string, initial: number) =>
      capture.connection(here, [from, port], [to, 80], [initial, initial + 5000]).handshake(1000);
    const one = open(CLIENT, 40_000, EDGE, 1000);
    const two = open('10.244.1.10', 40_001, EDGE, 500_000);
    const inner = open(EDGE, 50_000, WEB, 77_000);
    one.send(0, get('/cart'), [1010]);
    two.send(0, get('/cart'), [1010.5]);
    inner.send(0, get('/cart'), [1012]).send(1, ok(), [1020]);
    one.send(1, ok(), [1025]);
    two.send(1, ok(), [1026]);
    const { spans } = await exported(capture.pcapng(), { joins: true, names: NAMES });
    expect(spans).toHaveLength(3);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3);
    expect(spans.flatMap(({ links: all = [] }) => all)).toEqual([]);
  });
});

it('what a probe causes has a trace of its own: the probe is no span', async () => {
  const probe = 'User-Agent: kube-probe/1.35\r\n';
  const spans = await spansOf(chain([REQUEST_ID + probe, REQUEST_ID, REQUEST_ID]));
  expect(Object.keys(spans).sort()).toEqual(['api-1', 'web-1']);
  expect(spans['web-1']?.parentSpanId).toBeUndefined();
  expect(spans['api-1']?.parentSpanId).toBe(spans['web-1']?.spanId);
});

it('of failed requests alone, the spans have the traces and parents that they have among all', async () => {
  const capture = () => chain([REQUEST_ID, REQUEST_ID, REQUEST_ID], 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n');
  const failed = await spansOf(capture(), { spans: 'failed' });
  expect(Object.keys(failed)).toEqual(['api-1']);
  expect(failed['api-1']).toEqual((await spansOf(capture()))['api-1']);
});

describe('trace headers', () => {
  it('win: the span below them has their trace and parent, and a link to the request that caused it', async () => {
    const traceparent = `traceparent: 00-${TRACE}-${SPAN}-01\r\n`;
    const spans = await spansOf(chain([REQUEST_ID, REQUEST_ID + traceparent, '']));
    const { 'edge-1': edge, 'web-1': web } = spans;
    expect(web).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
    expect(edge?.traceId).not.toBe(TRACE);
    expect(links(web)).toEqual([{ traceId: edge?.traceId, spanId: edge?.spanId, joined: 'proven' }]);
    expect(joined(web)).toBeUndefined();
  });

  it('of a request hold for the calls that are proven to be made because of it, with their sampling', async () => {
    const traceparent = `traceparent: 00-${TRACE}-${SPAN}-01\r\n`;
    const capture = () => chain([traceparent + REQUEST_ID, REQUEST_ID, '']);
    const { 'edge-1': edge, 'web-1': web } = await spansOf(capture());
    expect(edge).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
    expect(web).toMatchObject({ traceId: TRACE, parentSpanId: edge?.spanId });
    expect(Object.keys(await spansOf(capture(), { spans: 'sampled' })).sort()).toEqual(['edge-1', 'web-1']);
    const not = chain([traceparent.replace('-01', '-00') + REQUEST_ID, REQUEST_ID, '']);
    expect(await spansOf(not, { spans: 'sampled' })).toEqual({});
  });

  it('of B3 are taken like traceparent', async () => {
    const b3 = (span: string) => `X-B3-TraceId: ${TRACE}\r\nX-B3-SpanId: ${span}\r\nX-B3-Sampled: 1\r\n`;
    const other = 'b7ad6b7169203331';
    const spans = await spansOf(chain([b3(SPAN), b3(other), '']), { spans: 'sampled' });
    expect(spans['edge-1']).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
    expect(spans['web-1']).toMatchObject({ traceId: TRACE, parentSpanId: other });
    expect(links(spans['web-1'])).toBeUndefined();
  });
});

describe('joining', () => {
  const file = (...path: string[]) => readFileSync(join(import.meta.dirname, '../..', ...path));
  /** client → Service → web, seen before and behind the Service's address. */
  const translated = () => {
    const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
    const places = [{ interfaceId: 0 }, { interfaceId: 1, ttl: 62, server: [WEB, 8080] as const }];
    const one = capture.connection(places, [CLIENT, 40_000], [SERVICE, 80], [1000, 9000]).handshake(1000);
    one.send(0, get('/cart'), [1010, 1011]).send(1, ok(), [1020, 1019]);
    return capture.pcapng();
  };

  it.each([
    ['a chain', () => chain([REQUEST_ID, REQUEST_ID, '']).pcapng(), 3],
    ['a Service', translated, 1],
    ['wrong-service', () => file('run/analysis/captures/wrong-service.pcapng'), 66],
    ['a mesh, HTTP/1.1', () => file('analyze/trace/captures/mesh/http1.pcapng'), undefined],
    ['a mesh, HTTP/2', () => file('analyze/trace/captures/mesh/http2.pcapng'), undefined],
  ])('of %s adds no span and loses none', async (_name, bytes, count) => {
    const plain = ({ spanId, name, startTimeUnixNano, endTimeUnixNano, attributes }: Span) => {
      const { 'ksnoop.joined': _joined, ...rest } = attributesIn(attributes);
      return JSON.stringify({ spanId, name, startTimeUnixNano, endTimeUnixNano, rest });
    };
    const { spans: apart } = await exported(bytes(), { names: NAMES });
    const { spans: together } = await exported(bytes(), { joins: true, names: NAMES });
    expect(together.map(plain).sort()).toEqual(apart.map(plain).sort());
    expect(apart.length).toBeGreaterThan(0);
    if (count !== undefined) expect(apart).toHaveLength(count);
  });

  it('of two calls of a pod to itself, at the same times and with the same id, puts one below the other, and loses none', async () => {
    const capture = new TracedCapture(['shop/web-1/any']);
    for (const [index, port] of [50_000, 50_001].entries()) {
      const initial = 1000 + 100_000 * index;
      capture
        .connection([{ interfaceId: 0 }], [WEB, port], [WEB, 8080], [initial, initial + 5000])
        .handshake(1000)
        .send(0, get('/cart', REQUEST_ID), [1010])
        .send(1, ok(), [1020]);
    }
    const { spans } = await exported(capture.pcapng(), { joins: true, names: NAMES });
    expect(spans).toHaveLength(2);
    const [one, two] = spans;
    expect(two?.parentSpanId).toBe(one?.spanId);
    expect(one?.parentSpanId).toBeUndefined();
  });

  it('puts what sidecars passed on below the request, where an id proves it, and links it otherwise', async () => {
    for (const [name, isProven] of [
      ['http1', false],
      ['http2', true],
    ] as const) {
      const { spans } = await exported(file(`analyze/trace/captures/mesh/${name}.pcapng`), { joins: true });
      const requests = spans.filter((span) => span.name.startsWith('GET'));
      const byId = new Map(requests.map((span) => [span.spanId, span]));
      const query = (span: Span | undefined) => attributesIn(span?.attributes ?? [])['url.query'];
      expect(requests.length, name).toBeGreaterThanOrEqual(24);
      const inner = requests.filter(({ parentSpanId, links: all }) => parentSpanId !== undefined || all !== undefined);
      expect(inner.length, name).toBeGreaterThanOrEqual(12);
      for (const span of inner) {
        const outer = byId.get(span.parentSpanId ?? span.links?.[0]?.spanId ?? '');
        expect(query(outer), name).toBe(query(span));
      }
      expect(
        inner.some(({ parentSpanId }) => parentSpanId !== undefined),
        name,
      ).toBe(isProven);
    }
  });
});
