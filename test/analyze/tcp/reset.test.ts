import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

const REQUEST = 'GET /cart HTTP/1.1\r\nHost: shop\r\n\r\n';
const RESPONSE = `HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n${'y'.repeat(900)}`;
const ASKED = 101 + REQUEST.length;

const piece = (from: number, to: number, at: number): BuiltSegment => ({
  side: 1,
  sequence: 201 + from,
  acknowledgment: ASKED,
  payload: RESPONSE.slice(from, to),
  at,
  flags: 'P.',
});
const LENGTH = RESPONSE.length;
const BEGIN: readonly BuiltSegment[] = [
  ...handshake([100, 200]),
  { side: 0, sequence: 101, acknowledgment: 201, payload: REQUEST, at: 10, flags: 'P.' },
];
const serverReset = (at: number): BuiltSegment => ({
  side: 1,
  sequence: 201 + LENGTH,
  acknowledgment: ASKED,
  at,
  flags: 'R.',
});
const clientReset = (at: number): BuiltSegment => ({
  side: 0,
  sequence: ASKED,
  acknowledgment: 201 + 700,
  at,
  flags: 'R.',
});
/** Another connection's packet, later. */
const LATER: BuiltSegment = { side: 0, sequence: 1, at: 1_000, flags: 'S', ports: [50_000, 80] };

const said = (segments: readonly BuiltSegment[]) =>
  analyseBytes(builtPcap([...BEGIN, ...segments])).events.map(({ event }) =>
    event.kind === 'exchange'
      ? `${event.status} ${event.incomplete ?? 'whole'} ${event.responseBytes}`
      : `${event.label} ${event.time / 1e6}`,
  );

const WHOLE = `200 whole ${LENGTH}`;

test.each<[what: string, segments: readonly BuiltSegment[]]>([
  ['all in order', [piece(0, LENGTH, 20), serverReset(21)]],
  ['a reset before all of the response', [serverReset(20), piece(0, LENGTH, 20.5)]],
  ['a reset before the end of the response', [piece(0, 500, 19), serverReset(20), piece(500, LENGTH, 20.5)]],
  [
    'a reset before what fills a hole',
    [piece(0, 300, 19), piece(600, LENGTH, 19.5), serverReset(20), piece(300, 600, 21)],
  ],
  [
    'a reset of the client before what fills a hole of the server',
    [piece(0, 300, 19), piece(600, LENGTH, 19.5), clientReset(20), piece(300, 600, 21)],
  ],
])('%s: the response is whole', (_what, segments) => {
  const events = said([...segments, LATER]);
  expect(events[0]).toBe(WHOLE);
  expect(events[1]).toMatch(/^connection reset (20|21)(\.\d+)?$/);
});

test('what comes later than packets overtake each other, or behind what was sent, is not of the response', () => {
  const late = said([piece(0, 500, 19), serverReset(20), LATER, piece(500, LENGTH, 1_001)]);
  expect(late[0]).not.toBe(WHOLE);
  const behind = said([piece(0, 300, 18), piece(600, 700, 19), clientReset(20), piece(700, LENGTH, 20.5), LATER]);
  expect(behind[0]).not.toBe(WHOLE);
});

test('a capture, or a new connection on the same ports, that ends the wait: the reset is told once', () => {
  const ends = [piece(0, 500, 19), serverReset(20)];
  const again: BuiltSegment = { side: 0, sequence: 9_000, at: 20.1, flags: 'S' };
  for (const segments of [ends, [...ends, again]]) {
    const events = said(segments);
    expect(events.filter((line) => line.startsWith('connection reset'))).toHaveLength(1);
    expect(events[0]).toMatch(/^200 reset /);
  }
});
