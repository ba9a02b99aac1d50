import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../../bin/ksnoop.mjs');

/** A running ksnoop of this repository's build. */
export class Ksnoop {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = '';

  /** @param args the command line; stdout is shown, stderr kept and shown */
  constructor(args: readonly string[], showStderr: boolean) {
    this.#child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'inherit', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString('utf8');
      if (showStderr) process.stderr.write(chunk);
    });
  }

  /** Resolves once it says that it captures `count` targets; rejects when it ends before. */
  async capturing(count: number): Promise<void> {
    while ((this.#said.match(/^ksnoop: capturing /gm) ?? []).length < count) {
      if (this.#child.exitCode !== null) throw new Error(`ksnoop ended early:\n${this.#said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ctrl-C, then its exit code. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGINT');
    return this.ended();
  }

  async ended(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }
}
