import { expect, test } from 'vitest';
import { StreamClocks, UNSTEADY } from '../../../src/analyze/tcp/stream-clocks.ts';
import { StreamNumbers } from '../../../src/analyze/tcp/stream-numbers.ts';

const CLIENT = 0;
const SERVER = 1;
const ELSEWHERE = -1;
const SECOND = 1e9;

/** Stamps bytes of one connection, of which direction 0 is the client's. */
function connection(slot = 0) {
  const numbers = new StreamNumbers();
  const clocks = new StreamClocks(numbers);
  clocks.begin(numbers.begin(slot));
  return {
    clocks,
    stamp: (own: 0 | 1, clock: number, now: number, isAnswered = false) => {
      const time = clocks.stamp(own, own === CLIENT, clock, now, isAnswered);
      return { time, isComparable: clocks.isComparable };
    },
  };
}

test.each([0, 3, 700])('one clock that stamps both directions is steady once it has stamped both (slot %i)', (slot) => {
  const { clocks, stamp } = connection(slot);
  expect(clocks.steady).toBe(UNSTEADY);
  expect(stamp(CLIENT, 4, 100)).toEqual({ time: 100, isComparable: true });
  expect(clocks.steady).toBe(UNSTEADY);
  expect(stamp(SERVER, 4, 200)).toEqual({ time: 200, isComparable: true });
  expect(clocks.steady).toBe(4);
});

test('directions that two clocks stamp are not steady, and the times of answers cannot be compared', () => {
  const { clocks, stamp } = connection();
  expect(stamp(CLIENT, 4, 100).isComparable).toBe(true);
  expect(stamp(SERVER, 5, 200).isComparable).toBe(false);
  expect(stamp(CLIENT, 4, 300, true).isComparable).toBe(true);
  expect(stamp(SERVER, 5, 400).isComparable).toBe(false);
  expect(clocks.steady).toBe(UNSTEADY);
});

test('after another clock has taken over, times can be compared once the client has received more of the answers', () => {
  const { clocks, stamp } = connection();
  stamp(CLIENT, 4, 100);
  stamp(SERVER, 4, 200);
  expect(stamp(CLIENT, 5, 300, true).isComparable).toBe(false);
  expect(stamp(SERVER, 5, 400).isComparable).toBe(false);
  expect(stamp(CLIENT, 5, 500).isComparable).toBe(true);
  expect(stamp(SERVER, 5, 600).isComparable).toBe(false);
  expect(stamp(CLIENT, 5, 700, true).isComparable).toBe(true);
  expect(stamp(SERVER, 5, 800).isComparable).toBe(true);
  // Which clock stamped what has to be followed from now on.
  expect(clocks.steady).toBe(UNSTEADY);
});

test('an answer that was captured before its request cannot be compared', () => {
  const { stamp } = connection();
  stamp(CLIENT, 4, 1000);
  expect(stamp(SERVER, 4, 999)).toEqual({ time: 999, isComparable: false });
  expect(stamp(SERVER, 4, 1000).isComparable).toBe(true);
  expect(stamp(CLIENT, 4, 900).isComparable).toBe(true);
});

test('bytes that waited for a retransmission have its time; of a clock that was set back, their own', () => {
  const { stamp } = connection();
  stamp(CLIENT, 4, 10 * SECOND);
  expect(stamp(CLIENT, 4, 9 * SECOND).time).toBe(10 * SECOND);
  expect(stamp(CLIENT, 4, 5 * SECOND + 1).time).toBe(10 * SECOND);
  expect(stamp(CLIENT, 4, 5 * SECOND).time).toBe(5 * SECOND);
  expect(stamp(CLIENT, 4, 6 * SECOND).time).toBe(6 * SECOND);
});

test('bytes from elsewhere have the time of those before them, and no time that can be compared', () => {
  const { clocks, stamp } = connection();
  expect(stamp(SERVER, ELSEWHERE, 50)).toEqual({ time: 50, isComparable: false });
  stamp(CLIENT, 4, 100);
  stamp(SERVER, 4, 200);
  expect(stamp(SERVER, ELSEWHERE, 900)).toEqual({ time: 200, isComparable: false });
  expect(clocks.steady).toBe(4);
  expect(stamp(CLIENT, ELSEWHERE, 950)).toEqual({ time: 100, isComparable: false });
  // The times of the answers to what came from elsewhere are not known.
  expect(stamp(SERVER, 4, 960).isComparable).toBe(false);
  expect(clocks.steady).toBe(UNSTEADY);
  stamp(CLIENT, 4, 970);
  expect(clocks.steady).toBe(4);
});

test('a stream that stands for another connection knows nothing of the one before', () => {
  const numbers = new StreamNumbers();
  const clocks = new StreamClocks(numbers);
  clocks.begin(numbers.begin(0));
  clocks.stamp(CLIENT, true, 4, 100, false);
  clocks.stamp(CLIENT, true, 5, 200, false);
  clocks.begin(numbers.begin(0));
  clocks.stamp(CLIENT, true, 6, 50, false);
  expect(clocks.isComparable).toBe(true);
  clocks.stamp(SERVER, false, 6, 60, false);
  expect(clocks.isComparable).toBe(true);
  expect(clocks.steady).toBe(6);
});
