import { expect, test } from 'vitest';
import { CAPTURES_COUNTED } from '../../../src/agent/limits.ts';
import { CapturedCounts } from '../../../src/agent/session/captured-counts.ts';

const uid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

test('the sessions of a Capture are added up, those that run and those that have ended', () => {
  const counts = new CapturedCounts();
  let packets = 1;
  const first = counts.begin(uid(1), () => ({ packets, bytes: 10 * packets }));
  const second = counts.begin(uid(1), () => ({ packets: 5, bytes: 50 }));
  counts.begin(uid(2), () => ({ packets: 7, bytes: 70 }));
  packets = 3;
  const of = (number: number) => counts.list().find(({ capture }) => capture === uid(number));
  expect(of(1)).toEqual({ capture: uid(1), packets: 8, bytes: 80, runs: true });
  first();
  packets = 100;
  first();
  expect(of(1)).toEqual({ capture: uid(1), packets: 8, bytes: 80, runs: true });
  second();
  expect(of(1)).toEqual({ capture: uid(1), packets: 8, bytes: 80, runs: false });
  expect(of(2)).toEqual({ capture: uid(2), packets: 7, bytes: 70, runs: true });
});

test('the oldest that have ended are forgotten, and none that runs', () => {
  const counts = new CapturedCounts();
  const amount = () => ({ packets: 1, bytes: 1 });
  counts.begin(uid(0), amount);
  for (let number = 1; number <= CAPTURES_COUNTED + 5; number += 1) counts.begin(uid(number), amount)();
  const known = counts.list().map(({ capture }) => capture);
  expect(known).toHaveLength(CAPTURES_COUNTED);
  expect(known).toContain(uid(0));
  expect(known).not.toContain(uid(1));
  expect(known).toContain(uid(CAPTURES_COUNTED + 5));
});
