// Streams of ended connections are used again: each for one connection at a time.
import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type End, TracedCapture } from '../../support/traced-capture.ts';

const CLIENT = '10.244.1.9';
const SERVER: End = ['10.244.2.6', 8080];
const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

test('after a connection whose response came first to the place that does not count, two at once are told apart', () => {
  const capture = new TracedCapture(['shop/client-1/any', 'node1/any']);
  const places = [{ interfaceId: 0 }, { interfaceId: 1 }];
  capture
    .connection(places, [CLIENT, 40_000], SERVER, [1000, 9000])
    .handshake(0)
    .send(0, GET, [1, 1.1])
    .send(1, OK, [5, 4.9])
    .close(6);
  const first = capture.connection(places, [CLIENT, 40_001], SERVER, [2000, 8000]).handshake(20);
  const second = capture.connection(places, [CLIENT, 40_002], SERVER, [3000, 7000]).handshake(20.01);
  first.send(0, GET, [22, 22.1]);
  second.send(0, GET, [23, 23.1]).send(1, OK, [24, 23.9]);
  first.send(1, OK, [25, 24.9]);
  const { events } = analyseBytes(capture.pcapng());
  const exchanges = events.map(({ event, client }) => ({ client, ...event }));
  expect(exchanges).toMatchObject([
    { client: `${CLIENT}:40000`, label: 'GET /', responseTime: 5e6 },
    { client: `${CLIENT}:40002`, label: 'GET /', responseTime: 24e6 },
    { client: `${CLIENT}:40001`, label: 'GET /', responseTime: 25e6 },
  ]);
});
