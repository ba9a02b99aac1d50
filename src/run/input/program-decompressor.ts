import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { EXIT, KsnoopError, systemCode } from '../../wire/errors.ts';
import type { Decompress } from './decompress.ts';
import type { OnChunk } from './input.ts';

/** So many bytes of what the program prints on stderr are kept. */
const WORDS_BYTES = 500;

/** A few bytes may ask for gigabytes: xz -9 needs 65 MiB. The others need some megabytes whatever they are given. */
const LIMITS: Readonly<Record<string, readonly string[]>> = { xz: ['--memlimit-decompress=256MiB'] };

/**
 * Decompresses with a program that the machine has (`xz -dc`): for formats that neither Node nor a small library reads.
 * The program runs in a process of its own and is given bytes only.
 */
export class ProgramDecompressor implements Decompress {
  /** Compressed bytes that the program has been given. */
  taken = 0;
  readonly #program: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<void>;
  #receiver: Promise<void> | undefined;
  #words = '';
  #status: number | undefined;
  #thrown: { readonly error: unknown } | undefined;
  #abandoned = false;

  /** @param program reads compressed bytes on stdin and writes plain ones on stdout with `-dc` */
  constructor(program: string, onChunk: OnChunk) {
    this.#program = program;
    const child = spawn(program, ['-dc', ...(LIMITS[program] ?? [])], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    // It does not take its end before everything was received.
    this.#closed = new Promise((resolve) => {
      child.once('close', (status) => {
        this.#status = status ?? 1;
        resolve();
      });
      child.once('error', (cause) => {
        this.#thrown ??= { error: cannotStart(program, cause) };
        resolve();
      });
    });
    child.stdin.on('error', () => {});
    child.stderr.on('data', (text: Buffer) => {
      this.#words = (this.#words + text.toString('utf8')).slice(0, WORDS_BYTES);
    });
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#thrown !== undefined || this.#abandoned) return;
      try {
        const wait = onChunk(chunk);
        if (wait === undefined) return;
        child.stdout.pause();
        this.#receiver = wait.then(
          () => void child.stdout.resume(),
          (error: unknown) => this.#fail(error),
        );
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** @returns what is wrong with the data; undefined while nothing is. Throws what the receiver threw. */
  async push(bytes: Uint8Array): Promise<string | undefined> {
    if (this.#status === undefined && this.#thrown === undefined) {
      this.taken += bytes.length;
      await Promise.race([new Promise<void>((taken) => this.#child.stdin.write(bytes, () => taken())), this.#closed]);
    }
    return this.#state();
  }

  /** No more comes. */
  async end(): Promise<string | undefined> {
    this.#child.stdin.end();
    await this.#closed;
    return this.#state();
  }

  /** The rest is no longer needed. */
  abandon(): void {
    this.#abandoned = true;
    this.#child.kill('SIGKILL');
  }

  async #state(): Promise<string | undefined> {
    if (this.#status !== undefined) await this.#receiver;
    if (this.#thrown !== undefined) throw this.#thrown.error;
    if (this.#status === undefined || this.#status === 0) return undefined;
    const [line = ''] = this.#words.split('\n').filter((text) => text.trim() !== '');
    return `${this.#program}: ${line.trim().replace(/^\S*(?:xz|bzip2|lz4)\S*: /, '') || `it ended with status ${this.#status}`}`;
  }

  #fail(error: unknown): void {
    this.#thrown ??= { error };
    this.abandon();
  }
}

function cannotStart(program: string, cause: Error): KsnoopError {
  const missing = systemCode(cause) === 'ENOENT';
  return new KsnoopError(
    'NO_DECOMPRESSOR',
    missing
      ? `The capture is compressed for ${program}, which is not installed.`
      : `${program}, which decompresses the capture, could not be started: ${cause.message}.`,
    {
      hint: `Install ${program}, or decompress it elsewhere: ${program} -dc FILE | ksnoop read -`,
      exit: EXIT.usage,
      cause,
    },
  );
}
