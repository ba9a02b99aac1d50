import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { KsnoopError, systemCode } from '../../src/wire/errors.ts';
import type { Layout } from './layout.ts';
import { statOf } from './processes.ts';
import { pause, say } from './run.ts';

/** How long to wait for another `up` or `down`, in milliseconds: a cold build is the longest of them. */
const PATIENCE = 20 * 60_000;

/** Runs `work` while no other process brings this instance up or down. */
export async function locked<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(layout.lock), { recursive: true });
  const mine = identity(process.pid);
  const draft = `${layout.lock}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    await take(layout.lock, draft);
  } finally {
    rmSync(draft, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(layout.lock, { force: true });
  }
}

async function take(lock: string, draft: string): Promise<void> {
  const until = Date.now() + PATIENCE;
  for (let told = false; ; told = true) {
    try {
      linkSync(draft, lock);
      return;
    } catch (thrown) {
      if (systemCode(thrown) !== 'EEXIST') throw thrown;
    }
    const holder = readHolder(lock);
    const pid = Number.parseInt(holder, 10);
    if (holder === '' || identity(pid) !== holder) {
      // Its holder was killed.
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) say(`waiting for process ${pid}, which is bringing the cluster up or down`);
    if (Date.now() > until) {
      throw new KsnoopError('cluster-busy', `Process ${pid} has held ${lock} for ${PATIENCE / 60_000} minutes.`);
    }
    await pause(200);
  }
}

const identity = (pid: number) => `${pid} ${statOf(pid)?.startTime ?? 'gone'}`;

function readHolder(lock: string): string {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return '';
  }
}
