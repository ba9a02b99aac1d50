import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/wire/errors.ts';
import type { Layout } from './layout.ts';
import { kill } from './processes.ts';
import { pause } from './run.ts';

interface Hierarchy {
  readonly point: string;
  readonly unified: boolean;
}

/** The cgroup hierarchies of this machine: several of version 1, one of version 2, or both (hybrid). */
function hierarchies(): Hierarchy[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => ({ point: line.split(' ')[4] ?? '', type: line.split(' - ')[1]?.split(' ')[0] }))
    .filter(({ point, type }) => point.startsWith('/sys/fs/cgroup') && (type === 'cgroup' || type === 'cgroup2'))
    .map(({ point, type }) => ({ point, unified: type === 'cgroup2' }));
}

/** Makes a node's directory in every hierarchy, which is what kubelet's cgroupRoot has to find. */
export function makeCgroup(path: string): void {
  for (const { point, unified } of hierarchies()) {
    let directory = point;
    for (const step of path.split('/').filter((part) => part !== '')) {
      const parent = directory;
      directory = join(directory, step);
      mkdirSync(directory, { recursive: true });
      if (unified) handDown(parent);
      else copyCpus(parent, directory);
    }
  }
}

/** In version 1 a fresh cpuset directory has no processor and no memory, and nothing may run in it. */
function copyCpus(parent: string, directory: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (existsSync(join(directory, file))) writeFileSync(join(directory, file), readFileSync(join(parent, file)));
  }
}

/** In version 2 a directory has the controllers its parent hands down. The machine's own root is left as it is. */
function handDown(parent: string): void {
  if (hierarchies().some(({ point }) => point === parent)) return;
  const controllers = readFileSync(join(parent, 'cgroup.controllers'), 'utf8').trim();
  if (controllers === '') return;
  const enable = controllers.split(' ').map((name) => `+${name}`);
  writeFileSync(join(parent, 'cgroup.subtree_control'), enable.join(' '));
}

/** Removes a directory and what is in it from every hierarchy, ending the processes that are still there. */
export async function removeCgroup(path: string, milliseconds = 10_000): Promise<void> {
  const until = Date.now() + milliseconds;
  // runc freezes a container's processes while it kills them. If it ends before it thaws them they stay, killed or not.
  for (const { point } of hierarchies()) if (existsSync(join(point, path))) thaw(join(point, path));
  for (const { point } of hierarchies()) {
    const directory = join(point, path);
    while (existsSync(directory)) {
      try {
        removeTree(directory);
      } catch (thrown) {
        // A killed process leaves its cgroup only when it is reaped.
        if (systemCode(thrown) !== 'EBUSY' || Date.now() > until) throw thrown;
        await pause(20);
      }
    }
  }
}

function thaw(directory: string): void {
  for (const [file, running] of [
    ['freezer.state', 'THAWED'],
    ['cgroup.freeze', '0'],
  ] as const) {
    if (existsSync(join(directory, file))) writeFileSync(join(directory, file), running);
  }
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) thaw(join(directory, entry.name));
  }
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  }
  for (const pid of readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n')) {
    if (pid !== '' && pid !== '0') kill(Number(pid));
  }
  rmdirSync(directory);
}

/** The instance's directories that exist now. */
export function cgroupsOf(layout: Layout): string[] {
  return hierarchies()
    .map(({ point }) => join(point, layout.cgroup))
    .filter((directory) => existsSync(directory));
}
