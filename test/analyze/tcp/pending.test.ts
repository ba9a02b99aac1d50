import { expect, test } from 'vitest';
import { PENDING_TOTAL_BYTES } from '../../../src/analyze/limits.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap } from '../../support/built-capture.ts';

const REQUEST = 'GET /a HTTP/1.1\r\nHost: shop\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const PIPELINED = 1000;
/** So many connections of so many requests that wait take more than all may: a request takes 1 KiB at least. */
const CONNECTIONS = Math.ceil(PENDING_TOTAL_BYTES / (PIPELINED * 1024)) + 10;

/** A connection with its handshake, `count` requests at once, and what follows. */
function pipelined(port: number, at: number, count: number, ...rest: readonly Partial<BuiltSegment>[]): BuiltSegment[] {
  const sent = 1 + count * REQUEST.length;
  const common = { ports: [port, 80], at } as const;
  return [
    { side: 0, sequence: 0, flags: 'S', ...common },
    { side: 1, sequence: 0, acknowledgment: 1, flags: 'S.', ...common },
    { side: 0, sequence: 1, acknowledgment: 1, payload: REQUEST.repeat(count), ...common },
    ...rest.map((segment): BuiltSegment => ({ side: 1, sequence: 1, acknowledgment: sent, ...common, ...segment })),
  ];
}

/** How often exchanges ended in which way. */
function ends(segments: readonly BuiltSegment[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { event } of analyseBytes(builtPcap(segments), false).events) {
    if (event.kind !== 'exchange') continue;
    const end = event.incomplete ?? event.status ?? '';
    counts[end] = (counts[end] ?? 0) + 1;
  }
  return counts;
}

const many = (rest: readonly Partial<BuiltSegment>[]) =>
  Array.from({ length: CONNECTIONS }, (_, index) => pipelined(10_000 + index, index, PIPELINED, ...rest)).flat();

test('requests that wait on all connections together are bounded: past the bound a connection gives up its oldest', () => {
  const counts = ends(many([]));
  const { unknown = 0 } = counts;
  expect(counts).toEqual({ unknown, 'capture ended': CONNECTIONS * PIPELINED - unknown });
  const bytes = 1024 + REQUEST.length;
  const waiting = CONNECTIONS * PIPELINED - unknown;
  expect((waiting - CONNECTIONS) * bytes).toBeLessThanOrEqual(PENDING_TOTAL_BYTES);
  // Of a connection that gave one up, none of those behind it is certain.
  expect((waiting + PIPELINED) * bytes).toBeGreaterThan(PENDING_TOTAL_BYTES);
});

test('with the bound reached, requests that wait behind none get their answers', () => {
  const counts = ends([
    ...many([]),
    ...pipelined(9_000, CONNECTIONS, 1, { payload: ANSWER }),
    ...pipelined(9_001, CONNECTIONS, 1, { payload: ANSWER }),
  ]);
  expect(counts['200']).toBe(2);
});

test.each<[how: string, rest: readonly Partial<BuiltSegment>[], end: string]>([
  ['answered', [{ payload: ANSWER.repeat(PIPELINED) }], '200'],
  ['reset', [{ flags: 'R.' }], 'reset'],
  [
    'gone over to another protocol',
    [
      { payload: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n' },
      { flags: 'R.', sequence: 1 + 78 },
    ],
    '101',
  ],
])('requests that are %s take nothing of the bound any more', (_, rest, end) => {
  const counts = ends([...many(rest), ...pipelined(9_000, CONNECTIONS, 3, { payload: ANSWER.repeat(3) })]);
  expect(counts.unknown).toBeUndefined();
  expect(counts[end]).toBeGreaterThanOrEqual(CONNECTIONS);
  expect(counts['200']).toBe(end === '200' ? CONNECTIONS * PIPELINED + 3 : 3);
});
