import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PIPES_OF_FIRST } from '../../src/agent/limits.ts';
import { layoutOf } from '../cluster/layout.ts';
import { HANG_MS } from './hang.ts';

/**
 * What captures have left in the agents of our own cluster: files of the spool, named pipes, descriptors of pipes beyond those that
 * a waiting agent keeps ready, of spool files and of network namespaces. Waits until there is nothing, or a hang is certain.
 */
export async function leftInAgents(): Promise<string[]> {
  const until = performance.now() + HANG_MS;
  for (;;) {
    const left = waitingAgents().flatMap(leftIn);
    if (left.length === 0 || performance.now() > until) return left;
    await sleep(100);
  }
}

/**
 * The waiting process of each agent of our own cluster, or of one of its nodes: those of another cluster of this machine may be
 * capturing.
 */
export function waitingAgents(node?: string): string[] {
  return ownProcesses(
    (words) => words.includes('idle') && words.some((word) => /ksnoop-agent(\.mjs)?$/.test(word)),
    node,
  );
}

/** The programs that relay exec to the agents of our own cluster. */
export function relays(): string[] {
  return ownProcesses(([program]) => program === '/bin/nc.openbsd');
}

/** Processes in pods of our own cluster, or of one of its nodes, by the words of their command lines. */
function ownProcesses(isOne: (words: readonly string[]) => boolean, node?: string): string[] {
  const cgroup = [layoutOf().cgroup, ...(node === undefined ? [] : [node])].join('/');
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    if (!readOr(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8'), '').includes(`${cgroup}/`)) return false;
    return isOne(readOr(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '').split('\0'));
  });
}

function leftIn(pid: string): string[] {
  const root = `/proc/${pid}/root`;
  const files = ['/dev/shm', '/var/spool/ksnoop'].flatMap((directory) =>
    readOr(() => readdirSync(root + directory), []).map((name) => `${directory}/${name}`),
  );
  const open = readOr(() => readdirSync(`/proc/${pid}/fd`), []).map((fd) =>
    readOr(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ''),
  );
  const pipes = open.filter((path) => path.startsWith('/dev/shm/'));
  const others = open.filter((path) => path.startsWith('/var/spool/') || path.startsWith('net:['));
  return [...files, ...others, ...(pipes.length > 2 * PIPES_OF_FIRST ? pipes : [])].map((what) => `${pid}: ${what}`);
}

/** @param otherwise the answer where the process has gone meanwhile */
function readOr<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
