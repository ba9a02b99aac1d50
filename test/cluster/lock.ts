import { mkdirSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../src/wire/errors.ts';
import { ClusterError } from './cluster-error.ts';
import type { Layout } from './layout.ts';
import { isAlive, statOf } from './processes.ts';
import { pause, say } from './run.ts';

/** How long to wait for another `up` or `down`, in milliseconds: a cold build is the longest of them. */
const PATIENCE = 20 * 60_000;

/** Runs `work` while no other process brings this instance up or down. */
export async function locked<T>({ lock }: Pick<Layout, 'lock'>, work: () => Promise<T>): Promise<T> {
  await take(lock);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
    removeIfEmpty(dirname(lock));
  }
}

/** The lock is a symbolic link whose text names the holder: made and filled in one step, and nothing else to leave behind. */
async function take(lock: string): Promise<void> {
  const until = Date.now() + PATIENCE;
  for (let told = false; ; ) {
    const reason = tryToLink(lock);
    if (reason === undefined) return;
    // The holder before us removed the directory after we had made sure of it.
    if (reason === 'ENOENT') continue;
    const holder = readHolder(lock);
    // Released meanwhile.
    if (holder === undefined) continue;
    const pid = Number.parseInt(holder, 10);
    if (identity(pid) !== holder) {
      // Its holder was killed.
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) say(`waiting for process ${pid}, which holds ${lock}`);
    told = true;
    if (Date.now() > until) {
      throw new ClusterError(`Process ${pid} has held ${lock} for ${PATIENCE / 60_000} minutes.`);
    }
    await pause(200);
  }
}

/** The code of the error that kept us from the lock; undefined when it is ours. */
function tryToLink(lock: string): string | undefined {
  mkdirSync(dirname(lock), { recursive: true });
  try {
    symlinkSync(identity(process.pid), lock);
    return undefined;
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'EEXIST' || code === 'ENOENT') return code;
    throw thrown;
  }
}

const identity = (pid: number) => `${pid} ${isAlive(pid) ? statOf(pid)?.startTime : 'gone'}`;

function readHolder(lock: string): string | undefined {
  try {
    return readlinkSync(lock);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** Removes a directory that several instances share, when the last of them is gone. */
export function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (thrown) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(thrown) ?? '')) throw thrown;
  }
}
