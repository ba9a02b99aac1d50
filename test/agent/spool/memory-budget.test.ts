import { expect, test } from 'vitest';
import { CAPTURE_MEMORY, MEMORY_RESERVE, SPOOL_GRANT } from '../../../src/agent/limits.ts';
import { MemoryBudget } from '../../../src/agent/spool/memory-budget.ts';

const MIB = 1024 * 1024;

/** A container with so many bytes above the reserve, and the sessions in it: each takes what is granted, until nothing is. */
function container(bytes: number) {
  const sessions: { held: number }[] = [];
  const taken = () => sessions.reduce((sum, { held }) => sum + held, 0);
  const budget = new MemoryBudget({ free: () => MEMORY_RESERVE + bytes - taken() });
  const session = () => {
    const own = { held: 0 };
    sessions.push(own);
    const share = budget.open();
    share.count(() => own.held);
    const fill = () => {
      while (share.grants(SPOOL_GRANT)) own.held += SPOOL_GRANT;
      return own.held;
    };
    return { own, share, fill };
  };
  return { budget, session, taken };
}

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
    for (const { own, share } of busy) {
      if (!share.grants(SPOOL_GRANT)) continue;
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
  first.own.held = 90 * MIB;
  const second = session();
  expect(second.fill()).toBe(10 * MIB);
  expect(first.share.grants(SPOOL_GRANT)).toBe(false);
  first.own.held = 0;
  expect(second.fill()).toBe(100 * MIB);
  expect(taken()).toBe(100 * MIB);
});

test('captures that begin at once count before they have taken their memory', () => {
  const { budget } = container(10 * CAPTURE_MEMORY);
  const admitted = Array.from({ length: 20 }, () => budget.admit(CAPTURE_MEMORY)).filter(Boolean);
  expect(admitted).toHaveLength(10);
});

test('without a limit everything is granted', () => {
  const budget = new MemoryBudget({ free: () => undefined });
  expect(budget.admit(2 ** 50)).toBe(true);
  expect(budget.open().grants(2 ** 50)).toBe(true);
});
