import { expect, test } from 'vitest';
import type { TraceRecord } from '../../../src/analyze/trace/record.ts';
import { trace } from '../../../src/run/analysis/trace.ts';
import { stateBlock } from '../../../src/wire/network-state.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { BUILT_EPOCH_NS } from '../../support/built-capture.ts';
import { type End, type Passed, TracedCapture } from '../../support/traced-capture.ts';
import { brief, CLIENT, EDGE, get, localTracesOf, ok, SERVICE, tracesOf, WEB } from './traces.ts';

const INTERFACES = ['shop/client-1/any', 'node1/eth0', 'shop/web-1/any'];
const service: End = [SERVICE, 80];
const places = [
  { interfaceId: 0, ttl: 64 },
  { interfaceId: 1, ttl: 63, server: [WEB, 8080] as const },
  { interfaceId: 2, ttl: 62, server: [WEB, 8080] as const },
];

/** A connection to a Service through a node to a pod. */
function connecting() {
  const capture = new TracedCapture(INTERFACES);
  return { capture, connection: capture.connection(places, [CLIENT, 40_000], service, [1000, 9000]) };
}

test('a connection without an answer names the last place that saw the SYN and the first that did not', () => {
  const { capture, connection } = connecting();
  connection.syn([1000, 1001, undefined], 5000).syn([2000, 2001, undefined], 6000).syn([4000, 4001, undefined], 8000);
  const [one, ...others] = tracesOf(capture);
  expect(others).toEqual([]);
  expect(one).toMatchObject({
    kind: 'trace',
    protocol: 'tcp',
    label: 'connect',
    status: 'unanswered',
    failed: true,
    src: { pod: 'client-1' },
    dst: { service: 'web', namespace: 'shop' },
    hops: [],
    connect: {
      outcome: 'unanswered',
      syns: 3,
      span: 3e9,
      lastSeen: 'node1/eth0',
      notSeen: ['shop/web-1'],
      confidence: 'proven',
    },
  });
  expect(one).not.toHaveProperty('total');
});

test('what lies between the last place that saw a SYN and the first that did not is named, with what the kernel counted there', () => {
  const { capture, connection } = connecting();
  connection.syn([1000, 1001, undefined], 5000).syn([2000, 2001, undefined], 6000);
  const state = (interfaceId: number, ms: number, drops: number) =>
    stateBlock({
      interfaceId,
      time: BUILT_EPOCH_NS + BigInt(ms) * 1_000_000n,
      state: { counters: { 'TcpExt ListenDrops': drops, 'Tcp RetransSegs': drops } },
    }) as Uint8Array;
  // At the client's place nothing is looked for: it is neither the last that saw the SYN nor one that did not.
  const states = [state(0, 500, 0), state(2, 500, 10), state(0, 3000, 7), state(2, 3000, 15)];
  const bytes = Buffer.concat([capture.pcapng(), ...states]);
  const names = { [CLIENT]: 'shop/client-1', [WEB]: 'shop/web-1', [SERVICE]: 'web.shop' };
  const connect = (JSON.parse(analysisLines(trace, bytes, names).lines[0] ?? '') as TraceRecord).connect;
  expect(connect?.between).toEqual({ toNode: 'node-web', translated: true });
  expect(connect?.counters).toEqual([{ place: 'shop/web-1', counter: 'TcpExt ListenDrops', change: 5 }]);
});

test('the tunnel in which a SYN was last seen is named', () => {
  const capture = new TracedCapture(INTERFACES);
  const [first, second, third] = places as [Passed, Passed, Passed];
  for (const [index, tunnel] of (['vxlan', 'geneve', 'ipip', 'gre'] as const).entries()) {
    capture
      .connection([first, { ...second, tunnel }, third], [CLIENT, 40_000 + index], service, [1000 + index, 9000])
      .syn([1000, 1001, undefined], 5000)
      .syn([2000, 2001, undefined], 6000);
  }
  const tunnels = tracesOf(capture).map(({ connect }) => connect?.between?.tunnel);
  const ends = { from: expect.stringMatching(/^192\.168\./), to: expect.stringMatching(/^192\.168\./) };
  expect(tunnels).toEqual(['VXLAN', 'Geneve', 'IPIP', 'GRE'].map((kind) => ({ kind, ...ends })));
});

test("the cluster's objects are looked up with the ends that the client has", () => {
  const { capture, connection } = connecting();
  connection.syn([1000, 1001, undefined], 5000).syn([2000, 2001, undefined], 6000);
  const policies = { names: ['shop/deny-all'], verdict: 'denied' } as const;
  const asked: string[] = [];
  const about = (...ends: unknown[]) => {
    asked.push(ends.join(' '));
    return { policies, proxyMode: 'nftables' };
  };
  const names = { [CLIENT]: 'shop/client-1', [WEB]: 'shop/web-1', [SERVICE]: 'web.shop' };
  const { lines } = analysisLines(trace, capture.pcapng(), names, undefined, about);
  const { connect } = JSON.parse(lines[0] ?? '') as TraceRecord;
  expect(connect?.between).toMatchObject({ policies, proxyMode: 'nftables' });
  expect(asked).toEqual([`${CLIENT} ${SERVICE} 80`]);
});

test('a Service whose address is still there was not translated', () => {
  const { capture, connection } = connecting();
  connection.syn([1000, undefined, undefined], 5000).syn([2000, undefined, undefined], 6000);
  const connect = tracesOf(capture)[0]?.connect;
  expect(connect).toMatchObject({ lastSeen: 'shop/client-1', between: { fromNode: 'node-client', translated: false } });
  expect(connect).not.toHaveProperty('counters');
});

test('SYNs that came to the server, which did not answer, were seen there last', () => {
  const { capture, connection } = connecting();
  connection.syn([1000, 1001, 1002], 5000).syn([2000, 2001, 2002], 6000);
  const [one] = tracesOf(capture);
  expect(one?.connect).toMatchObject({ outcome: 'unanswered', lastSeen: 'shop/web-1', notSeen: [] });
});

test('without time stamps the legs of an opening are likely one, and with different ones they are two', () => {
  const same = connecting();
  same.connection.syn([1000, 1001, undefined]).syn([2000, 2001, undefined]);
  expect(tracesOf(same.capture)[0]?.connect).toMatchObject({ lastSeen: 'node1/eth0', confidence: 'likely' });
  const capture = new TracedCapture(INTERFACES);
  const one = capture.connection([places[0] as never], [CLIENT, 40_000], service, [1000, 9000]);
  const other = capture.connection([places[1] as never], [CLIENT, 40_000], [WEB, 8080], [1000, 9000]);
  one.syn([1000], 5000).syn([2000], 6000);
  other.syn([1001], 5001).syn([2001], 6001);
  expect(tracesOf(capture).map(({ connect }) => connect?.lastSeen)).toEqual(['shop/client-1', 'node1/eth0']);
});

test('a SYN-ACK that does not come back was seen somewhere', () => {
  const { capture, connection } = connecting();
  connection.syn([1000, 1001, 1002], 5000).answer('SA', [undefined, 1004, 1003]);
  connection.syn([2000, 2001, 2002], 6000).answer('SA', [undefined, 2004, 2003]);
  const [one] = tracesOf(capture);
  expect(one?.connect).toMatchObject({
    outcome: 'answer not delivered',
    answerSeen: 'node1/eth0',
    lastSeen: 'shop/web-1',
  });
});

test('a reset names the place that saw it leave, and its time is split between the places', () => {
  const { capture, connection } = connecting();
  connection.syn([1000, 1001, 1003], 5000).answer('RA', [1010, 1008, 1005]);
  const [one] = tracesOf(capture);
  expect(one).toMatchObject({
    status: 'refused',
    total: 10e6,
    connect: { outcome: 'refused', syns: 1, answerSeen: 'shop/web-1' },
  });
  expect(one?.hops.filter(({ latency }) => latency > 0).map(brief)).toEqual([
    'shop/client-1 > node1/eth0 network 3',
    'node1/eth0 > shop/web-1 network 5',
    'shop/web-1 server 2',
  ]);
});

test('connections that come up, one SYN at the end, and one whose answer was not captured are not reported', () => {
  const { capture, connection } = connecting();
  connection.handshake(1000).send(0, get('/a'), [1010, 1011, 1012]).send(1, ok(), [1022, 1021, 1020]);
  const at = (port: number, initial: number) =>
    capture.connection(places, [CLIENT, port], service, [initial, initial + 100_000]);
  at(40_001, 10_000).syn([1500, 1501, 1502], 5000);
  at(40_002, 50_000).handshake(1600);
  // Only the client's packets are captured.
  const oneWay = at(40_003, 90_000).syn([1700, 1701, 1702], 7000).syn([2700, 2701, 2702], 8000);
  oneWay.send(0, get('/b'), [2800, 2801, 2802]);
  expect(tracesOf(capture).filter(({ connect }) => connect !== undefined)).toEqual([]);
});

test('a connection that fails while a request is open is likely an attempt of that request', () => {
  const capture = new TracedCapture(['ingress/edge-1/any']);
  const here = [{ interfaceId: 0 }];
  const outer = capture.connection(here, [CLIENT, 41_000], [EDGE, 80], [1000, 9000]).handshake(1000);
  outer.send(0, get('/cart'), [1010]);
  capture.connection(here, [EDGE, 50_000], [WEB, 8080], [77_000, 1]).syn([1011], 1).syn([2011], 2).syn([4011], 3);
  outer.send(1, 'HTTP/1.1 504 no\r\nContent-Length: 0\r\n\r\n', [6010]);
  const [one, ...others] = tracesOf(capture);
  expect(others).toEqual([]);
  expect(one?.hops.filter(({ latency }) => latency > 0)).toMatchObject([
    { kind: 'server', latency: 1e6 },
    {
      kind: 'attempt',
      from: 'ingress/edge-1',
      to: 'shop/web-1',
      label: 'connect',
      latency: 4999e6,
      confidence: 'likely',
    },
  ]);
});

/** A bridge floods the first SYN to another pod, whose interface has it before the server's. */
function flooded(capture: TracedCapture, at: number): void {
  const bystander = [{ interfaceId: 3, ttl: 62 }];
  capture.connection(bystander, [CLIENT, 40_000], [WEB, 8080], [1000, 9000]).syn([at], 5000);
}

test('a pod to which a bridge floods a SYN is not on its way', () => {
  const capture = new TracedCapture([...INTERFACES, 'shop/other-1/any']);
  const connection = capture.connection(places, [CLIENT, 40_000], service, [1000, 9000]);
  connection.syn([1000, 1001, undefined], 5000).syn([2000, 2001, undefined], 6000);
  flooded(capture, 1001.5);
  expect(tracesOf(capture).map(({ connect }) => connect?.lastSeen)).toEqual(['node1/eth0']);
});

test('a connection whose SYN was flooded to another pod first is one before and behind its Service', () => {
  const capture = new TracedCapture([...INTERFACES, 'shop/other-1/any']);
  const passed = [places[0], places[2]] as const;
  const connection = capture.connection(passed as never, [CLIENT, 40_000], service, [1000, 9000]);
  flooded(capture, 999.5);
  connection.handshake(1000).send(0, get('/a'), [1010, 1011]).send(1, ok(), [1020, 1019]);
  // Its packets have no direction, which shows what a bridge flooded where they are analysed on their nodes.
  const traces = localTracesOf(capture);
  expect(traces).toHaveLength(1);
  expect(traces[0]?.hops.filter(({ latency }) => latency > 0).map(brief)).toEqual([
    'shop/client-1 > shop/web-1 network 2',
    'shop/web-1 server 8',
  ]);
});
