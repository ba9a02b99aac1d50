import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap } from '../../support/built-capture.ts';

const get = (name: string) => `GET /${name} HTTP/1.1\r\nHost: shop\r\n\r\n`;
const answer = (code: number) => `HTTP/1.1 ${code} Made\r\nContent-Length: 2\r\n\r\nok`;
const REQUEST = get('a').length;
const ANSWER = answer(200).length;

type Packet = readonly [side: 0 | 1, sequence: number, acknowledgment: number, payload?: string, flags?: string];

const HANDSHAKE: readonly Packet[] = [
  [0, 0, 0, '', 'S'],
  [1, 0, 1, '', 'S.'],
  [0, 1, 1],
];

/** `GET /b 201 unknown` for each exchange of the packets, one every µs. */
function stated(...packets: readonly Packet[]): string[] {
  const segments = packets.map(
    ([side, sequence, acknowledgment, payload = '', flags = '.'], index): BuiltSegment => ({
      side,
      sequence,
      acknowledgment,
      payload,
      flags,
      ports: [40_000, 80],
      at: index / 1_000,
    }),
  );
  return analyseBytes(builtPcap(segments)).events.flatMap(({ event }) =>
    event.kind === 'exchange' ? [`${event.label} ${event.status} ${event.incomplete ?? ''}`.trim()] : [],
  );
}

const q = (count: number) => 1 + count * REQUEST;
const a = (count: number) => 1 + count * ANSWER;

test('a request that is sent again after its answer, and both were not captured, does not get the answer to the next one', () => {
  const seen = stated(
    ...HANDSHAKE,
    [0, q(0), a(0), get('a')],
    [1, a(0), q(1), answer(200)],
    // GET /b and its answer 201 were not captured.
    [0, q(2), a(2), get('c')],
    [0, q(1), a(2), get('b')],
    [1, a(2), q(3), answer(202)],
  );
  expect(seen).toContain('GET /a 200');
  expect(seen.filter((line) => line.includes('/b')).join()).not.toContain('202');
  expect(seen.filter((line) => line.includes('202')).join()).toMatch(/^GET \/c 202$|unknown/);
});

test('a request that is sent again comes before its answer, although it acknowledges that', () => {
  const seen = stated(
    ...HANDSHAKE,
    [0, q(0), a(0), get('a')],
    [1, a(0), q(1), answer(200)],
    [1, a(1), q(2), answer(201)],
    [0, q(2), a(2)],
    [0, q(1), a(2), get('b')],
    [0, q(2), a(2), get('c')],
    [1, a(2), q(3), answer(202)],
  );
  expect(seen).not.toContain('GET /b 202');
  expect(seen).not.toContain('GET /c 201');
});
