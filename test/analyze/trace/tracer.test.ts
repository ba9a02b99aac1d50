import { expect, test } from 'vitest';
import { type End, TracedCapture } from '../../support/traced-capture.ts';
import { brief, CLIENT, EDGE, get, ok, SERVICE, sum, tracesOf, WEB } from './traces.ts';

test('a request through a Service is split between two places whose clocks do not agree', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const service: End = [SERVICE, 80];
  const places = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 62, server: [WEB, 8080] as const, ahead: -700 },
  ];
  capture
    .connection(places, [CLIENT, 40_000], service, [1000, 9000])
    .handshake(1000)
    .send(0, get('/cart'), [1010, 1013])
    .send(1, ok(), [1040, 1035]);
  const [one, ...others] = tracesOf(capture);
  expect(others).toEqual([]);
  expect(one).toMatchObject({ kind: 'trace', label: 'GET /cart', status: '200', total: 30e6 });
  expect(one?.hops.map(brief)).toEqual([
    'shop/client-1 request 0',
    'shop/client-1 > shop/web-1 network 8',
    'shop/web-1 server 22',
    'shop/client-1 response 0',
  ]);
  expect(one?.hops[1]?.service).toBe('web.shop');
  expect(one?.slowest).toBe(2);
});

test('the leg that was seen later may have the first event', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const places = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 62, server: [WEB, 8080] as const },
  ];
  capture
    .connection(places, [CLIENT, 40_000], [SERVICE, 80], [1000, 9000])
    .handshake(1000)
    .send(0, get('/cart'), [1010, 1013])
    .send(1, ok(), [1040, 1041]);
  const [one] = tracesOf(capture);
  expect(one?.hops.map(brief)).toEqual([
    'shop/client-1 request 0',
    'shop/client-1 > shop/web-1 network 2',
    'shop/web-1 server 28',
    'shop/client-1 response 0',
  ]);
});

/** client → edge (a proxy) → web, one request; the packets of both connections at all three pods. */
function proxied({ id = true, lost = false } = {}): TracedCapture {
  const capture = new TracedCapture(['shop/client-1/any', 'ingress/edge-1/any', 'shop/web-1/any']);
  const outerPlaces = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 63 },
  ];
  const innerPlaces = [
    { interfaceId: 1, ttl: 64, server: [SERVICE, 80] as const },
    { interfaceId: 2, ttl: 62, ahead: 50 },
  ];
  const outer = capture.connection(outerPlaces, [CLIENT, 40_000], [EDGE, 80], [1000, 9000]);
  const inner = capture.connection(innerPlaces, [EDGE, 50_000], [WEB, 8080], [77_000, 88_000]);
  const request = get('/cart', id ? 'X-Request-Id: 6f1c-1\r\n' : '');
  outer.handshake(1000);
  inner.handshake(1005);
  outer.send(0, request, [1010, 1011]);
  if (lost) {
    inner.send(0, request, [1012, undefined]).send(0, request, [1212, 1213], true).send(1, ok(), [1224, 1223]);
    outer.send(1, ok(), [1226, 1225]);
  } else {
    inner.send(0, request, [1012, 1013]).send(1, ok(), [1024, 1023]);
    outer.send(1, ok(), [1026, 1025]);
  }
  return capture;
}

test('a request through a proxy is one trace, and its parts add up', () => {
  const traces = tracesOf(proxied());
  expect(traces).toHaveLength(1);
  expect(traces[0]?.hops.map(brief)).toEqual([
    'shop/client-1 request 0',
    'shop/client-1 > ingress/edge-1 network 2',
    'ingress/edge-1 proxy 1',
    'ingress/edge-1 request 0',
    'ingress/edge-1 > shop/web-1 network 2',
    'shop/web-1 server 10',
    'ingress/edge-1 response 0',
    'ingress/edge-1 proxy 1',
    'shop/client-1 response 0',
  ]);
  expect(traces[0]?.hops[4]?.confidence).toBe('proven');
  expect(sum(traces[0]?.hops ?? [])).toBe(traces[0]?.total);
});

test('without an id the only candidate is likely, not proven', () => {
  const [one] = tracesOf(proxied({ id: false }));
  expect(one?.hops[4]).toMatchObject({ kind: 'network', confidence: 'likely' });
});

test('a segment that left one place and came to the next only when sent again is lost between them', () => {
  const [one] = tracesOf(proxied({ lost: true }));
  expect(one?.hops[4]).toMatchObject({
    kind: 'network',
    from: 'ingress/edge-1',
    to: 'shop/web-1',
    latency: 202e6,
    lost: [{ count: 1, of: 'request', after: 200e6 }],
  });
  expect(one?.slowest).toBe(4);
  expect(sum(one?.hops ?? [])).toBe(one?.total);
});

test('what the second place missed in its capture is not called lost', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const places = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 62 },
  ];
  capture
    .connection(places, [CLIENT, 40_000], [WEB, 8080], [1000, 9000])
    .handshake(1000)
    .send(0, get('/a'), [1010, undefined])
    .send(1, ok(), [1040, 1035])
    .send(0, get('/b'), [1050, 1051])
    .send(1, ok(), [1060, 1059]);
  const traces = tracesOf(capture);
  expect(traces.map(({ label }) => label)).toEqual(['GET /a', 'GET /b']);
  expect(traces.flatMap(({ hops }) => hops.flatMap(({ lost }) => lost))).toEqual([]);
  expect(traces.map(({ total }) => total)).toEqual([30e6, 10e6]);
});

/** Two requests that a proxy has open when it makes one call. */
function twoOpen(headers: readonly [string, string, string]): TracedCapture {
  const capture = new TracedCapture(['ingress/edge-1/any']);
  const here = [{ interfaceId: 0 }];
  const outer = (port: number, initial: number) =>
    capture.connection(here, [CLIENT, port], [EDGE, 80], [initial, initial + 5000]).handshake(1000);
  const one = outer(40_000, 1000);
  const other = outer(40_001, 500_000);
  const inner = capture.connection(here, [EDGE, 50_000], [WEB, 8080], [77_000, 88_000]).handshake(1000);
  one.send(0, get('/cart', headers[0]), [1010]);
  other.send(0, get('/cart', headers[1]), [1010.5]);
  inner.send(0, get('/cart', headers[2]), [1012]).send(1, ok(), [1020]);
  one.send(1, ok(), [1025]);
  other.send(1, ok(), [1026]);
  return capture;
}

test('a call that two open requests may have made belongs to neither', () => {
  const traces = tracesOf(twoOpen(['', '', '']));
  const seen = traces.map(({ hops, ambiguous }) => ({ depth: Math.max(...hops.map((hop) => hop.depth)), ambiguous }));
  expect(seen).toEqual([
    { depth: 0, ambiguous: 1 },
    { depth: 0, ambiguous: 1 },
  ]);
});

test.each([
  ['/cart?n=1', '/cart?n=2', 'likely'],
  ['/users/17', '/users/18', 'likely'],
  ['/cart', '/stock', undefined],
])('of requests for %s and %s the path of a call tells: %s', (first, second, expected) => {
  const capture = new TracedCapture(['ingress/edge-1/any']);
  const here = [{ interfaceId: 0 }];
  const open = (client: string, port: number, server: string, initial: number) =>
    capture.connection(here, [client, port], [server, 80], [initial, initial + 5000]).handshake(1000);
  const one = open(CLIENT, 40_000, EDGE, 1000);
  const other = open(CLIENT, 40_001, EDGE, 500_000);
  const inner = open(EDGE, 50_000, WEB, 77_000);
  one.send(0, get(first), [1010]);
  other.send(0, get(second), [1010.5]);
  inner.send(0, get(second), [1012]).send(1, ok('other'), [1020]);
  one.send(1, ok('one response'), [1025]);
  other.send(1, ok('another response'), [1026]);
  const traces = tracesOf(capture);
  expect(traces.map(({ hops }) => hops.find(({ depth }) => depth === 1)?.confidence)).toEqual([undefined, expected]);
});

test('ids tell which of two open requests made a call', () => {
  const id = (value: string) => `X-Request-Id: ${value}\r\n`;
  const [first, second] = tracesOf(twoOpen([id('one'), id('two'), id('two')]));
  expect(first?.hops.every(({ depth }) => depth === 0)).toBe(true);
  expect(second?.hops.find(({ depth }) => depth === 1)).toMatchObject({ confidence: 'proven' });
});

test('retries are attempts one after another, and calls at once are one part', () => {
  const capture = new TracedCapture(['ingress/edge-1/any']);
  const here = [{ interfaceId: 0 }];
  const outer = capture.connection(here, [CLIENT, 40_000], [EDGE, 80], [1000, 6000]).handshake(1000);
  const inner = (port: number, initial: number) =>
    capture.connection(here, [EDGE, port], [WEB, 8080], [initial, initial + 5000]).handshake(1000);
  const first = inner(50_000, 77_000);
  const second = inner(50_001, 777_000);
  const third = inner(50_002, 7_777_000);
  outer.send(0, get('/cart'), [1010]);
  first.send(0, get('/cart'), [1011]).send(1, 'HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n', [1013]);
  second.send(0, get('/a'), [1014]);
  third.send(0, get('/b'), [1015]);
  second.send(1, ok(), [1018]);
  third.send(1, ok(), [1020]);
  outer.send(1, ok(), [1021]);
  const [one] = tracesOf(capture);
  expect(one?.hops.filter(({ latency }) => latency > 0).map(brief)).toEqual([
    'ingress/edge-1 proxy 1',
    'ingress/edge-1 > shop/web-1 beyond 2',
    'ingress/edge-1 proxy 1',
    'ingress/edge-1 calls 6',
    'ingress/edge-1 proxy 1',
  ]);
  expect(one?.hops.find(({ kind }) => kind === 'calls')?.calls).toBe(2);
});

test('a subrequest, a mirror, and a response by the proxy itself', () => {
  const capture = new TracedCapture(['ingress/edge-1/any']);
  const here = [{ interfaceId: 0 }];
  const outer = capture.connection(here, [CLIENT, 40_000], [EDGE, 80], [1000, 6000]).handshake(1000);
  const inner = (port: number, server: string, initial: number) =>
    capture.connection(here, [EDGE, port], [server, 8080], [initial, initial + 5000]).handshake(1000);
  const auth = inner(50_000, '10.244.2.7', 77_000);
  const web = inner(50_001, WEB, 777_000);
  const mirror = inner(50_002, '10.244.2.8', 7_777_000);
  const id = 'X-Request-Id: 6f1c-1\r\n';
  outer.send(0, get('/cart', id), [1010]);
  auth.send(0, get('/verify', id), [1011]).send(1, ok('yes'), [1013]);
  web.send(0, get('/cart', id), [1014]);
  mirror.send(0, get('/cart', id), [1015]).send(1, ok('mirrored'), [1018]);
  web.send(1, ok(), [1020]);
  outer.send(1, ok(), [1021]);
  outer.send(0, get('/healthz'), [1030]).send(1, ok('fine'), [1032]);
  const traces = tracesOf(capture);
  const parts = traces.map(({ hops }) => hops.filter(({ latency }) => latency > 0).map(brief));
  expect(parts).toEqual([
    [
      'ingress/edge-1 proxy 1',
      'ingress/edge-1 > 10.244.2.7 beyond 2',
      'ingress/edge-1 proxy 1',
      'ingress/edge-1 calls 6',
      'ingress/edge-1 proxy 1',
    ],
    ['ingress/edge-1 server 2'],
  ]);
  expect(traces[0]?.hops.filter(({ depth }) => depth > 0).every(({ confidence }) => confidence === 'proven')).toBe(
    true,
  );
});

test('a connection of a pool that began before the capture is one at both ends from its first request on', () => {
  const capture = new TracedCapture(['ingress/edge-1/any', 'shop/web-1/any']);
  const places = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 62, server: [WEB, 8080] as const },
  ];
  capture
    .connection(places, [EDGE, 40_000], [SERVICE, 80], [77_000, 88_000])
    .send(0, get('/cart'), [1010, 1011])
    .send(1, ok(), [1020, 1019]);
  const traces = tracesOf(capture);
  expect(traces).toHaveLength(1);
  expect(traces[0]?.hops.filter(({ latency }) => latency > 0).map(brief)).toEqual([
    'ingress/edge-1 > shop/web-1 network 2',
    'shop/web-1 server 8',
  ]);
});
