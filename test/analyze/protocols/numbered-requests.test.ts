import { expect, test } from 'vitest';
import { PENDING_PER_STREAM } from '../../../src/analyze/limits.ts';
import { NumberedRequests } from '../../../src/analyze/protocols/numbered-requests.ts';

function requests() {
  const unanswered: string[] = [];
  const waiting = new NumberedRequests<string>((request, why) => void unanswered.push(`${request}: ${why}`));
  return { unanswered, waiting };
}

test('an answer finds its request; those before it were answered in what is missing', () => {
  const { unanswered, waiting } = requests();
  for (const number of [7, 8, 9]) waiting.wait(number, `request ${number}`);
  expect(waiting.answered(5)).toBeUndefined();
  expect(waiting.answered(8)).toBe('request 8');
  expect(waiting.has(8)).toBe(false);
  expect(unanswered).toEqual(['request 7: response not captured']);
  waiting.end('reset');
  expect(unanswered).toEqual(['request 7: response not captured', 'request 9: reset']);
});

test('a number that is used again, and too many of them', () => {
  const { unanswered, waiting } = requests();
  waiting.wait(0, 'first');
  waiting.wait(0, 'second');
  expect(unanswered).toEqual(['first: no response']);
  for (let number = 1; number <= PENDING_PER_STREAM; number += 1) waiting.wait(number, String(number));
  expect(unanswered).toEqual(['first: no response', 'second: no response']);
});
