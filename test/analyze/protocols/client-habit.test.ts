import { expect, test } from 'vitest';
import { ClientHabit } from '../../../src/analyze/protocols/client-habit.ts';

/** Waves of so many requests and as many answers, each sent, certainly, after the answers to the one before. All in ns. */
function waves(
  sizes: readonly number[],
  { gap, latency, pause, late = 0 }: { gap: number; latency: number; pause: number; late?: number },
) {
  const context = { now: 0, lateAnswers: 0 };
  const habit = new ClientHabit(context);
  for (const size of sizes) {
    context.now += pause;
    habit.waited();
    for (let request = 0; request < size; request += 1) {
      if (request > 0) {
        context.now += gap;
        habit.sendsSeveral();
      }
      habit.sends(request === 0);
    }
    context.now += latency;
    context.lateAnswers += late;
    for (let answer = 0; answer < size; answer += 1) habit.receives(true);
  }
  return habit;
}

test.each([
  [1_000, true],
  [1_000_000, false],
])('a client that sends its second request %i ns after its first one waits for answers: %s', (gap, waits) => {
  expect(waves(Array(20).fill(2), { gap, latency: 1e9, pause: 1e8 }).waits).toBe(waits);
});

test('a client whose requests come seldom, and several at a time, is not known to wait for answers', () => {
  expect(waves(Array(20).fill(2), { gap: 1_000, latency: 1e6, pause: 1e9 }).waits).toBe(false);
});

test('as many requests as answers came before show nothing of a client that keeps so many on their way', () => {
  const quick = { gap: 1_000, latency: 1_000, pause: 1e9 };
  expect(waves([4, 4, 4, 4, 4, 4, 4, 4], quick).waits).toBe(false);
  expect(waves([4, 2, 3, 5, 2, 6, 3, 4], quick).waits).toBe(true);
});

test('answers that came at once, because what was missing before them was sent again, do not show that a client waited for all', () => {
  const slow = { gap: 1_000, latency: 1e9, pause: 1_000 };
  expect(waves([2, 2], slow).waits).toBe(true);
  expect(waves(Array(20).fill(2), { ...slow, late: 1 }).waits).toBe(false);
  expect(waves([4, 2, 3, 5, 2, 6, 3, 4], { ...slow, late: 1 }).waits).toBe(false);
});

/** Of a connection under way: a request, its answer after the latency, a pause, the next request. All in ns. */
function paused(times: readonly (readonly [pause: number, latency: number])[]) {
  const context = { now: 0, lateAnswers: 0 };
  const habit = new ClientHabit(context);
  for (const [pause, latency] of times) {
    context.now += pause;
    habit.sends(true);
    context.now += latency;
    habit.receives(true);
  }
  return habit;
}

test('pauses show that a client waits only together: one answer may come soon after a request by chance', () => {
  const usual = Array(20).fill([1e4, 1e6]);
  expect(paused([...usual, [1e4, 1], [1e4, 1]]).likelyWaits).toBe(false);
  expect(paused(Array.from({ length: 20 }, (_, index) => [1e9 * (1 + (index % 3)), 1e6])).waits).toBe(true);
});

test('pauses that are all alike show no more than one: a busy server gives its answers, and so the next requests, a rhythm', () => {
  expect(paused(Array(20).fill([1e9, 1e6])).waits).toBe(false);
  expect(paused(Array.from({ length: 20 }, (_, index) => [40e6 + (index % 2) * 1e5, 2e6])).likelyWaits).toBe(false);
});

test('a few waves of several requests do not show that a client waits where a hole may hold one of them', () => {
  const quick = { gap: 1_000, latency: 1_000, pause: 1e9 };
  expect(waves([4, 2, 3, 5], quick).likelyWaits).toBe(false);
  expect(waves([4, 2, 3, 5, 2, 6], quick).likelyWaits).toBe(true);
});
