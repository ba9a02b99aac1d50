import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { type OnReadOpts, Socket } from 'node:net';
import { Waiters } from '../../wire/batches.ts';
import { parseStatistics, STATISTICS_END, type TcpdumpStatistics } from '../../wire/tcpdump-statistics.ts';
import { READ_BYTES, STATISTICS_MS, STDERR_KEPT, TCPDUMP_END_MS } from '../limits.ts';
import type { OpenNetns } from '../netns/namespace.ts';
import { EXTRA_OUTPUT, spawnInside } from '../netns/spawn-inside.ts';
import type { Pipe } from './fifo.ts';

export interface TcpdumpOptions {
  readonly interface: string;
  readonly filter: string | undefined;
  readonly snaplen: number;
  readonly session: string;
  /** Size of the kernel's ring for it (-B). */
  readonly ringKib: number;
}

/**
 * How soon a packet comes, and at which price; all but immediate have the kernel's dense ring (TPACKET_V3), which loses
 * nothing in bursts. Measured per packet of 1,400 bytes, and for a single packet:
 * - prompt: 2.9 µs, within 100 ms. tcpdump has a short read timeout only when it prints lines (tcpdump.c,
 *   pcap_set_timeout), so it is made to print, to /dev/null. -q: of TCP and UDP no more than the ports is looked at.
 * - busy: 0.8 µs, up to 1 s late, and some bytes wait until more packets come.
 * - flushed: 1.4 µs, up to 1 s late: for a tcpdump before 4.99, which cannot print and write.
 * - immediate: at once, but its ring (TPACKET_V2) has a slot of the snaplen for each packet, so bursts are lost.
 */
export type TcpdumpMode = 'prompt' | 'busy' | 'flushed' | 'immediate';

const MODE: Record<TcpdumpMode, readonly string[]> = {
  prompt: ['-U', '--print', '-l', '-q', '-t'],
  busy: [],
  flushed: ['-U'],
  immediate: ['-U', '--immediate-mode'],
};

export interface TcpdumpStart {
  readonly namespace: OpenNetns;
  readonly options: TcpdumpOptions;
  readonly mode: TcpdumpMode;
  /** Becomes the tcpdump's own: both ends are closed by it. */
  readonly pipe: Pipe;
  /** Takes what it writes; the bytes are valid during the call only. */
  readonly onData: (chunk: Uint8Array) => void;
}

/** One tcpdump on its way: `-w` as nanosecond pcap into a pipe. */
export class Tcpdump {
  readonly mode: TcpdumpMode;
  /** Resolves with its exit code (null: killed by a signal) when its output has been read to the end. */
  readonly ended: Promise<number | null>;
  /** Resolves with true when it captures; with false when it ends before. */
  readonly listening: Promise<boolean>;
  readonly #child: ChildProcess;
  readonly #output: Socket;
  #stderr = '';
  #ready = false;
  #over = false;
  #statistics: TcpdumpStatistics = { received: 0, droppedByKernel: 0 };
  /** Its stderr behind the last statistics. */
  #unparsed = '';
  /** It was asked for statistics and has not printed them yet. */
  #isAsked = false;
  readonly #statisticsCame = new Waiters();

  constructor({ namespace, options, mode, pipe, onData }: TcpdumpStart) {
    this.mode = mode;
    const argv = ['tcpdump', '-Z', 'root', '-n', ...MODE[mode], '--time-stamp-precision=nano'];
    argv.push('-w', `/proc/self/fd/${EXTRA_OUTPUT}`);
    argv.push('-i', options.interface, '-s', String(options.snaplen), '-B', String(options.ringKib));
    if (options.filter !== undefined) argv.push('--', options.filter);
    this.#child = spawnInside(namespace, options.session, argv, pipe.write);
    closeSync(pipe.write);
    // One buffer for all reads: a new one for each costs a third more.
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length, buffer) => {
        onData(buffer.subarray(0, length));
        return true;
      },
    };
    this.#output = new Socket({ fd: pipe.read, readable: true, writable: false, onread });
    this.#output.resume();
    const read = new Promise<void>((resolve) => this.#output.once('close', () => resolve()));
    this.#output.on('error', () => this.#output.destroy());
    let begin = () => {};
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
      this.#readStatistics(chunk);
      if (!this.#ready && this.#stderr.includes('listening on')) {
        this.#ready = true;
        begin();
      }
    });
    const exited = new Promise<number | null>((resolve) => {
      this.#child.once('error', (error) => {
        this.#stderr += error.message;
        resolve(127);
      });
      this.#child.once('close', (code) => resolve(code));
    });
    this.ended = Promise.all([exited, read]).then(([code]) => code);
    void this.ended.then(() => {
      this.#over = true;
    });
    this.listening = new Promise((resolve) => {
      begin = () => resolve(true);
      void this.ended.then(() => resolve(false));
    });
  }

  get over(): boolean {
    return this.#over;
  }

  get statistics(): TcpdumpStatistics {
    return this.#statistics;
  }

  /** The end of its stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Leave its output unread until `resume`: it waits in its pipe and in the kernel's ring. */
  pause(): void {
    this.#output.pause();
  }

  resume(): void {
    this.#output.resume();
  }

  /** Have it print its statistics. Before it listens, its handler is not yet there and the signal would end it. */
  askStatistics(): void {
    if (!this.#ready) return;
    this.#isAsked = true;
    this.#child.kill('SIGUSR1');
  }

  /**
   * What the kernel has counted until a moment after the call; undefined when tcpdump does not print it within STATISTICS_MS,
   * as while its output is not read.
   */
  async freshStatistics(): Promise<TcpdumpStatistics | undefined> {
    // What was asked for before may have been counted before: two signals at once are one.
    if (this.#isAsked && !(await this.#nextStatistics())) return undefined;
    this.askStatistics();
    return (await this.#nextStatistics()) ? this.#statistics : undefined;
  }

  /** @returns whether statistics came in time */
  async #nextStatistics(): Promise<boolean> {
    if (this.#over || !this.#ready) return false;
    const before = this.#statistics;
    let late: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      late = setTimeout(resolve, STATISTICS_MS);
    });
    await Promise.race([this.#statisticsCame.wait(), this.ended, timeout]);
    clearTimeout(late);
    return this.#statistics !== before;
  }

  #readStatistics(chunk: Buffer): void {
    this.#unparsed = (this.#unparsed + chunk.toString('utf8')).slice(-STDERR_KEPT);
    const statistics = parseStatistics(this.#unparsed);
    if (statistics === undefined) return;
    this.#unparsed = this.#unparsed.slice(this.#unparsed.lastIndexOf(STATISTICS_END) + STATISTICS_END.length);
    this.#statistics = statistics;
    this.#isAsked = false;
    this.#statisticsCame.wake();
  }

  /** End it in good order: it writes out what it holds and its last statistics. The ring's rest is left behind. */
  async stop(): Promise<void> {
    this.resume();
    if (this.#over) return;
    this.#child.kill('SIGINT');
    const force = setTimeout(() => this.kill(), TCPDUMP_END_MS);
    await this.ended;
    clearTimeout(force);
  }

  kill(): void {
    this.resume();
    this.#child.kill('SIGKILL');
  }
}
