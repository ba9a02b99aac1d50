import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { openLink } from '../../../src/capture/agents/agent-link.ts';
import { SessionKey } from '../../../src/capture/agents/session-key.ts';
import { BUSY_PARTS } from '../../../src/wire/deadline.ts';

/** Real connections, but ksnoop's own clock is turned on by hand. */
afterEach(() => {
  vi.useRealTimers();
});

const HANDSHAKE_MS = 10_000;
const ADDRESS = {
  id: '00'.repeat(16),
  windowMs: 15_000,
  compress: 'off',
  isNew: true,
  key: new SessionKey().public,
} as const;

/** As a port-forward through an API server that went without a word: it takes what is written, and nothing comes back. */
function silent(): Duplex {
  return new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
}

test('an agent that does not answer is given up in time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const connection = silent();
  const request = { address: ADDRESS, timeoutMs: HANDSHAKE_MS, attach: () => {} };
  const outcome = openLink(connection, request, new AbortController().signal).then(
    () => 'open',
    (thrown: unknown) => thrown,
  );
  // The event loop is never idle while fake timers run.
  await vi.advanceTimersByTimeAsync(BUSY_PARTS * HANDSHAKE_MS - 1);
  await turn();
  expect(connection.destroyed).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toMatchObject({
    code: 'NO_AGENT_AT_PORT',
    message: 'The agent does not answer at its port: nothing came within 10 s.',
  });
  await turn();
  expect(connection.destroyed).toBe(true);
});
