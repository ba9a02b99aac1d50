import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { SESSION_MARK } from '../../wire/session-mark.ts';
import { STDERR_KEPT } from '../limits.ts';
import type { OpenNetns } from './namespace.ts';

/** Descriptor of the extra output of a program run inside a namespace, if it has one. */
export const EXTRA_OUTPUT = 4;

/** The user and group that tcpdump runs as: nobody else's on a node, so that no other process of this user can signal it. */
const TCPDUMP_ID = '59575';

/** CAP_KILL, CAP_SETGID and CAP_SETUID (linux/capability.h): to run a program as another user, and to signal it. */
const USER_CHANGE = (1n << 5n) | (1n << 6n) | (1n << 7n);

let changes: boolean | undefined;

/** Whether this process may run programs as another user. An agent whose DaemonSet is older lacks capabilities for it. */
function changesUser(): boolean {
  if (changes !== undefined) return changes;
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  changes = (BigInt(`0x${effective}`) & USER_CHANGE) === USER_CHANGE;
  return changes;
}

/**
 * What setpriv does before a program that parses untrusted packets: it runs as a user of its own, with the capability of a
 * packet socket and no other (ambient, capabilities(7)). The signal of the parent's death, which a change of the user clears
 * (prctl(2)), is set by setpriv as the last step.
 */
function lessPrivileges(): readonly string[] {
  if (!changesUser()) return ['--bounding-set', '-all,+net_raw,+setgid', '--inh-caps', '-all'];
  const rawOnly = '-all,+net_raw';
  const capabilities = ['--inh-caps', rawOnly, '--ambient-caps', rawOnly, '--bounding-set', rawOnly];
  return ['--reuid', TCPDUMP_ID, '--regid', TCPDUMP_ID, '--clear-groups', ...capabilities];
}

/**
 * nsenter and setpriv before a program's own words: they replace themselves, so the child's pid is the program's own. Each of them
 * costs as much of the processor as a sixth of tcpdump's start, so one setpriv does everything. In the millisecond before it does, the
 * agent's death leaves the child behind: it ends with the container, else at the first packet that it writes into its broken pipe.
 */
function inside(privileges: readonly string[], argv: readonly string[]): string[] {
  return ['--net=/proc/self/fd/3', '--', 'setpriv', '--pdeathsig', 'KILL', ...privileges, '--', ...argv];
}

/**
 * Run a program inside a namespace. The kernel kills it when the agent dies (PR_SET_PDEATHSIG, prctl(2)), however
 * that happens. It keeps only what a packet socket needs: entering the namespace is done by then, and
 * a program that parses untrusted packets must not be able to do more.
 * @param output the write end of a pipe for EXTRA_OUTPUT; stdout then goes nowhere
 */
export function spawnInside(
  namespace: OpenNetns,
  session: string,
  argv: readonly string[],
  output?: number,
): ChildProcess {
  return spawn('nsenter', inside(lessPrivileges(), argv), {
    stdio: ['ignore', output === undefined ? 'pipe' : 'ignore', 'pipe', namespace.fd, output ?? 'ignore'],
    env: { PATH: process.env.PATH, [SESSION_MARK]: session },
  });
}

/** Run a program inside a namespace as root, without any capability: for files of /proc that only root may read. */
export function spawnAsRoot(namespace: OpenNetns, session: string, argv: readonly string[]): ChildProcess {
  return spawn('nsenter', inside(['--bounding-set', '-all', '--inh-caps', '-all'], argv), {
    stdio: ['ignore', 'pipe', 'pipe', namespace.fd],
    env: { PATH: process.env.PATH, [SESSION_MARK]: session },
  });
}

export interface Outcome {
  /** null: ended by a signal; 127: it could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Take what a program prints until it ends; one that cannot be started prints nothing.
 * @param milliseconds after which it is killed
 */
export async function outputOf(
  child: ChildProcess,
  milliseconds: number,
  take: (chunk: Buffer) => void,
): Promise<void> {
  child.stdout?.on('data', take);
  child.stderr?.resume();
  const late = setTimeout(() => child.kill('SIGKILL'), milliseconds);
  await new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  clearTimeout(late);
}

/** Run a program inside a namespace to its end. */
export async function runInside(namespace: OpenNetns, session: string, argv: readonly string[]): Promise<Outcome> {
  const child = spawnInside(namespace, session, argv);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout = (stdout + chunk.toString('utf8')).slice(-STDERR_KEPT);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
  });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      stderr += `nsenter: ${error.message}`;
      resolve(127);
    });
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}
