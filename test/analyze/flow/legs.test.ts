import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { Summary } from '../../../src/analyze/summary/summary.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { plainSettings } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtPcapng, handshake } from '../../support/built-capture.ts';

/**
 * Client and backends of a Service captured together while the client makes 100 requests over connections of one request
 * each: 94 connections are seen on both sides of the DNAT.
 */
const CAPTURE = join(import.meta.dirname, 'captures/both-ends-of-a-service.pcapng');

function analysed(bytes: Uint8Array) {
  let summary: Summary | undefined;
  const session = new AnalysisSession(
    {
      detail: false,
      packets: false,
      create: ({ session }) => {
        summary = new Summary(session.capture.analysis.hosts, session.names);
        return summary;
      },
    },
    plainSettings(),
  );
  session.push(bytes);
  session.end();
  return { session, summary };
}

function summaryOf(bytes: Uint8Array) {
  const { session, summary } = analysed(bytes);
  return summary?.report(session.recorder, session.span);
}

test('a request that is seen before and behind a Service counts once for the Service, and once for its pod', () => {
  const report = summaryOf(readFileSync(CAPTURE));
  expect(report?.services.map(({ service, protocol, count }) => [service, protocol, count])).toEqual([
    ['kube-dns.kube-system', 'dns', 188],
    ['api.shop', 'http', 100],
    ['web.shop', 'http', 100],
  ]);
  const pods = report?.pods.filter(({ count }) => count > 0) ?? [];
  expect(pods.map(({ service, count }) => [service, count])).toEqual([
    ['web.shop', 53],
    ['web.shop', 47],
  ]);
});

test('both legs of a connection have the same exchanges, and the one whose handshake completed later names the other', () => {
  const { flows } = analyseBytes(readFileSync(CAPTURE));
  const legs = flows.filter(({ sameAs }) => sameAs !== undefined);
  expect(legs).toHaveLength(94);
  for (const { sameAs, id, serverIp, clientPort } of legs) {
    const earlier = flows.find((flow) => flow.id === sameAs?.id);
    expect(sameAs?.id).not.toBe(id);
    expect(earlier?.serverIp).not.toBe(serverIp);
    expect(earlier?.clientPort).toBe(clientPort);
  }
});

test('begun in the middle, the data that both legs show joins them', () => {
  // One request on each of two legs, over connections that exist already.
  const segments = [0, 1, 2, 3].flatMap((turn) =>
    [0, 1].map((leg) => ({
      side: (turn % 2) as 0 | 1,
      sequence: 1000 + (turn >> 1) * 40 + (turn % 2) * 9_000,
      acknowledgment: 1000 + ((turn + 1) >> 1) * 40 + (turn % 2 === 0 ? 9_000 : 0),
      payload: `${turn % 2 === 0 ? 'ask' : 'say'} ${turn} ${'x'.repeat(34)}`,
      at: turn * 10 + leg,
      flags: 'P.',
      interfaceId: leg,
      ports: [40_000, leg === 0 ? 80 : 8080] as const,
    })),
  );
  const { flows } = analyseBytes(builtPcapng(segments, ['shop/client/eth0', 'shop/web/eth0']));
  expect(flows.map(({ sameAs }) => sameAs?.id)).toEqual([undefined, 0]);
  const others = segments.map((segment) =>
    segment.interfaceId === 1 ? { ...segment, payload: 'y'.repeat(40) } : segment,
  );
  expect(analyseBytes(builtPcapng(others, ['a', 'b'])).flows.every(({ sameAs }) => sameAs === undefined)).toBe(true);
});

test.each(['the client', 'the server'])(
  'a connection that one place saw open, and the other from the middle on, is one: the capture at %s began late',
  (late) => {
    const exchange = (turn: number): BuiltSegment[] =>
      [0, 1].map((side) => ({
        side: side as 0 | 1,
        sequence: (side === 0 ? 1001 : 5001) + turn * 40,
        acknowledgment: (side === 0 ? 5001 : 1001) + (turn + side) * 40,
        payload: `${side === 0 ? 'ask' : 'say'} ${String(turn).padStart(2, '0')} ${'x'.repeat(33)}`,
        at: 10 + turn * 20 + side * 5,
        flags: 'P.',
      }));
    const all = [...handshake([1000, 5000]), ...Array.from({ length: 40 }, (_, turn) => exchange(turn)).flat()];
    const leg = (interfaceId: number, port: number, from: number) =>
      all
        .filter(({ at }) => at >= from)
        .map((segment) => ({ ...segment, at: segment.at + interfaceId, interfaceId, ports: [40_000, port] as const }));
    const [client, server] = late === 'the client' ? [300, 0] : [0, 300];
    const segments = [...leg(0, 80, client), ...leg(1, 8080, server)].sort((a, b) => a.at - b.at);
    const { flows } = analyseBytes(builtPcapng(segments, ['shop/client/eth0', 'shop/web/eth0']));
    expect(flows.map(({ sameAs }) => sameAs !== undefined)).toEqual([false, true]);
  },
);

test("a server that is captured too has the name of its interface; one behind a router does not have the router's", () => {
  const [syn, answer] = handshake([100, 200]);
  const path = (server: string) => {
    const at = (segment: BuiltSegment | undefined, interfaceId: number, direction: 'in' | 'out', time: number) => ({
      ...(segment as BuiltSegment),
      interfaceId,
      direction,
      at: time,
    });
    const forwards = server === 'router';
    const segments = [
      at(syn, 0, 'out', 0),
      at(syn, 1, 'in', 1),
      ...(forwards ? [at(syn, 1, 'out', 2), at(answer, 1, 'in', 3)] : []),
      at(answer, 1, 'out', 4),
      at(answer, 0, 'in', 5),
    ];
    const { names } = analysed(builtPcapng(segments, ['netns/client/any', `netns/${server}/any`])).session;
    return ['10.0.0.1', '10.0.0.2'].map((address) => names.ofAddress(address, 0)?.text);
  };
  expect(path('web')).toEqual(['netns/client', 'netns/web']);
  expect(path('router')).toEqual(['netns/client', undefined]);
});

/** A segment before a Service (port 80, at the client) and behind it (port 8080, at the pod), 10 µs later. */
function atBoth(segment: BuiltSegment): BuiltSegment[] {
  const isOut = segment.side === 0;
  const client: BuiltSegment = { ...segment, ports: [40_000, 80], interfaceId: 0, direction: isOut ? 'out' : 'in' };
  const pod: BuiltSegment = { ...segment, ports: [40_000, 8080], interfaceId: 1, direction: isOut ? 'in' : 'out' };
  return isOut ? [client, { ...pod, at: segment.at + 0.01 }] : [pod, { ...client, at: segment.at + 0.01 }];
}

const PLACES = ['shop/client/any', 'shop/web/any'];
const SYN: BuiltSegment = { side: 0, sequence: 100, flags: 'S', at: 0 };

test('SYNs that do not reach the pod are of the connection that counts', () => {
  const [syn = SYN, ...rest] = handshake([100, 200], 1000);
  const lost = atBoth(SYN).slice(0, 1);
  const { flows } = analyseBytes(builtPcapng([...lost, ...atBoth(syn), ...rest.flatMap(atBoth)], PLACES));
  const [counted] = flows.filter(({ sameAs }) => sameAs === undefined);
  expect(flows).toHaveLength(2);
  expect(counted?.tcp).toMatchObject({ syns: 2, client: { retransmissions: 1 } });
  expect(counted?.tcp?.setup).toBeGreaterThan(1e9);
});

test('a connection that does not come up counts once, and not only at the place where its SYN is repeated first', () => {
  const syns = [0, 1000, 3000].map((at) => ({ ...SYN, at }));
  const unanswered = summaryOf(builtPcapng(syns.flatMap(atBoth), PLACES));
  expect(unanswered?.tcp).toMatchObject({ connections: 1, unanswered: 1 });
  const reset: BuiltSegment = { side: 1, sequence: 0, acknowledgment: 101, flags: 'R.', at: 1 };
  const refused = summaryOf(builtPcapng([SYN, reset].flatMap(atBoth), PLACES));
  expect(refused?.tcp).toMatchObject({ connections: 1, refused: 1 });
  expect(refused?.events).toEqual([{ protocol: 'tcp', code: 'TCP_REFUSED', failed: true, count: 1 }]);
});

test('connections of one host to one server and port are never legs of one another, whatever numbers its stack sends', () => {
  const request = { side: 0, sequence: 101, acknowledgment: 201, payload: 'ask', flags: 'P.', at: 3 } as const;
  const from = (port: number): BuiltSegment[] =>
    [...handshake([100, 200]), request].map((segment) => ({ ...segment, ports: [port, 80] }));
  const { flows } = analyseBytes(
    builtPcapng(
      [...from(40_000), ...from(40_001).map((segment) => ({ ...segment, at: segment.at + 5 }))],
      ['node/a/any'],
    ),
  );
  expect(flows.map(({ sameAs }) => sameAs)).toEqual([undefined, undefined]);
});

test('equal SYNs of a scan from one port are connections of their own', () => {
  const reset: BuiltSegment = { side: 1, sequence: 0, acknowledgment: 101, flags: 'R.', at: 1 };
  const entering = [SYN, reset].flatMap((segment) => atBoth(segment).filter(({ interfaceId }) => interfaceId === 1));
  const other = entering.map((segment): BuiltSegment => ({ ...segment, ports: [40_000, 8081], interfaceId: 0 }));
  const scanned = summaryOf(
    builtPcapng(
      [...entering, ...other].sort((a, b) => a.at - b.at),
      PLACES,
    ),
  );
  expect(scanned?.tcp).toMatchObject({ connections: 2, refused: 2 });
});

test('a SYN-ACK that is seen once more leaves one of the two flows counted', () => {
  const [syn = SYN, synAck = SYN, ...rest] = handshake([100, 200], 1000);
  const lost = atBoth(SYN).slice(0, 1);
  const again = atBoth({ ...synAck, at: 1010 });
  const { flows } = analyseBytes(
    builtPcapng([...lost, ...[syn, synAck].flatMap(atBoth), ...again, ...rest.flatMap(atBoth)], PLACES),
  );
  expect(flows.filter(({ sameAs }) => sameAs === undefined)).toHaveLength(1);
  // The client's own flow, captured at a second interface too.
  const elsewhere = atBoth({ ...synAck, at: 1011 })
    .filter(({ interfaceId }) => interfaceId === 0)
    .map((segment): BuiltSegment => ({ ...segment, interfaceId: 2 }));
  const third = analyseBytes(
    builtPcapng(
      [...lost, ...[syn, synAck].flatMap(atBoth), ...elsewhere, ...rest.flatMap(atBoth)],
      [...PLACES, 'node/a/any'],
    ),
  );
  expect(third.flows.filter(({ sameAs }) => sameAs === undefined)).toHaveLength(1);
});
