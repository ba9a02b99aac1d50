import { spawn } from 'node:child_process';
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemCode } from '../../src/wire/errors.ts';
import { program } from './builds.ts';
import { allPids, childOf, kill, linkOf, readProc, statOf } from './processes.ts';
import { pause, run } from './run.ts';

/** Everything of the machine that a cluster could leave changed, each as lines that name one thing. */
export interface Machine {
  readonly namespaces: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
  readonly sysctls: readonly string[];
  readonly firewall: readonly string[];
  readonly network: readonly string[];
  readonly directories: readonly string[];
}

/** Directories in which Kubernetes, its runtime or mount(8) leave something unless kept from it. */
const DIRECTORIES = ['/run', '/var/lib', '/var/log', '/etc', '/opt', '/usr/libexec', '/mnt'];

const KINDS = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];

/** A picture of the machine to compare with another one, leaving out cgroups of clusters other than `own`. */
async function photograph(own: string): Promise<Machine> {
  const others = (cgroup: string) => cgroup.includes('/ksnoop-cluster-') && !`${cgroup}/`.includes(`-${own}/`);
  const [ruleset, rules, rules6, links, routes] = await Promise.all([
    run(['nft', 'list', 'ruleset']),
    run(['iptables-save']),
    run(['ip6tables-save']),
    run(['ip', '-oneline', 'link']),
    run(['ip', 'route', 'show', 'table', 'all']),
  ]);
  return {
    namespaces: namespaces(),
    mounts: lines(readFileSync('/proc/self/mounts', 'utf8')),
    cgroups: directoriesBelow('/sys/fs/cgroup').filter((directory) => !others(directory)),
    processes: allPids()
      .filter((pid) => !isMine(pid))
      .map((pid) => `${pid} ${(readProc(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ')}`),
    sysctls: sysctls('/proc/sys'),
    // Comments carry the time and counters the packets: neither is a setting.
    firewall: lines(`${ruleset}${rules}${rules6}`.replace(/^#.*$|\[\d+:\d+\]|counter packets \d+ bytes \d+/gm, '')),
    network: lines(links + routes),
    directories: DIRECTORIES.flatMap((directory) =>
      readdirSync(directory).map((entry) => join(directory, entry)),
    ).filter((directory) => !heldByOthers(directory, own)),
  };
}

/** The directories that all clusters share are there while one of them is: another one may come or go between two pictures. */
function heldByOthers(directory: string, own: string): boolean {
  const isOwn = (entry: string) => entry === own || entry === `${own}.lock`;
  return /\/ksnoop-cluster$/.test(directory) && readdirSync(directory).some((entry) => !isOwn(entry));
}

/** Those that processes are in; one kept by a file is among the mounts. (lsns fails when a process ends while it looks.) */
function namespaces(): string[] {
  const links = allPids().flatMap((pid) => KINDS.map((kind) => linkOf(`/proc/${pid}/ns/${kind}`)));
  return [...new Set(links.filter((link) => link !== undefined))].sort();
}

/** This process and those it started to take the picture. */
const isMine = (pid: number) => pid === process.pid || statOf(pid)?.parent === process.pid;

/**
 * A machine of one's own as far as processes and mounts go: pid and mount namespaces in which nobody else is at work, so
 * that a comparison is exact while other things happen outside. No process can leave them, however it was started.
 */
export interface Sandbox {
  /** The command that runs another inside. */
  inside(argv: readonly string[]): string[];
  photograph(own: string): Promise<Machine>;
  close(): void;
}

export async function openSandbox(): Promise<Sandbox> {
  const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const [command = '', ...args] = [...namespaces, program('pause')];
  const unshare = spawn(command, args, { stdio: 'ignore' });
  const outer = unshare.pid ?? 0;
  while (childOf(outer) === undefined || !readProc(`/proc/${childOf(outer)}/cmdline`)?.includes('pause'))
    await pause(10);
  const init = String(childOf(outer));
  const inside = (argv: readonly string[]) => ['nsenter', '-t', init, '-m', '-p', '--', ...argv];
  return {
    inside,
    photograph: async (own) => {
      const occupied = occupiedOutside();
      const picture: Machine = JSON.parse(await run(inside([process.execPath, fileURLToPath(import.meta.url), own])));
      return { ...picture, cgroups: picture.cgroups.filter((directory) => !occupied(directory)) };
    },
    close: () => kill(outer),
  };
}

/** Tells a cgroup directory that is in use outside the sandbox: other programs of the machine make and remove theirs any time. */
function occupiedOutside(): (directory: string) => boolean {
  const paths = new Set<string>();
  for (const pid of allPids()) {
    // As many process ids as pid namespaces, from ours inwards: whatever runs in the sandbox has two at least.
    if (!/^NSpid:\t\d+$/m.test(readProc(`/proc/${pid}/status`) ?? '')) continue;
    for (const line of lines(readProc(`/proc/${pid}/cgroup`) ?? '')) {
      const steps = line.slice(line.indexOf('/')).split('/');
      for (let depth = 2; depth <= steps.length; depth++) paths.add(steps.slice(0, depth).join('/'));
    }
  }
  // A hierarchy is mounted on a directory of /sys/fs/cgroup (version 1) or on it (version 2).
  return (directory) => {
    const path = directory.slice('/sys/fs/cgroup'.length);
    return paths.has(path) || paths.has(path.slice(path.indexOf('/', 1)));
  };
}

/** What one picture has that the other lacks, as `+kind: thing` and `-kind: thing`. */
export function differences(before: Machine, after: Machine): string[] {
  const compare = (kind: keyof Machine) => {
    const [old, now] = [new Set(before[kind]), new Set(after[kind])];
    return [
      ...[...now].filter((line) => !old.has(line)).map((line) => `+${kind}: ${line}`),
      ...[...old].filter((line) => !now.has(line)).map((line) => `-${kind}: ${line}`),
    ];
  };
  return [
    ...compare('namespaces'),
    ...compare('mounts'),
    // Directories that are gone were someone else's: ours were not there before.
    ...compare('cgroups').filter((line) => line.startsWith('+')),
    ...compare('processes'),
    ...compare('sysctls'),
    ...compare('firewall'),
    ...compare('network'),
    ...compare('directories'),
  ];
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

function directoriesBelow(directory: string): string[] {
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (thrown) {
    // Someone removed it meanwhile.
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
  return entries.flatMap((entry) =>
    entry.isDirectory() ? [join(directory, entry.name), ...directoriesBelow(join(directory, entry.name))] : [],
  );
}

/** Not settings but counts and random draws, different at any two moments. */
const RESTLESS =
  /\/(kernel\/random|fs\/(dentry-state|inode-nr|inode-state|file-nr|aio-nr|quota)|kernel\/(ns_last_pid|pty\/nr)|.*_count$|vm\/stat_refresh)/;

function sysctls(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (RESTLESS.test(path)) return [];
    if (entry.isDirectory()) return sysctls(path);
    const readable = (statSync(path).mode & 0o444) !== 0;
    return readable ? [`${path} = ${(readProc(path) ?? 'unreadable').trim()}`] : [];
  });
}

// As a program it prints the picture, so that it can be taken inside the sandbox.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await photograph(process.argv[2] ?? '')));
}
