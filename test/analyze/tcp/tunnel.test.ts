import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

const CONNECT = 'CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n';
const GET = 'GET /cart HTTP/1.1\r\nHost: shop\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const REFUSED = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n';
const OPENED = 'HTTP/1.1 200 Connection established\r\n\r\n';
const PING = '*1\r\n$4\r\nPING\r\n';

/** Words of both sides in turn, each cut into portions of at most so many bytes. */
function analysed(words: readonly (readonly [side: 0 | 1, text: string])[], portion: number) {
  const next = [101, 201];
  let at = 3;
  const segments: BuiltSegment[] = [];
  for (const [side, text] of words) {
    for (let from = 0; from < text.length; from += portion) {
      const payload = text.slice(from, from + portion);
      segments.push({ side, sequence: next[side] as number, acknowledgment: next[1 - side] as number, payload, at });
      next[side] = (next[side] as number) + payload.length;
      at += 1;
    }
  }
  const { events, flows } = analyseBytes(builtPcap([...handshake([100, 200]), ...segments]));
  return [...events.map(({ event }) => `${event.protocol} ${event.label}`), flows[0]?.protocol];
}

test.each([1, 7, 1000])(
  'what is said in a tunnel of CONNECT is recognised anew, in segments of %i bytes',
  (portion) => {
    const opened = [
      [0, CONNECT],
      [1, OPENED],
    ] as const;
    expect(analysed([...opened, [0, GET], [1, OK]], portion)).toEqual([
      'http CONNECT shop:80',
      'http GET /cart',
      'http',
    ]);
    expect(analysed([...opened, [0, PING], [1, '+PONG\r\n']], portion)).toEqual([
      'http CONNECT shop:80',
      'redis PING',
      'redis',
    ]);
    // A tunnel in a tunnel; the second answer comes with the first words within.
    expect(analysed([...opened, [0, CONNECT], [1, OPENED], [0, GET], [1, OK]], portion)).toHaveLength(4);
  },
);

test('a tunnel that was refused is none', () => {
  const words = [
    [0, CONNECT],
    [1, REFUSED],
    [0, GET],
    [1, OK],
  ] as const;
  expect(analysed(words, 1000)).toEqual(['http CONNECT shop:80', 'http GET /cart', 'http']);
});
