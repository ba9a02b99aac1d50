import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cgroupsOf, removeCgroup } from './cgroups.ts';
import { ClusterError } from './cluster-error.ts';
import { type Layout, MARK } from './layout.ts';
import { removeIfEmpty } from './lock.ts';
import { unmountBelow } from './network.ts';
import { allPids, isAlive, kill, linkOf, readProc, recorded } from './processes.ts';
import { pause, say } from './run.ts';

/** How long processes may take to be gone after SIGKILL, in milliseconds. */
const PATIENCE = 15_000;

/**
 * Removes an instance and everything it made, whatever state it is in: nothing is asked of the cluster itself. Processes
 * are killed first, then cgroups, mounts and files go; the directory that tells there is something to remove goes last.
 */
export async function down(layout: Layout): Promise<void> {
  const something = existsSync(layout.state) || existsSync(layout.data) || cgroupsOf(layout).length > 0;
  // Even with no directory there may be the compiler of an `up` that was killed.
  await killAll(layout);
  await removeCgroup(layout.cgroup);
  await unmountBelow(layout.state);
  await unmountBelow(layout.data);
  for (const directory of [layout.data, layout.state]) {
    rmSync(directory, { recursive: true, force: true });
    removeIfEmpty(dirname(directory));
  }
  if (something) say('everything of the cluster is gone');
}

async function killAll(layout: Layout): Promise<void> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const found = processesOf(layout);
    if (found.length === 0) return;
    if (Date.now() > until) {
      throw new ClusterError(`These processes do not end after SIGKILL: ${found.join(', ')}.`);
    }
    for (const pid of found) kill(pid);
    await pause(20);
  }
}

/**
 * The processes of an instance that live: those recorded, those that carry its mark in their environment (children of
 * a killed part and of a killed `up` too), and those in its network namespaces or cgroups (pods, and what a pod started).
 */
export function processesOf(layout: Layout): number[] {
  const records = existsSync(layout.pids) ? readdirSync(layout.pids) : [];
  const known = new Set(records.map((part) => recorded(layout, part)?.pid));
  const networks = new Set(networksOf(layout));
  const mark = `${MARK}=${layout.state}`;
  const belongs = (pid: number) =>
    known.has(pid) ||
    networks.has(linkOf(`/proc/${pid}/ns/net`) ?? '') ||
    readProc(`/proc/${pid}/environ`)?.split('\0').includes(mark) === true ||
    readProc(`/proc/${pid}/cgroup`)?.includes(`:${layout.cgroup}/`) === true;
  return allPids().filter((pid) => pid !== process.pid && belongs(pid) && isAlive(pid));
}

/** The instance's network namespaces as /proc/PID/ns/net names them. */
function networksOf(layout: Layout): string[] {
  if (!existsSync(layout.networks)) return [];
  const machine = linkOf('/proc/self/ns/net');
  return readdirSync(layout.networks)
    .map((file) => `net:[${statSync(join(layout.networks, file)).ino}]`)
    .filter((name) => name !== machine);
}
