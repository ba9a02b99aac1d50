import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { UNUSED_FIRST_MS, UNUSED_MS } from '../../../src/agent/limits.ts';
import { UnusedEnd } from '../../../src/agent/listener/unused-end.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an agent for one capture ends when no session comes', () => {
  const end = vi.fn();
  new UnusedEnd(end);
  vi.advanceTimersByTime(UNUSED_FIRST_MS - 1);
  expect(end).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(end).toHaveBeenCalledOnce();
});

test('it stays while a session runs, and for the next one a moment after', () => {
  const end = vi.fn();
  const unused = new UnusedEnd(end);
  unused.begun();
  unused.begun();
  vi.advanceTimersByTime(10 * UNUSED_FIRST_MS);
  unused.ended();
  vi.advanceTimersByTime(10 * UNUSED_FIRST_MS);
  unused.ended();
  vi.advanceTimersByTime(UNUSED_MS - 1);
  unused.begun();
  vi.advanceTimersByTime(10 * UNUSED_FIRST_MS);
  expect(end).not.toHaveBeenCalled();
  unused.ended();
  vi.advanceTimersByTime(UNUSED_MS);
  expect(end).toHaveBeenCalledOnce();
});
