// A place of capture that only one direction of a connection passes, such as a node's bridge with bridge netfilter: requests come there
// behind a Service's DNAT, and answers with the Service's address again. Another place counts then, that both directions pass.
import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type End, type Passed, TracedCapture } from '../../support/traced-capture.ts';
import { impossibleTimes } from '../possible-times.ts';

const CLIENT: End = ['10.244.1.9', 40_000];
const SERVICE: End = ['10.96.0.7', 80];
const WEB: End = ['10.244.2.6', 8080];
/** The part behind the slash names the clock (packet-blocks.ts). */
const INTERFACES = ['veth/one', 'cni0/one', 'eth0/one', 'web-1/other'];
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** From the client to the pod: its interface on the node, the bridge, the node's interface, the pod's. */
function places(ahead: readonly [number, number]): Passed[] {
  return [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 63, server: WEB, onlySide: 0 },
    { interfaceId: 1, ttl: 63, onlySide: 1 },
    { interfaceId: 2, ttl: 63, server: WEB, ahead: ahead[0] },
    { interfaceId: 3, ttl: 62, server: WEB, ahead: ahead[1] },
  ];
}

/** @param from the first packet that is captured: 0 with the handshake, 1 from the first request on */
function captured(ahead: readonly [number, number], from: 0 | 1 = 0): TracedCapture {
  const capture = new TracedCapture(INTERFACES);
  const connection = capture.connection(places(ahead), CLIENT, SERVICE, [1000, 9000]).handshake(1000, 0.01);
  if (from === 1) capture.frames.splice(0);
  // One place after the other, 0.01 ms apart.
  const passing = (side: 0 | 1, at: number) =>
    [0, 1, 2, 3, 4].map((place) => at + (side === 0 ? place : 4 - place) * 0.01);
  for (let index = 0; index < 3; index += 1) {
    const time = 1010 + index * 20;
    connection.send(0, get(`/${index}`), passing(0, time));
    connection.send(1, OK, passing(1, time + 5));
    connection.send(0, '', passing(0, time + 6));
  }
  return capture;
}

const exchangesOf = (capture: TracedCapture) =>
  analyseBytes(capture.pcapng()).events.flatMap(({ event, server }) =>
    event.kind !== 'exchange' || server !== WEB.join(':')
      ? []
      : [
          `${event.label} ${event.responseEnd === undefined ? '-' : ((event.responseEnd - event.time) / 1e6).toFixed(2)}`,
        ],
  );

test.each([
  { ahead: [0, 0], latency: '4.98' },
  { ahead: [0, 300], latency: '4.98' },
  { ahead: [0, -0.02], latency: '4.98' },
  // The pod's place has the SYN first.
  { ahead: [0, -0.1], latency: '4.96' },
] as const)(
  'responses have the times of a place that both directions pass, clocks $ahead ms ahead',
  ({ ahead, latency }) => {
    expect(exchangesOf(captured(ahead))).toEqual([0, 1, 2].map((index) => `GET /${index} ${latency}`));
  },
);

test('the connection is counted once, at that place, and the bridge is one of the others', () => {
  const { flows, copies } = analyseBytes(captured([0, 0]).pcapng());
  const toPod = flows.find(({ serverPort }) => serverPort === 8080);
  expect([toPod?.client.packets, toPod?.server.packets]).toEqual([8, 4]);
  expect(
    toPod?.sightings?.map(({ interfaceId, client, server }) => [interfaceId, client.packets, server.packets]),
  ).toEqual([
    [1, 8, 0],
    [3, 8, 4],
  ]);
  // Of the client's 8 packets three places saw the same, of the server's 4 two, and two those that have the Service's address.
  expect(copies).toBe(8 * 2 + 4 + 4);
  expect(toPod?.tcp?.handshakeRtt).toBeCloseTo(0.1e6, -3);
  expect(toPod?.tcp).toMatchObject({ state: 'open', midstream: false, syns: 1 });
  expect([toPod?.tcp?.client.retransmissions, toPod?.tcp?.server.retransmissions]).toEqual([0, 0]);
});

test('a connection that is seen from its middle on: responses have times once the bytes at hand are of one clock', () => {
  expect(exchangesOf(captured([0, 0], 1))).toEqual(['GET /0 -', 'GET /1 -', 'GET /2 4.98']);
});

test('a place that has not brought yet what has counted does not count: what it brings later is no retransmission', () => {
  const capture = captured([25, 25], 1);
  expect(exchangesOf(capture).map((text) => text.split(' ')[1])).toEqual(['/0', '/1', '/2']);
  const { flows } = analyseBytes(capture.pcapng());
  expect(flows.map(({ tcp }) => [tcp?.client.retransmissions, tcp?.server.retransmissions])).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

test('a leg that only requests pass is not the one that counts, also where its handshake is complete first', () => {
  const masqueraded: End = ['192.168.0.1', 61_000];
  const passed: Passed[] = [
    { interfaceId: 1, ttl: 63, server: WEB, onlySide: 0 },
    { interfaceId: 2, ttl: 63, client: masqueraded, server: WEB, ahead: 100 },
  ];
  const capture = new TracedCapture(INTERFACES);
  capture
    .connection(passed, CLIENT, SERVICE, [1000, 9000])
    .handshake(1000, 0.01)
    .send(0, get('/0'), [1010, 1010.01])
    .send(1, OK, [1015.01, 1015]);
  const { flows, events } = analyseBytes(capture.pcapng());
  const [half, whole] = flows;
  expect([half?.server.packets, half?.sameAs?.id, whole?.sameAs]).toEqual([0, whole?.id, undefined]);
  expect(events.filter(({ flow }) => flow === whole?.id).map(({ event }) => event.label)).toEqual(['GET /0']);
});

test('whatever packets in a row are missing, no time is impossible, and one that is not known is absent', () => {
  const { length } = captured([0, 0]).frames;
  for (let from = 0; from < length; from += 1) {
    for (let count = 1; count <= 12; count += 1) {
      const capture = captured([0, 0]);
      capture.frames.splice(from, count);
      expect(impossibleTimes(analyseBytes(capture.pcapng())), `without ${count} from ${from}`).toEqual([]);
    }
  }
});
