import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { BUSY_PARTS, Deadline, deadlineSignal } from '../../src/wire/deadline.ts';

afterEach(() => void vi.useRealTimers());

/** Keep the event loop in one turn. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test('what has arrived while the event loop was late is in time', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const events: string[] = [];
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const connecting = new Deadline(50, () => events.push('no connection'));
  socket.on('connect', () => {
    connecting.clear();
    events.push('connected');
  });
  const answered = once(socket, 'data');
  // The kernel connects without this process.
  block(200);
  const [accepted] = await once(server, 'connection');
  const answering = new Deadline(50, () => events.push('no answer'));
  socket.on('data', () => {
    answering.clear();
    events.push('answered');
  });
  accepted.write('answer');
  block(200);
  await answered;
  expect(events).toEqual(['connected', 'answered']);
  socket.destroy();
  accepted.destroy();
  server.close();
});

test('it passes once, where nothing arrives', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let passed = 0;
  new Deadline(20, () => {
    passed += 1;
    resolve();
  });
  await promise;
  await new Promise((done) => setTimeout(done, 60));
  expect(passed).toBe(1);
});

test('it passes later where the event loop is busy all the time', async () => {
  let passed = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const until = performance.now() + 300;
  new Deadline(100, () => {
    passed = true;
    resolve();
  });
  while (performance.now() < until) {
    block(5);
    await new Promise((done) => setImmediate(done));
  }
  expect(passed).toBe(false);
  await promise;
});

test('it is counted again from a refresh, and not at all once it is cleared', () => {
  vi.useFakeTimers();
  let passed = 0;
  const deadline = new Deadline(1_000, () => {
    passed += 1;
  });
  // The event loop is never idle while fake timers run.
  const whole = BUSY_PARTS * 1_000;
  vi.advanceTimersByTime(whole - 1);
  deadline.refresh();
  vi.advanceTimersByTime(whole - 1);
  expect(passed).toBe(0);
  // Fake immediates take a millisecond each.
  vi.advanceTimersByTime(3);
  expect(passed).toBe(1);
  for (const at of [0, 450, whole - 1]) {
    const cleared = new Deadline(1_000, () => {
      passed += 1;
    });
    vi.advanceTimersByTime(at);
    cleared.clear();
    vi.advanceTimersByTime(2 * whole);
  }
  expect(passed).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('neither a refresh nor an end in its last look comes too late', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const late = vi.fn();
  const refreshed = new Deadline(100, late);
  const cleared = new Deadline(100, late);
  vi.advanceTimersByTime(BUSY_PARTS * 100);
  refreshed.refresh();
  cleared.clear();
  return new Promise<void>((done) => setImmediate(() => setImmediate(() => setImmediate(done)))).then(() => {
    expect(late).not.toHaveBeenCalled();
    refreshed.clear();
  });
});

test('a signal aborts as that of AbortSignal.timeout does', async () => {
  const signal = deadlineSignal(10);
  expect(signal.aborted).toBe(false);
  // It does not keep the process alive itself.
  const alive = setInterval(() => {}, 1_000);
  await once(signal, 'abort');
  clearInterval(alive);
  expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
});
