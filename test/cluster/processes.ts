import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/wire/errors.ts';
import type { Layout } from './layout.ts';
import { MARK } from './layout.ts';

/** One process of the cluster: which it is, what it runs. */
export interface Part {
  readonly name: string;
  readonly argv: readonly string[];
}

/** A process named for certain: a pid alone may be someone else's by now. */
export interface Identity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat (proc(5)), in clock ticks since the machine started. */
  readonly startTime: string;
}

/** Writes its own stat line before it becomes the program, so no process exists, however `up` ends, that is not recorded. */
const RECORD_THEN_BECOME = 'cat /proc/$$/stat >"$0" && exec "$@"';

/** Starts a part in the background, its output appended to its log, and gives its pid. */
export function start(layout: Layout, part: Part): number {
  const log = openSync(logOf(layout, part.name), 'a', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', RECORD_THEN_BECOME, join(layout.pids, part.name), ...part.argv], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: partEnvironment(layout),
    });
    child.on('error', () => undefined);
    child.unref();
    return child.pid ?? 0;
  } finally {
    closeSync(log);
  }
}

/** Nothing of the caller's environment but the proxyless, predictable minimum (kubelet would pass on NOTIFY_SOCKET and such). */
function partEnvironment(layout: Layout): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', [MARK]: layout.state };
}

export const logOf = (layout: Layout, part: string) => join(layout.logs, `${part}.log`);

/** The process recorded for a part while it lives; undefined when it never ran or is gone. */
export function recorded(layout: Layout, part: string): Identity | undefined {
  const file = join(layout.pids, part);
  if (!existsSync(file)) return undefined;
  const written = parseStat(readFileSync(file, 'utf8'));
  if (written === undefined) return undefined;
  return isAlive(written.pid) && statOf(written.pid)?.startTime === written.startTime ? written : undefined;
}

interface Stat extends Identity {
  readonly state: string;
  readonly parent: number;
}

export function statOf(pid: number): Stat | undefined {
  return parseStat(readProc(`/proc/${pid}/stat`) ?? '');
}

/** Whether a process runs: one that ended but was not yet waited for does not. */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== 'Z';
}

function parseStat(line: string): Stat | undefined {
  // The second field is the program's name in parentheses and may hold anything, spaces and parentheses too.
  const pid = Number.parseInt(line, 10);
  const rest = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent = ''] = rest;
  const startTime = rest[19];
  return Number.isNaN(pid) || startTime === undefined ? undefined : { pid, startTime, state, parent: Number(parent) };
}

export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** The first child of a process (what `nsenter` or `unshare --fork` runs). */
export function childOf(pid: number): number | undefined {
  return allPids().find((candidate) => statOf(candidate)?.parent === pid);
}

/** A file of /proc; undefined when the process has gone meanwhile. */
export function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What a link of /proc points to; undefined when the process has gone meanwhile. */
export function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ESRCH') throw thrown;
  }
}

/** The last lines of a part's log, for a person who has to see why it ended. */
export function logEnd(layout: Layout, part: string, lines = 15): string {
  const text = readProc(logOf(layout, part)) ?? '';
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
