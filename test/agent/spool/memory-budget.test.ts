import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  CAPTURE_MEMORY,
  FLOORS,
  MEMORY_RESERVE,
  MEMORY_STALE_MS,
  SESSION_MEMORY,
  SPOOL_FLOOR,
  SPOOL_GRANT,
  STARTING_MS,
} from '../../../src/agent/limits.ts';
import { MemoryBudget } from '../../../src/agent/spool/memory-budget.ts';

const MIB = 1024 * 1024;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A container with so many bytes above the reserve, and the sessions in it: each takes what is granted, until nothing is. */
function container(bytes: number, floor = 0) {
  const sessions: { held: number }[] = [];
  const taken = () => sessions.reduce((sum, { held }) => sum + held, 0);
  const budget = new MemoryBudget({ free: () => MEMORY_RESERVE + bytes - taken() });
  const session = () => {
    const own = { held: 0 };
    sessions.push(own);
    const share = budget.open();
    const allowance = share.allow({ floor, held: () => own.held });
    const fill = () => {
      while (allowance.admits(own.held + SPOOL_GRANT)) own.held += SPOOL_GRANT;
      return own.held;
    };
    return { own, share, allowance, fill };
  };
  return { budget, session, taken };
}

/** A refusal stays until the memory is read again. */
const readAgain = () => vi.advanceTimersByTime(MEMORY_STALE_MS + 1);

test('a session alone may have all that is left above the reserve', () => {
  const { session } = container(100 * MIB);
  expect(session().fill()).toBe(100 * MIB);
});

test('sessions that want much get equal parts, and those that hold little do not count', () => {
  const { session, taken } = container(100 * MIB);
  const idle = Array.from({ length: 50 }, () => session());
  const busy = Array.from({ length: 4 }, () => session());
  // Each asks in its turn.
  for (let granted = true; granted; ) {
    granted = false;
    for (const { own, allowance } of busy) {
      if (!allowance.admits(own.held + SPOOL_GRANT)) continue;
      own.held += SPOOL_GRANT;
      granted = true;
    }
  }
  for (const { own } of busy) expect(own.held / MIB).toBeGreaterThanOrEqual(22);
  expect(taken()).toBeLessThanOrEqual(100 * MIB);
  expect(idle.every(({ own }) => own.held === 0)).toBe(true);
});

test('what was taken by one that was alone is not taken from it, and nobody gets more than there is', () => {
  const { session, taken } = container(100 * MIB);
  const first = session();
  while (first.own.held < 90 * MIB && first.allowance.admits(first.own.held + SPOOL_GRANT))
    first.own.held += SPOOL_GRANT;
  const second = session();
  expect(second.fill()).toBe(10 * MIB);
  expect(first.allowance.admits(first.own.held + SPOOL_GRANT)).toBe(false);
  first.own.held = 0;
  first.allowance.giveBack();
  readAgain();
  expect(second.fill()).toBe(100 * MIB);
  expect(taken()).toBe(100 * MIB);
});

test('what is granted at once to many is never more than there is, although none has taken it yet', () => {
  const { session, taken } = container(100 * MIB);
  const sessions = Array.from({ length: 100 }, () => session());
  const granted = sessions.filter(({ allowance }) => allowance.admits(SPOOL_GRANT));
  expect(granted).toHaveLength(50);
  for (const { own } of granted) own.held = SPOOL_GRANT;
  expect(taken()).toBe(100 * MIB);
});

test('the floors of sessions count before they are taken, and are not counted twice when they are', () => {
  const { budget, session } = container(100 * MIB, SPOOL_FLOOR);
  const sessions = Array.from({ length: 100 }, () => session());
  expect(budget.available).toBe(50 * MIB);
  for (const { own } of sessions) own.held = SPOOL_FLOOR;
  expect(budget.available).toBe(50 * MIB);
  expect(budget.held).toBe(50 * MIB);
  for (const { own } of sessions.slice(0, 40)) own.held = 0;
  expect(budget.available).toBe(50 * MIB);
  for (const { share, own } of sessions) {
    share.close();
    own.held = 0;
  }
  expect(budget.available).toBe(100 * MIB);
});

test('what the kernel keeps a copy of counts twice past the floor', () => {
  const budget = new MemoryBudget({ free: () => MEMORY_RESERVE + 10 * MIB });
  const allowance = budget.open().allow({ floor: MIB, held: () => 0, cost: 2 });
  expect(allowance.promised).toBe(MIB);
  expect(allowance.admits(2 * MIB)).toBe(true);
  expect(allowance.promised).toBe(MIB + 2 * SPOOL_GRANT);
  expect(budget.available).toBe(9 * MIB - 2 * SPOOL_GRANT);
});

test.each([
  { sessions: 256, captures: 160 },
  { sessions: 120, captures: 120 },
  { sessions: 10, captures: 10 },
])('of $sessions sessions with $captures captures, admitted are as many as fit, the floors included', (mix) => {
  const total = 400 * MIB;
  const { budget, session } = container(total, FLOORS);
  let promised = 0;
  let captures = 0;
  let refused: number | undefined;
  for (let count = 0; count < mix.sessions; count += 1) {
    if (!budget.admit(SESSION_MEMORY, FLOORS)) {
      refused = total - promised;
      break;
    }
    session();
    promised += SESSION_MEMORY + FLOORS;
    if (captures === mix.captures || budget.begin(CAPTURE_MEMORY) === undefined) continue;
    promised += CAPTURE_MEMORY;
    captures += 1;
  }
  expect(promised).toBeLessThanOrEqual(total);
  expect(budget.available).toBe(total - promised);
  if (refused !== undefined) expect(refused).toBeLessThan(SESSION_MEMORY + FLOORS);
  if (mix.sessions === 10) expect([captures, refused]).toEqual([10, undefined]);
});

test('a capture counts until its tcpdumps run, or should', () => {
  const { budget } = container(2 * CAPTURE_MEMORY);
  const started = budget.begin(CAPTURE_MEMORY);
  expect(budget.begin(CAPTURE_MEMORY)).toBeDefined();
  expect(budget.begin(CAPTURE_MEMORY)).toBeUndefined();
  started?.();
  expect(budget.begin(CAPTURE_MEMORY)).toBeDefined();
  expect(budget.available).toBe(0);
  vi.advanceTimersByTime(STARTING_MS);
  // By then the container counts what they have taken.
  expect(budget.available).toBe(2 * CAPTURE_MEMORY);
});

test('captures that begin at once count before they have taken their memory', () => {
  const { budget } = container(10 * CAPTURE_MEMORY);
  const admitted = Array.from({ length: 20 }, () => budget.begin(CAPTURE_MEMORY)).filter(Boolean);
  expect(admitted).toHaveLength(10);
});

test('without a limit everything is granted', () => {
  const budget = new MemoryBudget({ free: () => undefined });
  expect(budget.admit(2 ** 50, 2 ** 50)).toBe(true);
  const allowance = budget.open().allow({ floor: 0, held: () => 0 });
  expect(allowance.admits(2 ** 35)).toBe(true);
});
