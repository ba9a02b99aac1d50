import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, type ReadStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMMAND, type ControlMessage, ControlReader, controlMessage } from '../../src/cli/extcap/control.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { HANG_MS } from './hang.ts';
import { KSNOOP } from './ksnoop-process.ts';

/** What Wireshark does around an extcap program while it captures (extcap.c, interface_toolbar.cpp). */
export class WiresharkSide {
  readonly child: ChildProcess;
  readonly heard: ControlMessage[] = [];
  packets = 0;
  stderr = '';
  readonly closed: Promise<unknown>;
  readonly #fifo: ReadStream;
  readonly #toExtcap: WriteStream;

  /** @param directory holds the FIFOs; a fresh one for each */
  constructor(directory: string, fields: readonly string[], kubeconfig: string) {
    const [fifo, toExtcap, fromExtcap] = ['fifo', 'ws_to_ext', 'ext_to_ws'].map((name) => join(directory, name));
    execFileSync('mkfifo', [`${fifo}`, `${toExtcap}`, `${fromExtcap}`]);
    const call = ['--capture', '--extcap-interface', 'ksnoop', '--fifo', `${fifo}`];
    const pipes = ['--extcap-control-out', `${fromExtcap}`, '--extcap-control-in', `${toExtcap}`];
    const [command, ...before] = KSNOOP;
    this.child = spawn(command, [...before, 'extcap', 'run', ...call, ...pipes, ...fields], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KUBECONFIG: kubeconfig },
    });
    this.closed = once(this.child, 'close');
    this.child.stdout?.resume();
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
    });
    // Opening any of them waits for ksnoop to open its end, as it does in Wireshark.
    this.#fifo = createReadStream(`${fifo}`);
    const framer = new BlockFramer(({ type }) => {
      if (type === BLOCK.enhancedPacket) this.packets += 1;
    });
    this.#fifo.on('data', (chunk) => framer.push(Buffer.from(chunk)));
    const reader = new ControlReader((message) => this.heard.push(message));
    createReadStream(`${fromExtcap}`).on('data', (chunk) => reader.push(Buffer.from(chunk)));
    this.#toExtcap = createWriteStream(`${toExtcap}`);
    this.#toExtcap.on('error', () => {});
    this.#toExtcap.write(controlMessage(0, COMMAND.initialized));
  }

  press(control: number): void {
    this.#toExtcap.write(controlMessage(control, COMMAND.set));
  }

  closeFifo(): void {
    this.#fifo.destroy();
  }

  /** Waits until something holds of it. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + HANG_MS;
    while (!holds()) {
      if (Date.now() > deadline || this.child.exitCode !== null) {
        const said = this.heard.map(({ payload }) => payload).join(' | ');
        throw new Error(`${what} did not come: ${this.packets} packets, "${said}", stderr "${this.stderr}"`);
      }
      await sleep(20);
    }
  }

  /** How it ended. */
  async ended(): Promise<{ code: number | null; signal: string | null; stderr: string }> {
    await this.closed;
    const { exitCode: code, signalCode: signal } = this.child;
    return { code, signal, stderr: this.stderr };
  }
}
