// Segmentation offload: the sender's place shows one large segment, the receiver's many, or merged ones. Bytes are compared, not packets.
import { expect, test } from 'vitest';
import { TracedCapture } from '../../support/traced-capture.ts';
import { brief, CLIENT, get, sum, tracesOf, WEB } from './traces.ts';

const MSS = 1448;
const BODY = 'x'.repeat(10 * MSS);
const RESPONSE = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);

/** A response that leaves the server as one segment and comes to the client in pieces. @param lost this piece, which is resent */
function offloaded(pieceBytes: number, lost = -1): TracedCapture {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const places = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 62, ahead: 300 },
  ];
  const connection = capture
    .connection(places, [CLIENT, 40_000], [WEB, 8080], [1000, 9000])
    .handshake(1000)
    .send(0, get('/cart'), [1010, 1011])
    .send(1, RESPONSE, [undefined, 1020]);
  for (let from = 0, index = 0; from < RESPONSE.length; from += pieceBytes, index += 1) {
    const piece = RESPONSE.subarray(from, from + pieceBytes);
    const back = RESPONSE.length - from;
    if (index !== lost) connection.resend(1, back, piece, [1021 + index / 10, undefined]);
    else connection.resend(1, back, piece, [1221, 1220]);
  }
  return capture;
}

test.each([
  ['in segments of the MSS', MSS],
  ['merged by the receiver', 4 * MSS],
])('a response that comes %s is one response, and nothing of it is called lost', (_, bytes) => {
  const [one, ...others] = tracesOf(offloaded(bytes));
  expect(others).toEqual([]);
  expect(one?.hops.flatMap(({ lost }) => lost)).toEqual([]);
  expect(sum(one?.hops ?? [])).toBe(one?.total);
  expect(one?.hops.slice(1, 3).map(brief)).toEqual(['shop/client-1 > shop/web-1 network 2', 'shop/web-1 server 9']);
});

test('a segment of it that gets lost is found, although the server sent it within a larger one', () => {
  const [one] = tracesOf(offloaded(MSS, 3));
  expect(one?.hops.find(({ kind }) => kind === 'network')?.lost).toEqual([{ count: 1, of: 'response', after: 200e6 }]);
  expect(one?.total).toBe(211e6);
});
