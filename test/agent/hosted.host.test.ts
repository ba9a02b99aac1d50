// Sessions that share one process, as those over port-forward share the waiting agent.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { HANG_MS } from '../support/hang.ts';
import { leftOf, processesOf } from '../support/marked-processes.ts';
import { captureRequest } from './agent-process.ts';
import { HostedAgent, type HostedSession } from './hosted-agent.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run, traffic } from './namespaces.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-hosted-'));
let pair: NamespacePair;
let sink: ChildProcess;
let agent: HostedAgent;
beforeAll(async () => {
  pair = makePair();
  sink = await background(traffic(pair, pair.right, 'sink'));
});
beforeEach(() => {
  agent = new HostedAgent({ KSNOOP_SPOOL: directory });
});
afterEach(() => agent.kill());
afterAll(() => {
  sink.kill('SIGKILL');
  pair.remove();
  rmSync(directory, { recursive: true });
});

const request = (filter?: string) =>
  captureRequest([{ key: 't', kind: 'netns', name: pair.left, ...(filter && { filter }) }]);

async function capturing() {
  const session = await agent.session();
  const asked = request();
  await session.start(asked);
  return { session, id: asked.session };
}

const send = (...numbers: number[]) => run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, ...numbers));

/** The UDP packets of a stream, and whether it is whole. */
function read({ chunks }: HostedSession) {
  const types: number[] = [];
  new BlockFramer(({ type }) => types.push(type)).push(Buffer.concat(chunks));
  return {
    packets: types.filter((type) => type === BLOCK.enhancedPacket).length,
    whole: types.at(-1) === BLOCK.ksnoopEnd,
  };
}

it('an exception ends the session in which it occurs, and no other one', async () => {
  const broken = await capturing();
  const other = await capturing();
  broken.session.say({ type: 'add', target: { key: 'more', kind: 'netns', name: pair.right } });
  expect(await broken.session.transport?.ended).toEqual({ kind: 'exited', code: 1 });
  const failed = broken.session.events.find((event) => event.type === 'failed');
  expect(failed).toMatchObject({ code: 'CAPTURE_FAILED', message: 'broken by a test' });
  expect(agent.stderr).toContain('a session ends after an internal error: Error: broken by a test');
  expect(await leftOf([broken.id])).toEqual([]);
  expect(processesOf(other.id)).not.toEqual([]);
  send(1_000, 100, 200, 1);
  expect(await other.session.stop()).toEqual({ kind: 'exited', code: 0 });
  const { packets, whole } = read(other.session);
  expect(packets).toBeGreaterThanOrEqual(1_000);
  expect(whole).toBe(true);
});

/** So often each way to end: a descriptor that one of them leaves shows behind the few pipes that are ready, more or less. */
const ROUNDS = 10;

/** End a process that may have ended by itself. */
function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The tcpdump of the first packets has done its work.
  }
}

it('sessions leave nothing in the process, however they end', async () => {
  const endings: ((session: HostedSession) => Promise<unknown>)[] = [
    async (session) => {
      await session.start(request());
      return session.stop();
    },
    async (session) => {
      await session.start(request());
      session.transport?.terminate();
    },
    // Broken off while its tcpdump starts.
    async (session) => {
      session.say(request());
      session.transport?.terminate();
    },
    async (session) => {
      session.say(request('no filter'));
      return session.transport?.ended;
    },
    async (session) => {
      session.say({ type: 'nonsense' });
      return session.transport?.ended;
    },
    async (session) => {
      const own = request();
      await session.start(own);
      for (const pid of processesOf(own.session)) end(pid);
      await session.until('target-failed');
      session.transport?.terminate();
    },
    async (session) => session.transport?.terminate(),
  ];
  const all = async () => {
    await Promise.all(endings.map(async (ending) => ending(await agent.session())));
  };
  // The first ones also bring what is kept: pipes that are ready, Node's own descriptors.
  await all();
  const settled = async () => {
    let before = -1;
    await vi.waitUntil(
      () => {
        const now = agent.descriptors;
        const isSettled = now === before;
        before = now;
        return isSettled;
      },
      { timeout: HANG_MS, interval: 1_000 },
    );
    return before;
  };
  const first = await settled();
  for (let round = 0; round < ROUNDS; round += 1) await all();
  await vi.waitUntil(() => agent.descriptors < first + ROUNDS, { timeout: HANG_MS, interval: 100 });
  expect(agent.stderr).toBe('');
});

it('all sessions die with their process, and their tcpdumps with them', async () => {
  const all = await Promise.all([capturing(), capturing(), capturing()]);
  const ids = all.map(({ id }) => id);
  for (const id of ids) expect(processesOf(id)).not.toEqual([]);
  agent.kill();
  expect(await leftOf(ids)).toEqual([]);
  for (const { session } of all) session.transport?.terminate();
});

it('a session of which nobody hears any more ends alone', async () => {
  const first = await capturing();
  const second = await capturing();
  first.session.transport?.terminate();
  expect(await leftOf([first.id])).toEqual([]);
  expect(processesOf(second.id)).not.toEqual([]);
  expect(await second.session.stop()).toEqual({ kind: 'exited', code: 0 });
  expect(read(second.session).whole).toBe(true);
});
