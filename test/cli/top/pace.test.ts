import { expect, test } from 'vitest';
import { Pace } from '../../../src/cli/top/pace.ts';

/** A clock on which only waiting takes time. @param slept is told the time after each wait */
function madeClock(slept: (now: number) => void = () => {}) {
  let time = 5_000;
  return {
    now: () => time,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
    sleep: async (milliseconds: number) => {
      time += milliseconds;
      slept(time);
    },
  };
}

const { signal } = new AbortController();

test('what is before the beginning passes at once, what is later when its time has come', async () => {
  const clock = madeClock();
  const pace = new Pace(1e9, () => false, clock);
  await pace.until(0.9e9, signal);
  expect(clock.now()).toBe(5_000);
  await pace.until(1.3e9, signal);
  expect(clock.now()).toBe(5_300);
  await pace.until(1.2e9, signal);
  expect(clock.now()).toBe(5_300);
});

test('time runs from the last packet before the beginning', async () => {
  const clock = madeClock();
  const pace = new Pace(1e9, () => false, clock);
  clock.pass(1_000);
  await pace.until(0.9e9, signal);
  await pace.until(1.3e9, signal);
  expect(clock.now()).toBe(6_300);
});

test('while time stands still nothing passes, and none of it is made up for', async () => {
  let holds = true;
  const clock = madeClock((now) => {
    if (now >= 5_400) holds = false;
  });
  const pace = new Pace(0, () => holds, clock);
  await pace.until(0.2e9, signal);
  expect(clock.now()).toBe(5_600);
});

test('what has come while time stands still waits until it goes on', async () => {
  let holds = false;
  const clock = madeClock((now) => {
    if (now >= 5_900) holds = false;
  });
  const pace = new Pace(0, () => holds, clock);
  await pace.until(0.1e9, signal);
  holds = true;
  await pace.until(0.1e9, signal);
  expect(clock.now()).toBe(5_900);
});

test('a wait ends when it is no longer wanted', async () => {
  const abort = new AbortController();
  const clock = madeClock((now) => {
    if (now >= 5_100) abort.abort();
  });
  await new Pace(0, () => false, clock).until(3600e9, abort.signal);
  expect(clock.now()).toBe(5_100);
});
