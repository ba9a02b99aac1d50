import { expect, test } from 'vitest';
import type { Call } from '../../../src/analyze/trace/call.ts';
import { ServedCalls } from '../../../src/analyze/trace/served-calls.ts';
import { Random } from '../../support/random.ts';

test('every call that was open at a time is found, once, and after it was removed it is not', () => {
  const random = new Random(5);
  const served = new ServedCalls();
  const all = Array.from({ length: 2000 }, (_, index) => {
    const start = random.below(60_000) * 1e6;
    // From less than a millisecond to minutes.
    const end = start + random.below(10 ** (3 + random.below(9)));
    return { call: { index } as unknown as Call, start, end };
  });
  for (const { call, start, end } of all) served.add(call, start, end);
  const check = (left: typeof all) => {
    for (let round = 0; round < 300; round += 1) {
      const time = random.below(70_000) * 1e6;
      const found = [...served.around(time)];
      expect(new Set(found).size).toBe(found.length);
      const open = left.filter(({ start, end }) => start <= time && time <= end);
      for (const { call } of open) expect(found).toContain(call);
    }
  };
  check(all);
  for (const { call, start, end } of all.slice(1000)) served.remove(call, start, end);
  check(all.slice(0, 1000));
  for (const { call } of all.slice(1000)) expect([...served.around(all[1000]?.start ?? 0)]).not.toContain(call);
  for (const { call, start, end } of all) served.remove(call, start, end);
  expect(served.isEmpty).toBe(true);
});

test('of many short calls few are looked at', () => {
  const served = new ServedCalls();
  for (let index = 0; index < 50_000; index += 1) {
    served.add({ index } as unknown as Call, index * 1e5, index * 1e5 + 5e5);
  }
  expect([...served.around(2e9)].length).toBeLessThan(50);
});
