import { expect, test } from 'vitest';
import { RecentMap } from '../../src/analyze/recent-map.ts';
import { Random } from '../support/random.ts';

test('the key that was added first goes, and one that is set again keeps its age', () => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  expect([map.get('a'), map.get('b'), map.size]).toEqual([3, 2, 2]);
  map.set('c', 4);
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([undefined, 2, 4, 2]);
});

test('a key that is deleted and added again is the newest', () => {
  const map = new RecentMap<string, number>(2);
  for (const key of ['a', 'b', 'c']) map.set(key, 0);
  expect([map.delete('b'), map.delete('b')]).toEqual([true, false]);
  map.set('b', 1);
  map.set('d', 2);
  expect(['b', 'c', 'd'].map((key) => map.get(key))).toEqual([1, undefined, 2]);
});

test('however keys come and go, the oldest of too many are forgotten', () => {
  const random = new Random(3);
  const map = new RecentMap<number, number>(50);
  const plain = new Map<number, number>();
  for (let step = 0; step < 20_000; step += 1) {
    const key = random.below(120);
    if (random.below(10) === 0) {
      expect(map.delete(key)).toBe(plain.delete(key));
      continue;
    }
    map.set(key, step);
    plain.set(key, step);
    const [oldest] = plain.keys();
    if (plain.size > 50 && oldest !== undefined) plain.delete(oldest);
    const asked = random.below(120);
    expect([map.size, map.get(asked)]).toEqual([plain.size, plain.get(asked)]);
  }
});

test('what is taken is what was added first, also after all was taken', () => {
  const map = new RecentMap<string, number>();
  expect(map.takeOldest()).toBeUndefined();
  map.set('a', 1);
  map.set('b', 2);
  map.set('c', 3);
  expect(map.takeOldest()).toEqual(['a', 1]);
  expect(map.delete('b')).toBe(true);
  map.set('a', 4);
  expect([map.takeOldest(), map.takeOldest(), map.takeOldest(), map.size]).toEqual([['c', 3], ['a', 4], undefined, 0]);
  map.set('d', 5);
  expect([map.takeOldest(), map.takeOldest()]).toEqual([['d', 5], undefined]);
});
