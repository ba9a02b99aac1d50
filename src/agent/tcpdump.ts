import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { KsnoopError } from '../wire/errors.ts';
import { RING_KIB, STDERR_KEPT, TCPDUMP_END_MS } from './limits.ts';
import type { HeldNamespace } from './namespace.ts';
import { parseStatistics, type TcpdumpStatistics } from './statistics.ts';

/** Marks our processes' environment, for the reaper that cleans up after an agent that was killed. */
export const SESSION_MARK = 'KSNOOP_SESSION';

export interface TcpdumpOptions {
  readonly interface: string;
  readonly filter: string | undefined;
  readonly snaplen: number;
  readonly session: string;
}

/**
 * Run a program inside a namespace. The kernel kills it when the agent dies (PR_SET_PDEATHSIG, prctl(2)), however
 * that happens; setpriv and nsenter replace themselves, so the child's pid is the program's own.
 */
function spawnInside(namespace: HeldNamespace, session: string, argv: readonly string[]): ChildProcess {
  const enter = ['--pdeathsig', 'KILL', 'nsenter', '--net=/proc/self/fd/3', '--', ...argv];
  return spawn('setpriv', enter, {
    stdio: ['ignore', 'pipe', 'pipe', namespace.fd],
    env: { PATH: process.env.PATH, [SESSION_MARK]: session },
  });
}

/** One tcpdump on its way: `-w -` as nanosecond pcap, every packet flushed as it comes. */
export class Tcpdump {
  /** Resolves with its exit code (null: killed by a signal) when its output has been read to the end. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #stderr = '';
  #listening = false;
  #statistics: TcpdumpStatistics = { received: 0, droppedByKernel: 0 };

  constructor(
    namespace: HeldNamespace,
    options: TcpdumpOptions,
    onData: (chunk: Buffer) => void,
    onListening: () => void,
  ) {
    const argv = ['tcpdump', '-Z', 'root', '-n', '-U', '-w', '-', '--time-stamp-precision=nano'];
    argv.push('-i', options.interface, '-s', String(options.snaplen), '-B', String(RING_KIB));
    if (options.filter !== undefined) argv.push('--', options.filter);
    this.#child = spawnInside(namespace, options.session, argv);
    this.#child.stdout?.on('data', onData);
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
      this.#statistics = parseStatistics(this.#stderr) ?? this.#statistics;
      if (this.#listening || !this.#stderr.includes('listening on')) return;
      this.#listening = true;
      onListening();
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve(127));
      this.#child.once('close', (code) => resolve(code));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get listening(): boolean {
    return this.#listening;
  }

  get statistics(): TcpdumpStatistics {
    return this.#statistics;
  }

  /** What it said on stderr, without its own name before it. */
  get words(): string {
    return words(this.#stderr);
  }

  /** Have it print its statistics. Before it listens, its handler is not yet there and the signal would end it. */
  askStatistics(): void {
    if (this.#listening) this.#child.kill('SIGUSR1');
  }

  /** End it in good order: it writes out what it holds and its last statistics. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGINT');
    const force = setTimeout(() => this.kill(), TCPDUMP_END_MS);
    await this.ended;
    clearTimeout(force);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/**
 * Compile a filter as the capture itself will: on the same interface, with its link type.
 * @throws KsnoopError BAD_FILTER with tcpdump's own words
 */
export async function checkFilter(namespace: HeldNamespace, options: TcpdumpOptions): Promise<void> {
  if (options.filter === undefined) return;
  const linkType = options.interface === 'any' ? ['-y', 'LINUX_SLL2'] : [];
  const argv = ['tcpdump', '-Z', 'root', '-i', options.interface, ...linkType, '-s', String(options.snaplen), '-d'];
  const { code, stderr } = await run(namespace, options.session, [...argv, '--', options.filter]);
  if (code === 0) return;
  if (isInterfaceError(stderr)) throw await unknownInterface(namespace, options);
  throw new KsnoopError('BAD_FILTER', `tcpdump refuses the filter "${options.filter}": ${words(stderr)}.`, {
    hint: 'Its language is that of pcap-filter(7).',
  });
}

/** Whether tcpdump's words mean that the interface does not exist. */
export function isInterfaceError(stderr: string): boolean {
  return /No such device|SIOCGIFHWADDR|doesn't exist|is not up/i.test(stderr);
}

/** The error for an interface that does not exist, naming those that do. */
export async function unknownInterface(namespace: HeldNamespace, options: TcpdumpOptions): Promise<KsnoopError> {
  const names = namespace.interfaces ?? (await listInterfaces(namespace, options.session));
  return new KsnoopError('UNKNOWN_INTERFACE', `${namespace.name} has no interface ${options.interface} that is up.`, {
    hint: `It has: ${['any', ...names].join(', ')}.`,
  });
}

async function listInterfaces(namespace: HeldNamespace, session: string): Promise<string[]> {
  const { stdout } = await run(namespace, session, ['tcpdump', '-Z', 'root', '-D']);
  const names = [...stdout.matchAll(/^\d+\.(\S+)/gm)].map((match) => match[1] ?? '');
  return names.filter((name) => !/^(any|bluetooth.*|nflog|nfqueue|dbus-.*|usbmon.*)$/.test(name));
}

async function run(namespace: HeldNamespace, session: string, argv: readonly string[]) {
  const child = spawnInside(namespace, session, argv);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout = (stdout + chunk.toString('utf8')).slice(-STDERR_KEPT);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

function words(stderr: string): string {
  return stderr
    .split('\n')
    .map((line) => line.replace(/^tcpdump: /, '').trim())
    .filter((line) => line !== '' && !/^(listening on|verbose output|data link type)/.test(line))
    .join('; ');
}
