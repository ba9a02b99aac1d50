import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { takeCaptureSlot } from '../../../src/agent/session/capture-slot.ts';

const name = `ksnoop-test-${process.pid}`;
const taken: Server[] = [];
afterEach(() => {
  for (const server of taken.splice(0)) server.close();
});

test('of captures that begin at once exactly so many run as are allowed; the others get a named error', async () => {
  const all = await Promise.allSettled(Array.from({ length: 40 }, () => takeCaptureSlot(32, name)));
  for (const one of all) if (one.status === 'fulfilled') taken.push(one.value);
  expect(taken).toHaveLength(32);
  const errors = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(errors).toHaveLength(8);
  for (const error of errors) expect(error).toMatchObject({ code: 'TOO_MANY_SESSIONS' });
});

test('a process that is killed leaves its place free', async () => {
  const script = `
    import { takeCaptureSlot } from ${JSON.stringify(join(import.meta.dirname, '../../../src/agent/session/capture-slot.ts'))};
    await takeCaptureSlot(1, ${JSON.stringify(name)});
    process.send('taken');
    // Nothing else would keep the process until it is killed.
    setInterval(() => {}, 60_000);
  `;
  const child = fork('-', [], {
    execArgv: ['--input-type=module', '-e', script],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  await expect(takeCaptureSlot(1, name)).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  taken.push(await takeCaptureSlot(1, name));
});
