import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HELD_BYTES, HELD_NS, LIVE_HOLD_MS, OrderedLines } from '../../../src/run/analysis/ordered-lines.ts';
import { Random } from '../../support/random.ts';

function collected(live = false) {
  const written: string[] = [];
  return { written, ordered: new OrderedLines((text) => void written.push(text), live) };
}

test('lines come out by their times, those of one time as they came', () => {
  const { written, ordered } = collected();
  for (const [time, text] of [
    [5, 'e'],
    [1, 'a'],
    [3, 'c'],
    [1, 'b'],
    [4, 'd'],
  ] as const) {
    ordered.add(text, time, 5);
  }
  expect(written).toEqual([]);
  ordered.end();
  expect(written).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('any order comes out sorted', () => {
  const random = new Random(7);
  const { written, ordered } = collected();
  const times = Array.from({ length: 2000 }, () => random.below(1000));
  for (const time of times) ordered.add(String(time), time, 1000);
  ordered.end();
  expect(written).toEqual([...times].sort((a, b) => a - b).map(String));
});

test('a line is written once the packets are so much later', () => {
  const { written, ordered } = collected();
  ordered.add('first', 0, 0);
  ordered.add('second', HELD_NS, HELD_NS);
  expect(written).toEqual([]);
  ordered.add('third', HELD_NS + 1, HELD_NS + 1);
  expect(written).toEqual(['first']);
});

test('no more bytes are held than the limit, the earliest lines go first', () => {
  const { written, ordered } = collected();
  const long = 'x'.repeat(100_000);
  const count = Math.ceil(HELD_BYTES / long.length) + 10;
  for (let n = 0; n < count; n += 1) ordered.add(`${n} ${long}`, n, n);
  expect(written.length).toBeGreaterThan(5);
  expect(written.map((text) => Number.parseInt(text, 10))).toEqual(written.map((_, index) => index));
});

test('a line of a running capture is not held longer than the bound, also when nothing more comes', async () => {
  const { written, ordered } = collected(true);
  ordered.add('later', 2, 2);
  ordered.add('earlier', 1, 2);
  expect(written).toEqual([]);
  await sleep(3 * LIVE_HOLD_MS);
  expect(written).toEqual(['earlier', 'later']);
  // What comes afterwards is not held for ever either.
  ordered.add('again', 3, 3);
  await sleep(3 * LIVE_HOLD_MS);
  expect(written).toEqual(['earlier', 'later', 'again']);
  ordered.end();
});
