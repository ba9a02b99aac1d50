import { expect, test } from 'vitest';
import { PENDING_PER_STREAM } from '../../../src/analyze/limits.ts';
import type { FramedMessage } from '../../../src/analyze/protocols/framed-connection.ts';
import { mayAnswer, NumberedRequests } from '../../../src/analyze/protocols/numbered-requests.ts';

/** A message of ten bytes. */
const message = (start: number, acknowledged: number): FramedMessage => ({
  time: 0,
  end: 0,
  timed: true,
  bytes: 10,
  length: 10,
  whole: true,
  start,
  acknowledged,
  acknowledgedAtMost: acknowledged,
});

const ANY = message(1000, -1);

function requests({ ordered = true, missed = Number.NEGATIVE_INFINITY } = {}) {
  const unanswered: string[] = [];
  const waiting = new NumberedRequests<{ name: string; message: FramedMessage }>(
    { missedSince: (_, offset) => missed > offset },
    {
      context: {},
      kept: 100,
      ordered,
      unanswered: ({ name }, why, by) => void unanswered.push(`${name}: ${why}${by === undefined ? '' : ` by ${by}`}`),
    },
  );
  return {
    unanswered,
    waiting,
    ask: (number: number, name = `request ${number}`, of = message(0, 0)) =>
      waiting.wait(number, { name, message: of }),
  };
}

test('an answer finds its request; what becomes of those before it is not known', () => {
  const { unanswered, waiting, ask } = requests();
  for (const number of [7, 8, 9]) ask(number);
  expect(waiting.answered(5, ANY)).toBeUndefined();
  expect(waiting.answered(8, ANY)?.name).toBe('request 8');
  expect(waiting.has(8)).toBe(false);
  expect(unanswered).toEqual(['request 7: unknown']);
  waiting.end('reset', 1);
  expect(unanswered).toEqual(['request 7: unknown', 'request 9: reset by 1']);
});

test('where bytes of the server are missing behind a request its answer was not captured', () => {
  const { unanswered, waiting, ask } = requests({ missed: 50 });
  ask(1, 'before', message(0, 20));
  ask(2, 'after', message(10, 60));
  waiting.end('closed', 0);
  expect(unanswered).toEqual(['before: response not captured', 'after: no response by 0']);
});

test('what a request acknowledges, seen or not, is no answer to it: it would not have been sent again behind that', () => {
  const { unanswered, waiting, ask } = requests({ missed: 50 });
  ask(1, 'at the end', message(0, 50));
  waiting.end('closed', 0);
  expect(unanswered).toEqual(['at the end: no response by 0']);
});

test('answers that may come in any order say nothing of other requests', () => {
  const { unanswered, waiting, ask } = requests({ ordered: false });
  for (const number of [7, 8]) ask(number);
  expect(waiting.answered(8, ANY)?.name).toBe('request 8');
  expect(waiting.answered(7, ANY)?.name).toBe('request 7');
  expect(unanswered).toEqual([]);
});

test('a number proves nothing against the packets', () => {
  const { waiting, ask } = requests();
  ask(1, 'request', message(100, 50));
  expect(waiting.answered(1, message(40, 200))).toBeUndefined();
  expect(waiting.answered(1, message(60, 105))).toBeUndefined();
  expect(waiting.answered(1, message(60, 110))?.name).toBe('request');
});

test('a number that is used again, and too many of them', () => {
  const { unanswered, ask } = requests();
  ask(0, 'first');
  ask(0, 'second');
  expect(unanswered).toEqual(['first: unknown']);
  for (let number = 1; number <= PENDING_PER_STREAM; number += 1) ask(number);
  expect(unanswered).toEqual(['first: unknown', 'second: unknown']);
});

test.each([
  [{ server: 50, client: 50 }, false],
  [{ server: 50, client: -1 }, true],
  [{ server: -1, client: 50 }, true],
])(
  'holes behind a request, %j: a later one with the same number may be the one that is answered, proven %s',
  (holes, proven) => {
    const until = [holes.client, holes.server];
    const waiting = new NumberedRequests<{ message: FramedMessage }>(
      { missedSince: (side, offset) => (until[side] as number) > offset },
      { context: {}, kept: 100, ordered: true, unanswered: () => undefined },
    );
    const request = { message: message(0, 20) };
    waiting.wait(1, request);
    expect(waiting.answered(1, ANY)).toBe(request);
    expect(waiting.isProven(request)).toBe(proven);
  },
);

test('an answer of the client that was sent again acknowledged, at least, less than its request: it may answer it', () => {
  const again = { ...message(8, 0), acknowledgedAtMost: 10 };
  expect(mayAnswer(message(0, 0), again)).toBe(true);
  expect(mayAnswer(message(1, 0), again)).toBe(false);
});
