import { expect, test } from 'vitest';
import { type WaitState, Waits } from '../../../src/analyze/tcp/waits.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

const MS = 1e6;
const waits = (segments: readonly BuiltSegment[]) => analyseBytes(builtPcap(segments)).flows[0]?.waits;
const from = (side: 0 | 1, sequence: number, acknowledgment: number, at: number, payload = ''): BuiltSegment => ({
  side,
  sequence,
  acknowledgment,
  at,
  payload,
});
const OPEN = handshake([100, 200]);

test('a connection on which nothing waits has none', () => {
  expect(waits([...OPEN, from(0, 101, 201, 10, 'abc'), from(1, 201, 104, 11, 'def'), from(0, 104, 204, 12)])).toBe(
    undefined,
  );
});

test('a SYN-ACK that is repeated behind one byte of the client, and not behind none', () => {
  const synAck: BuiltSegment = { side: 1, sequence: 200, acknowledgment: 101, flags: 'S.', at: 1000 };
  expect(waits([...OPEN, from(0, 101, 201, 10, 'a'), synAck])).toMatchObject({ synAckAgain: true, portReused: false });
  expect(waits([...OPEN, synAck])?.synAckAgain ?? false).toBe(false);
});

test("a SYN that is answered by an old connection's ACK, which the client resets", () => {
  const syn: BuiltSegment = { side: 0, sequence: 100, flags: 'S', at: 0 };
  const reset = (sequence: number): BuiltSegment => ({ side: 0, sequence, flags: 'R', at: 2 });
  expect(waits([syn, from(1, 900, 7000, 1), reset(7000)])).toMatchObject({ portReused: true, synAckAgain: false });
  expect(waits([syn, from(1, 900, 7000, 1), reset(7001)])?.portReused ?? false).toBe(false);
  expect(waits([syn, from(1, 900, 101, 1), reset(101)])?.portReused ?? false).toBe(false);
});

test('waits for the retransmission timer: how many, how long, the longest, and what was never acknowledged', () => {
  const sent = [...OPEN, from(0, 101, 201, 10, 'abcd'), from(1, 201, 105, 11), from(0, 105, 201, 20, 'efghi')];
  const stuck = waits([...sent, from(0, 105, 201, 220, 'efghi'), from(0, 105, 201, 620, 'efghi')]);
  expect(stuck?.server).toBeUndefined();
  expect(stuck?.client).toEqual({
    stalls: 2,
    stalled: 600 * MS,
    longestStall: [220 * MS, 620 * MS],
    nagle: 0,
    windowClosed: 0,
    longestWindowClosed: 0,
    stuck: { bytes: 5, repeats: 2, first: 220 * MS, last: 620 * MS, othersArrive: false, acknowledged: 4 },
  });
  const taken = waits([...sent, from(0, 105, 201, 220, 'efghi'), from(1, 201, 110, 221)]);
  expect(taken?.client).toMatchObject({ stalls: 1, stalled: 200 * MS, stuck: undefined });
  // Sooner than any timer.
  expect(waits([...sent, from(0, 105, 201, 219, 'efghi')])?.client).toMatchObject({
    stalls: 0,
    longestStall: undefined,
  });
});

test('other packets arrive while one is stuck: the receiver acknowledges what came before it, again', () => {
  const segments = [...OPEN, from(1, 201, 101, 10, 'abcd'), from(1, 205, 101, 10.1, 'efgh'), from(0, 101, 201, 11)];
  const again = [from(1, 201, 101, 250, 'abcd'), from(1, 201, 101, 700, 'abcd')];
  expect(waits([...segments, ...again])?.server?.stuck).toMatchObject({ repeats: 2, acknowledged: 0 });
  expect(waits([...segments, ...again, from(0, 101, 201, 900)])?.server?.stuck).toMatchObject({ othersArrive: true });
});

test('a small segment that was sent as soon as a delayed ACK came', () => {
  const late = (ack: number, next: number, payload = 'second') =>
    waits([...OPEN, from(0, 101, 201, 10, 'first'), from(1, 201, 106, ack), from(0, 106, 201, next, payload)])?.client
      ?.nagle ?? 0;
  expect(late(50, 50.5)).toBe(1);
  expect([late(47, 47.5), late(61, 61.5), late(50, 52), late(50, 50.5, 'x'.repeat(1000))]).toEqual([0, 0, 0, 0]);
  expect(late(50, 50.5, 'x'.repeat(999))).toBe(1);
});

test('a silence that the other side survives, and those that it does not', () => {
  const spoken = (at: number) => [
    ...OPEN,
    from(0, 101, 201, 10, 'abcd'),
    from(1, 201, 105, 11),
    from(0, 105, 201, at, 'ef'),
  ];
  const answered = (at: number) => waits([...spoken(at), from(1, 201, 107, at + 1)]);
  expect(answered(61_000)).toMatchObject({ idleSurvived: 60_989 * MS, idleFailed: undefined });
  expect(answered(60_000)?.idleSurvived).toBeUndefined();
  const reset: BuiltSegment = { side: 1, sequence: 201, acknowledgment: 0, flags: 'R', at: 70_001 };
  const failed = { idle: 69_989 * MS, end: 70_000 * MS, by: 'client' };
  expect(waits([...spoken(70_000), reset])?.idleFailed).toEqual({ ...failed, how: 'reset' });
  const again = [from(0, 105, 201, 70_300, 'ef'), from(0, 105, 201, 70_900, 'ef')];
  expect(waits([...spoken(70_000), ...again])?.idleFailed).toEqual({ ...failed, how: 'no answer' });
  expect(waits([...spoken(70_000), ...again.slice(0, 1)])?.idleFailed).toBeUndefined();
  // Whoever ends an idle connection loses nothing.
  const ended = [
    ...OPEN,
    from(0, 101, 201, 10, 'abcd'),
    from(1, 201, 105, 11),
    { ...reset, acknowledgment: 105, flags: 'R.' },
  ];
  expect(waits(ended)?.idleFailed).toBeUndefined();
});

test('slots are used again', () => {
  const state: WaitState = {
    acknowledged: () => 0,
    heard: () => 0,
    duplicates: () => 0,
    initial: () => 0,
    wasReset: () => false,
  };
  const table = new Waits();
  table.nagle(3, 1);
  expect(table.has(3)).toBe(true);
  expect(table.facts(3, 0, state)).toMatchObject({ client: undefined, server: { nagle: 1, stalls: 0 } });
  expect(table.facts(3, 1, state)).toMatchObject({ client: { nagle: 1 }, server: undefined });
  table.forget(3);
  table.forget(4);
  expect([table.has(3), table.facts(3, 0, state)]).toEqual([false, {}]);
});

test('a FIN with a window of 0 opens no window, a RST ends the wait', () => {
  const sent = [...OPEN, from(0, 101, 201, 10, 'abc'), { ...from(1, 201, 104, 20), window: 0 }];
  const ended = (flags: string) => [
    ...sent,
    { ...from(1, 201, 104, 30), window: 0, flags },
    from(1, 202, 104, flags === 'R.' ? 90 : 50),
  ];
  expect(waits(ended('F.'))?.server).toMatchObject({ windowClosed: 30 * MS, longestWindowClosed: 30 * MS });
  expect(waits(ended('R.'))?.server).toMatchObject({ windowClosed: 10 * MS, longestWindowClosed: 10 * MS });
});

test('a window that opens, by the times of the capture, before it closed was closed for no time', () => {
  const segments = [...OPEN, from(0, 101, 201, 10, 'abc')];
  const zero = { ...from(1, 201, 104, 20), window: 0 };
  expect(waits([...segments, zero, from(1, 201, 104, 15), from(0, 104, 201, 30, 'd')])?.server).toBeUndefined();
  const again = { ...from(1, 201, 104, 15), window: 0 };
  expect(waits([...segments, zero, again, from(0, 104, 201, 30, 'd')])?.server).toBeUndefined();
});
