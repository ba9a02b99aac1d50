import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FIRST_REQUEST_MS } from '../../../src/agent/limits.ts';
import { type ControlHandlers, listen } from '../../../src/agent/session/control.ts';
import { RESUME_WINDOW_MAXIMUM_MS } from '../../../src/wire/limits.ts';
import { HANG_MS } from '../../support/hang.ts';
import { captureRequest } from '../agent-process.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function listening(leaseMs: number) {
  const stdin = new PassThrough();
  const handlers: ControlHandlers = {
    request: vi.fn(),
    stop: vi.fn(),
    acknowledge: vi.fn(),
    clock: vi.fn(),
    add: vi.fn(),
    remove: vi.fn(),
    notAlone: vi.fn(),
    ticket: vi.fn(),
    closed: vi.fn(),
    leaseLost: vi.fn(),
    invalid: vi.fn(),
  };
  const unlisten = listen(stdin, handlers, () => leaseMs);
  return { stdin, handlers, unlisten };
}

test('the first request must come soon, however long the resume window is', async () => {
  const { handlers, unlisten } = listening(RESUME_WINDOW_MAXIMUM_MS);
  await vi.advanceTimersByTimeAsync(FIRST_REQUEST_MS - 100);
  expect(handlers.leaseLost).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(handlers.leaseLost).toHaveBeenCalled();
  unlisten();
});

test('after the request the lease counts, and when it is over no timer is left', async () => {
  const { stdin, handlers, unlisten } = listening(60_000);
  stdin.write(`${JSON.stringify(captureRequest([{ key: 't', kind: 'pid', pid: 1 }]))}\n`);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(handlers.request).toHaveBeenCalledOnce();
  expect(handlers.leaseLost).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(handlers.leaseLost).toHaveBeenCalled();
  unlisten();
  expect(vi.getTimerCount()).toBe(0);
});

test('heartbeats that arrive while the event loop is late renew the lease', async () => {
  vi.useRealTimers();
  const { stdin, handlers, unlisten } = listening(1_500);
  stdin.write(`${JSON.stringify(captureRequest([{ key: 't', kind: 'pid', pid: 1 }]))}\n`);
  await vi.waitFor(() => expect(handlers.request).toHaveBeenCalled());
  // Longer than the lease, and not within a timer: the next timers run before anything is read.
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_200);
  await new Promise((resolve) => setImmediate(resolve));
  stdin.write('{"type":"heartbeat"}\n');
  expect(handlers.leaseLost).not.toHaveBeenCalled();
  await vi.waitFor(() => expect(handlers.leaseLost).toHaveBeenCalled(), { timeout: HANG_MS });
  unlisten();
});
