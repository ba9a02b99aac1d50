import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { AGENT_WORD } from '../../src/capture/own-program.ts';
import { HANG_MS } from './hang.ts';

/** The npm build's program. */
export const program = join(import.meta.dirname, '../../bin/ksnoop.mjs');

/** The one executable (npm run build:binary) that tests start in place of the npm build, when the environment names it. */
const executable = process.env.KSNOOP_EXECUTABLE;

/** What starts the agent as --local does: the sources, or the executable that has the agent inside. */
export const AGENT: readonly [command: string, ...words: string[]] =
  executable === undefined
    ? [process.execPath, join(import.meta.dirname, '../../src/agent/main.ts')]
    : [resolve(executable), AGENT_WORD];

/** What starts ksnoop: a program, and what comes before its arguments. */
export const KSNOOP: readonly [command: string, ...words: string[]] =
  executable === undefined ? [process.execPath, program] : [resolve(executable)];

/** The same in a line of a shell. */
export const KSNOOP_IN_SHELL = KSNOOP.map((word) => `'${word}'`).join(' ');

export interface Finished {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A ksnoop of this build as a user starts it, and what it says. */
export class KsnoopProcess {
  readonly child: ChildProcess;
  stderr = '';
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<unknown>;

  /**
   * @param args the command line
   * @param kubeconfig in its environment; none for --local
   * @param stdout a file to write stdout to; kept in memory when left out, `pipe` leaves it to the caller
   */
  constructor(args: readonly string[], kubeconfig?: string, stdout?: string) {
    const [command, ...before] = KSNOOP;
    this.child = spawn(command, [...before, ...(args[0] === program ? args.slice(1) : args)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(kubeconfig && { KUBECONFIG: kubeconfig }) },
    });
    this.#closed = once(this.child, 'close');
    if (stdout === undefined) this.child.stdout?.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    else if (stdout !== 'pipe') this.child.stdout?.pipe(createWriteStream(stdout));
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
    });
  }

  /** Resolves once stderr has as many matches; rejects when ksnoop ends without them or a hang is certain. */
  async says(pattern: RegExp, times = 1): Promise<void> {
    const each = new RegExp(pattern, `${pattern.flags.replace('g', '')}g`);
    const isSaid = () => (this.stderr.match(each)?.length ?? 0) >= times;
    await this.#until(isSaid, `it did not log ${pattern} ${times} times`);
  }

  /** Resolves once at least `count` streams were lost and every lost one is back. */
  async recovers(count: number): Promise<void> {
    const linesWith = (text: RegExp) => this.stderr.match(text)?.length ?? 0;
    const isBack = () => {
      const back = linesWith(/is back; packets since/g);
      return back >= count && back >= linesWith(/the stream from \S+ was lost/g);
    };
    await this.#until(isBack, `its streams did not come back ${count} times`);
  }

  async #until(holds: () => boolean, failure: string): Promise<void> {
    const deadline = Date.now() + HANG_MS;
    while (!holds()) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        await this.#closed;
        if (holds()) return;
        throw new Error(
          `ksnoop ended with ${this.child.exitCode ?? this.child.signalCode}, and ${failure}: ${this.stderr}`,
        );
      }
      if (Date.now() > deadline) throw new Error(`ksnoop hangs: ${failure}: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Resolves once it captures this many targets. */
  capturing(count: number): Promise<void> {
    return this.says(/^ksnoop: capturing .*\n/m, count);
  }

  /** Ctrl-C, then how it ended. */
  async stop(): Promise<Finished> {
    this.child.kill('SIGINT');
    return this.finished();
  }

  async finished(): Promise<Finished> {
    await this.#closed;
    return { code: this.child.exitCode, stdout: Buffer.concat(this.#chunks), stderr: this.stderr };
  }
}
