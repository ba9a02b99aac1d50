import { Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { CAPTURE_MEMORY, MEMORY_RESERVE } from '../../../src/agent/limits.ts';
import { CaptureSession } from '../../../src/agent/session/capture-session.ts';
import { CapturedCounts } from '../../../src/agent/session/captured-counts.ts';
import { Events } from '../../../src/agent/session/events.ts';
import { RingBudget } from '../../../src/agent/session/ring-budget.ts';
import { DiskBudget } from '../../../src/agent/spool/disk-budget.ts';
import { MemoryBudget } from '../../../src/agent/spool/memory-budget.ts';
import { Spool } from '../../../src/agent/spool/spool.ts';
import { captureRequest } from '../agent-process.ts';

/** A network namespace that is not there. */
const targets = [{ key: 't', kind: 'netns', name: '/run/netns/ksnoop-not-there' }] as const;

/** A capture of them, where so many bytes are left above the reserve. @returns how it fails, and its place */
async function refused(left: number, memory = new MemoryBudget({ free: () => MEMORY_RESERVE + left })) {
  const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  const leave = vi.fn();
  const resources = {
    memory,
    disk: new DiskBudget(0, 0),
    takePlace: async () => leave,
    rings: new RingBudget(),
    kills: () => undefined,
    captured: new CapturedCounts(),
    log: undefined,
  };
  const session = new CaptureSession(captureRequest(targets), new Spool(sink()), new Events(sink()), resources);
  const error: unknown = await session.run().catch((thrown: unknown) => thrown);
  return { error, leave, memory };
}

test('a capture for which no memory is left is refused by name, and gives its place back', async () => {
  const { error, leave } = await refused(CAPTURE_MEMORY - 1);
  expect(error).toMatchObject({ code: 'NO_MEMORY' });
  expect(leave).toHaveBeenCalledOnce();
});

test('one that could not be started no longer counts', async () => {
  const { error, leave, memory } = await refused(CAPTURE_MEMORY);
  expect(error).toMatchObject({ code: 'NO_SUCH_NAMESPACE' });
  expect(leave).toHaveBeenCalledOnce();
  expect(memory.available).toBe(CAPTURE_MEMORY);
});
