import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { EVENT_FLOOR, FLOORS, MEMORY_RESERVE, SPOOL_FLOOR, SPOOL_GRANT } from '../../../src/agent/limits.ts';
import { listenForSessions } from '../../../src/agent/listener/session-listener.ts';
import { WebSocketStreams } from '../../../src/agent/listener/websocket-streams.ts';
import { MemoryBudget } from '../../../src/agent/spool/memory-budget.ts';
import { Spool } from '../../../src/agent/spool/spool.ts';
import { BATCH_BYTES } from '../../../src/wire/batches.ts';
import { RESUME_BYTES } from '../../../src/wire/limits.ts';
import { Resumable } from '../../../src/wire/resumable.ts';
import { AGENT_CHANNELS, CLIENT_CHANNELS, SESSION_PROTOCOL, sessionPath } from '../../../src/wire/session-frame.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A session without a connection: nothing that it writes is acknowledged. `free` bytes are left above the reserve. */
function session(free: number) {
  const share = new MemoryBudget({ free: () => MEMORY_RESERVE + free }).open();
  const streams = new WebSocketStreams({ memory: share, ended: () => {} });
  let passed = 0;
  const write = () => streams.stdout.write(Buffer.alloc(BATCH_BYTES), () => (passed += 1));
  return { share, streams, write, passed: () => passed };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('where nothing is left, no more than the floor waits for the acknowledgement, and it counts', async () => {
  const { share, streams, write, passed } = session(0);
  expect(share.promised).toBe(SPOOL_FLOOR + EVENT_FLOOR);
  for (let count = 0; count < 8; count += 1) write();
  await turn();
  expect(passed()).toBe(1);
  expect(streams.unacknowledged).toBe(SPOOL_FLOOR);
  expect(share.held).toBe(SPOOL_FLOOR);
  expect(share.promised).toBe(EVENT_FLOOR);
  streams.abandon();
});

test('where memory is left, the window grows in steps that are granted, up to its bound', async () => {
  const { share, streams, write } = session(1024 * 1024 * 1024);
  for (let count = 0; count < 100; count += 1) write();
  await turn();
  expect(streams.unacknowledged).toBe(RESUME_BYTES);
  expect(share.promised).toBeLessThanOrEqual(2 * SPOOL_GRANT + EVENT_FLOOR);
  streams.abandon();
});

test('events that wait count, those sent and those not', async () => {
  const { share, streams } = session(0);
  for (let count = 0; count < 200; count += 1) streams.stderr.write('x'.repeat(1_000));
  await turn();
  expect(streams.unacknowledged).toBeLessThan(EVENT_FLOOR + 2_000);
  // The event that was sent last is counted on both sides: it waits for its turn and is kept as a frame.
  expect(share.held).toBeGreaterThanOrEqual(200_000);
  expect(share.held).toBeLessThan(202_000);
  streams.abandon();
});

test('the floors that a session is admitted with are those of its parts', () => {
  const { share, streams } = session(0);
  new Spool(streams.stdout, { memory: share });
  expect(share.promised).toBe(FLOORS);
  streams.abandon();
});

/** A client that reads a session and acknowledges what it has read. */
async function read(streams: WebSocketStreams): Promise<void> {
  const listener = listenForSessions({ port: 0, start: () => streams });
  await new Promise((resolve) => listener.once('listening', resolve));
  const { port } = listener.address() as AddressInfo;
  const request = { id: 'a'.repeat(32), windowMs: 25_000, compress: 'off', isNew: true, key: undefined } as const;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${sessionPath(request)}`, SESSION_PROTOCOL);
  const client = new Resumable(CLIENT_CHANNELS, AGENT_CHANNELS, { take: () => {}, acknowledged: () => {} });
  socket.on('open', () => client.attach({ send: (frame) => socket.send(frame) }));
  socket.on('message', (data: Buffer) => client.message(data));
  cleanups.push(() => {
    client.detach();
    socket.terminate();
    listener.close();
  });
}

test('what was granted is given back when the client has acknowledged', async () => {
  const { share, streams, write, passed } = session(1024 * 1024 * 1024);
  for (let count = 0; count < 20; count += 1) write();
  await turn();
  expect(passed()).toBe(20);
  expect(share.held).toBe(20 * BATCH_BYTES);
  await read(streams);
  await vi.waitUntil(() => streams.unacknowledged === 0);
  expect(share.promised).toBe(SPOOL_FLOOR + EVENT_FLOOR);
  streams.abandon();
});
