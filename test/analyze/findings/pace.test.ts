import { expect, test } from 'vitest';
import { type BuiltSegment, handshake } from '../../support/built-capture.ts';
import { codesOf, foundIn } from '../../support/found-in.ts';

/** Small segments, each sent 0.5 ms after the ACK of the one before; the first one shows the round trip. */
function writes(count: number, ackMs: number, isAnswer = false, firstAckMs = 1): BuiltSegment[] {
  const segments = handshake([100, 200]);
  let at = 5;
  let answered = 201;
  for (let index = 0; index <= count; index += 1) {
    const sequence = 101 + index * 50;
    segments.push({ side: 0, sequence, acknowledgment: answered, flags: 'P.', payload: 'x'.repeat(50), at });
    at += index === 0 ? firstAckMs : ackMs;
    const payload = isAnswer ? 'y' : '';
    segments.push({ side: 1, sequence: answered, acknowledgment: sequence + 50, payload, at });
    answered += payload.length;
    at += 0.5;
  }
  return segments;
}

test('small segments that wait for delayed ACKs are said from twenty on', () => {
  const [found] = foundIn(writes(22, 40));
  expect(found).toMatchObject({ code: 'NAGLE_DELAYED_ACK', severity: 'warning', subject: '10.0.0.1' });
  expect(codesOf(foundIn(writes(19, 40)))).toEqual([]);
});

test('a response that takes 40 ms, and another time than that of delayed ACKs, are not', () => {
  expect(codesOf(foundIn(writes(40, 40, true)))).toEqual([]);
  expect(codesOf(foundIn(writes(40, 20)))).toEqual([]);
});

test('where the round trip is long, ACKs may be late because of it', () => {
  expect(codesOf(foundIn(writes(40, 40, false, 12)))).toEqual([]);
  expect(codesOf(foundIn(writes(40, 40, false, 8)))).toEqual(['NAGLE_DELAYED_ACK']);
});

const SEGMENT = 1000;

/** The server sends `count` segments of 1,000 bytes in bursts. @param rttMs by number of the burst */
function transfer(count: number, burst: number, window: number, rttMs: (burst: number) => number): BuiltSegment[] {
  const segments: BuiltSegment[] = handshake([100, 200]).map((segment) => ({ ...segment, window }));
  let at = 5;
  for (let index = 0; index < count; index += 1) {
    const sequence = 201 + index * SEGMENT;
    segments.push({ side: 1, sequence, acknowledgment: 101, payload: 'x'.repeat(SEGMENT), at, window });
    at += 0.01;
    if (index % burst !== burst - 1) continue;
    at += rttMs(index / burst);
    segments.push({ side: 0, sequence: 101, acknowledgment: sequence + SEGMENT, at, window });
    at += 0.01;
  }
  return segments;
}

test('a transfer that always fills the window is limited by it', () => {
  const [found] = foundIn(transfer(1100, 2, 2 * SEGMENT, () => 5));
  expect(found).toMatchObject({ code: 'WINDOW_LIMITED', severity: 'information', confidence: 'likely' });
  expect(codesOf(foundIn(transfer(1100, 2, 3 * SEGMENT, () => 5)))).toEqual([]);
  expect(codesOf(foundIn(transfer(900, 2, 2 * SEGMENT, () => 5)))).toEqual([]);
  // Of eleven packets one fills it.
  expect(codesOf(foundIn(transfer(1100, 10, 10 * SEGMENT, () => 5)))).toEqual([]);
});

test('round trips that grow during a transfer show a queue, long ones alone do not', () => {
  const from = (shortest: number, long: number) => (burst: number) => (burst < 20 ? shortest : long);
  const grown = from(4, 100);
  expect(codesOf(foundIn(transfer(1100, 4, 60_000, grown)))).toEqual(['BUFFERBLOAT']);
  expect(codesOf(foundIn(transfer(1100, 4, 60_000, () => 100)))).toEqual([]);
  expect(codesOf(foundIn(transfer(900, 4, 60_000, grown)))).toEqual([]);
  expect(codesOf(foundIn(transfer(1100, 4, 60_000, from(1, 35))))).toEqual([]);
  expect(codesOf(foundIn(transfer(1100, 4, 60_000, from(12, 100))))).toEqual([]);
  expect(codesOf(foundIn(transfer(1100, 18, 60_000, grown)))).toEqual([]);
});
