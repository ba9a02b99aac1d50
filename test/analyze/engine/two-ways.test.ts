// Requests come in by one interface and answers leave by another, as with two uplinks or several network cards of a node: no place
// has both directions of a connection.
import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type End, TracedCapture } from '../../support/traced-capture.ts';

const CLIENT: End = ['10.244.1.9', 40_000];
const WEB: End = ['10.244.2.6', 8080];
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** @param clocks of the two interfaces @param from the first packet captured: 0 with the handshake, 1 from the first request on */
function captured(clocks: readonly [string, string], from: 0 | 1 = 0): TracedCapture {
  const capture = new TracedCapture([`eth0/${clocks[0]}`, `eth1/${clocks[1]}`]);
  const connection = capture
    .connection(
      [
        { interfaceId: 0, onlySide: 0 },
        { interfaceId: 1, onlySide: 1 },
      ],
      CLIENT,
      WEB,
      [1000, 9000],
    )
    .handshake(1000, 0.1);
  if (from === 1) capture.frames.splice(0);
  for (let index = 0; index < 3; index += 1) {
    const time = 1010 + index * 20;
    connection.send(0, get(`/${index}`), [time, time]).send(1, OK, [time + 5, time + 5]);
  }
  connection.close(1100);
  return capture;
}

const latencies = (capture: TracedCapture) =>
  analyseBytes(capture.pcapng()).events.map(({ event }) =>
    event.kind === 'exchange' && event.responseEnd !== undefined
      ? `${event.label} ${(event.responseEnd - event.time) / 1e6}`
      : `${event.label} -`,
  );

test('exchanges have their times, and the connection its handshake, round trips and end', () => {
  const capture = captured(['one', 'one']);
  expect(latencies(capture)).toEqual(['GET /0 5', 'GET /1 5', 'GET /2 5']);
  const { flows, copies } = analyseBytes(capture.pcapng());
  expect(copies).toBe(0);
  expect(flows).toHaveLength(1);
  const tcp = flows[0]?.tcp;
  expect(tcp).toMatchObject({ state: 'closed', midstream: false, syns: 1 });
  expect(tcp?.handshakeRtt).toBeCloseTo(0.4e6, -3);
  expect([tcp?.client.lost, tcp?.server.lost]).toEqual([0, 0]);
  expect([tcp?.client.retransmissions, tcp?.server.retransmissions]).toEqual([0, 0]);
  // Answered by the response alone, so as long as the server took.
  expect(tcp?.rtt.server?.maximum).toBeCloseTo(5e6, -3);
  expect([flows[0]?.client.packets, flows[0]?.server.packets]).toEqual([6, 6]);
});

test('seen from its middle on, the first exchanges may lack their times, and none has a wrong one', () => {
  const known = latencies(captured(['one', 'one'], 1));
  expect(known.slice(2)).toEqual(['GET /2 5']);
  for (const [index, text] of known.entries()) expect([`GET /${index} 5`, `GET /${index} -`]).toContain(text);
});

test('where the interfaces have clocks of their own, no time between them is stated', () => {
  const capture = captured(['one', 'other']);
  expect(latencies(capture)).toEqual(['GET /0 -', 'GET /1 -', 'GET /2 -']);
  const { flows } = analyseBytes(capture.pcapng());
  expect([flows[0]?.tcp?.handshakeRtt, flows[0]?.tcp?.rtt.client, flows[0]?.tcp?.rtt.server]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  ['one', 'DNS A a.test 2'],
  ['other', 'DNS A a.test -'],
] as const)('a DNS query and its response, the second interface with the clock "%s"', (second, stated) => {
  const message = (flags: number) =>
    Buffer.from([0, 7, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 4, 116, 101, 115, 116, 0, 0, 1, 0, 1]);
  const capture = new TracedCapture(['eth0/one', `eth1/${second}`]);
  const ends = [CLIENT, ['10.96.0.10', 53]] as const;
  const [uplink, other] = [{ interfaceId: 0 }, { interfaceId: 1 }];
  capture.datagram([uplink, other], ends, 0, message(1), [1000, undefined]);
  capture.datagram([uplink, other], ends, 1, message(0x81), [undefined, 1002]);
  expect(latencies(capture).map((text) => `DNS ${text}`)).toEqual([stated]);
});
