import { expect, it } from 'vitest';
import { Groups } from '../../../src/analyze/summary/groups.ts';
import { Random } from '../../support/random.ts';

class Count {
  count = 0;

  merge(other: Count): void {
    this.count += other.count;
  }
}

const MAXIMUM = 64;
const OTHER = { name: 'other' };

function groups() {
  return new Groups<{ readonly name: string }, Count>(() => new Count(), { maximum: MAXIMUM, other: OTHER });
}

/** Names of which few are frequent: in a thousand draws of `n1` there is one of `n1000`. */
function names(seed: number, count: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => `n${Math.floor(1000 ** (random.below(1e6) / 1e6))}`);
}

function counted(list: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of list) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Every count is a lower bound, with what was missed an upper one; what is not there was no more frequent than the floor. */
function expectTrue(found: ReturnType<typeof groups>, list: readonly string[]): void {
  const truth = counted(list);
  let sum = 0;
  for (const { head, row, missed } of found.values()) {
    sum += row.count;
    if (head.name === OTHER.name) continue;
    const count = truth.get(head.name) ?? 0;
    expect(row.count).toBeLessThanOrEqual(count);
    expect(row.count + missed).toBeGreaterThanOrEqual(count);
    truth.delete(head.name);
  }
  for (const count of truth.values()) expect(count).toBeLessThanOrEqual(found.floor);
  expect(sum).toBe(list.length);
}

function filled(list: readonly string[]): ReturnType<typeof groups> {
  const found = groups();
  for (const name of list) found.row({ name }).count += 1;
  return found;
}

function merged(parts: readonly ReturnType<typeof groups>[]): ReturnType<typeof groups> {
  const sum = groups();
  for (const part of parts) {
    const rows = Array.from(part.values(), ({ head, row, missed }) => ({
      head,
      missed,
      addTo: (own: Count) => own.merge(row),
    }));
    sum.take(rows, part.floor);
  }
  return sum;
}

it.each([1, 2, 3, 4])('keeps the most frequent keys and says how much it may have missed of each (seed %i)', (seed) => {
  const list = names(seed, 20_000);
  const found = filled(list);
  expectTrue(found, list);
  expect([...found.values()].length).toBeLessThanOrEqual(MAXIMUM + 1);
  expect(found.floor).toBeGreaterThan(0);
  const [first, second] = [...counted(list)].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const kept = found
    .sorted()
    .map(({ head: { name } }) => name)
    .filter((name) => name !== OTHER.name);
  expect(kept.slice(0, 2).sort()).toEqual([first, second].sort());
  // A frequent key that comes late has a row nevertheless.
  const late = [...list, ...Array.from({ length: 5000 }, () => 'late')];
  const after = filled(late);
  expectTrue(after, late);
  expect([...after.values()].some(({ head, row }) => head.name === 'late' && row.count === 5000)).toBe(true);
});

it.each([5, 6, 7])('holds for sums of parts that reached their bounds, too (seed %i)', (seed) => {
  const list = names(seed, 20_000);
  const parts = Array.from({ length: 5 }, (_, part) => list.filter((__, index) => index % 5 === part));
  const sum = merged(parts.map(filled));
  expectTrue(sum, list);
  expectTrue(merged([merged(parts.slice(0, 2).map(filled)), merged(parts.slice(2).map(filled))]), list);
});

it('misses nothing below its bound', () => {
  const list = names(9, 500).filter((name) => Number(name.slice(1)) < MAXIMUM);
  const found = filled(list);
  expect(found.floor).toBe(0);
  for (const { head, row, missed } of found.values()) {
    expect([row.count, missed]).toEqual([counted(list).get(head.name), 0]);
  }
});

it('takes back from the row of all others what made room', () => {
  const found = filled(Array.from({ length: MAXIMUM + 1 }, (_, index) => `n${index}`));
  const gone = ['n0', 'n1', 'n10'].find((name) => ![...found.values()].some(({ head }) => head.name === name)) ?? '';
  expect(gone).not.toBe('');
  const total = () => [...found.values()].reduce((sum, { row }) => sum + row.count, 0);
  const before = total();
  const one = (by: number) => (own: Count) => {
    own.count += by;
  };
  found.take([{ head: { name: gone }, missed: 0, takesBack: true, addTo: one(-1) }], 0);
  expect(total()).toBe(before - 1);
  expect([...found.values()].every(({ row }) => row.count >= 0)).toBe(true);
});
