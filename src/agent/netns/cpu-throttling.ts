import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { THROTTLED_CONTAINERS } from '../limits.ts';
import { isInCluster } from './node.ts';
import type { Proc } from './proc.ts';

/** Where a DaemonSet with the overlay `cgroup` mounts the node's cgroups, read-only. */
const MOUNTED = process.env.KSNOOP_CGROUP;

/** Counters of cpu.stat, with what makes their unit microseconds (cgroup v2: cgroup-v2.rst; v1: sched-bwc.rst). */
const COUNTERS: Readonly<Record<string, readonly [name: string, divisor: number]>> = {
  nr_periods: ['nr_periods', 1],
  nr_throttled: ['nr_throttled', 1],
  throttled_usec: ['throttled_usec', 1],
  throttled_time: ['throttled_usec', 1000],
};

const CONTAINER = /([0-9a-f]{12})[0-9a-f]{20,52}(?:\.scope)?$/;

/** The node's cgroups as this process sees them; undefined where they are not mounted. */
export function cgroupRoot(): string | undefined {
  return MOUNTED ?? (isInCluster() ? undefined : '/sys/fs/cgroup');
}

/**
 * How often the CPU limits of a pod and its containers stopped them, as counters of the network state: `Cgroup web nr_periods`,
 * `Cgroup web nr_throttled`, `Cgroup web throttled_usec`. Those without a limit have none; the pod itself is called `pod`.
 * @param root see cgroupRoot
 * @param pid a process of the pod
 * @param uid of the pod, as its cgroup has it
 * @param names of containers, by id
 */
export function cpuThrottling(
  root: string,
  proc: Proc,
  { pid, pod: uid }: { readonly pid: number; readonly pod: string },
  names: ReadonlyMap<string, string>,
): Record<string, number> {
  const counters: Record<string, number> = {};
  const directory = uid === '' ? undefined : podDirectory(root, proc.read(pid, 'cgroup') ?? '', uid);
  if (directory === undefined) return counters;
  add(counters, 'pod', read(join(directory, 'cpu.stat')));
  for (const entry of containersIn(directory)) {
    const id = CONTAINER.exec(entry)?.[1];
    if (id === undefined) continue;
    const known = [...names].find(([full]) => full.startsWith(id))?.[1];
    add(counters, known ?? id, read(join(directory, entry, 'cpu.stat')));
  }
  return counters;
}

/**
 * The directory of a pod's CPU cgroup. The path of a process begins at the root of the reader's cgroup namespace: where that is
 * another one (`/../../…`) the directories that kubelet makes are tried.
 * @param text the content of /proc/PID/cgroup
 */
function podDirectory(root: string, text: string, uid: string): string | undefined {
  const systemd = uid.replaceAll('-', '_');
  const lines = text.split('\n').map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  const first = lines.find((line) => line?.[1]?.split(',').includes('cpu')) ?? lines.find((line) => line?.[1] === '');
  const [, controllers = '', path = ''] = first ?? [];
  const mount = controllers === '' ? [root, join(root, 'unified')] : [join(root, controllers), join(root, 'cpu')];
  const own = new RegExp(`^(?:/[^/]+)*?/[^/]*pod(?:${uid}|${systemd})(?:\\.slice)?(?=/|$)`).exec(path)?.[0];
  const candidates = own === undefined || own.includes('/..') ? kubeletPaths(uid, systemd) : [own];
  for (const base of mount) {
    for (const candidate of candidates) {
      const directory = join(base, candidate);
      if (read(join(directory, 'cpu.stat')) !== undefined) return directory;
    }
  }
  return undefined;
}

/** Where kubelet puts a pod's cgroup, by the driver (pkg/kubelet/cm/cgroup_manager_linux.go). */
function kubeletPaths(uid: string, systemd: string): string[] {
  return ['', 'burstable', 'besteffort'].flatMap((level) => {
    const slice = level === '' ? 'kubepods' : `kubepods-${level}`;
    const middle = level === '' ? '' : `/${slice}.slice`;
    const leaf = `kubepods.slice${middle}/${slice}-pod${systemd}.slice`;
    return [`/kubepods/${level}/pod${uid}`, `/${leaf}`, `/kubelet/kubepods/${level}/pod${uid}`];
  });
}

function containersIn(directory: string): string[] {
  try {
    return readdirSync(directory).slice(0, THROTTLED_CONTAINERS);
  } catch {
    return [];
  }
}

/** Periods are counted only where there is a limit. */
function add(counters: Record<string, number>, name: string, text: string | undefined): void {
  const values: [string, number][] = [];
  for (const line of (text ?? '').split('\n')) {
    const [key = '', value] = line.split(' ');
    const counter = Object.hasOwn(COUNTERS, key) ? COUNTERS[key] : undefined;
    const count = Number(value);
    if (counter === undefined || !Number.isFinite(count) || count <= 0) continue;
    values.push([`Cgroup ${name} ${counter[0]}`, Math.round(count / counter[1])]);
  }
  if (values.some(([key]) => key.endsWith(' nr_periods'))) Object.assign(counters, Object.fromEntries(values));
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
