import { expect, test } from 'vitest';
import { RecentAnswers } from '../../../../src/analyze/protocols/dns/recent-answers.ts';

const FLOW = 3;
const HASH = 77;

test('the answers to the last few dozen queries of a flow are all remembered, whatever their ids', () => {
  let forgotten = 0;
  for (let first = 0; first < 20_000; first += 40) {
    const answers = new RecentAnswers();
    for (let id = first; id < first + 40; id += 1) answers.add(FLOW, (id * 7_919) & 0xffff, HASH, 1e6, 0);
    for (let id = first; id < first + 40; id += 1) {
      if (!answers.isAnswered(FLOW, (id * 7_919) & 0xffff, HASH, 2e6, 1)) forgotten += 1;
    }
  }
  expect(forgotten).toBeLessThan(10);
});

test('an answer is that of its flow, its id and its question, for a short time', () => {
  const answers = new RecentAnswers();
  answers.add(FLOW, 5, HASH, 1e9, 0);
  expect(answers.has(FLOW, 5, HASH)).toBe(true);
  expect([answers.has(FLOW + 1, 5, HASH), answers.has(FLOW, 6, HASH), answers.has(FLOW, 5, HASH + 1)]).toEqual([
    false,
    false,
    false,
  ]);
  // A flow with which another id has the same hash.
  const alike = FLOW ^ Math.imul(5, 0x9e3779b1) ^ Math.imul(6, 0x9e3779b1);
  expect(answers.has(alike, 6, HASH)).toBe(false);
  expect(answers.isAnswered(FLOW, 5, HASH, 1e9 + 3e6, 0)).toBe(true);
  expect(answers.isAnswered(FLOW, 5, HASH, 1e9 + 4e6, 0)).toBe(false);
  expect(answers.isAnswered(FLOW, 5, HASH, 1e9 - 200e6, 1)).toBe(true);
  expect(answers.isAnswered(FLOW, 5, HASH, 1e9 + 251e6, 1)).toBe(false);
});
