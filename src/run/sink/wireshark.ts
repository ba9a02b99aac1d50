import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { KsnoopError, systemCode } from '../../wire/errors.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Sink } from './sink.ts';
import { wiresharkItself } from './wireshark-programs.ts';

/** How long Wireshark's exit status is waited for once it has closed its pipe. */
const EXIT_MS = 1_000;

/** So many of its last bytes on stderr are shown. */
const WORDS_BYTES = 1_000;

/** Somebody closed it by hand. */
const CLOSED_BY: readonly (string | null)[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'];

/**
 * Start Wireshark and send it the packets.
 * @param more arguments before those that make it read stdin
 * @throws KsnoopError NO_WIRESHARK
 */
export async function openWireshark(more: readonly string[], onProgress: () => void): Promise<Sink> {
  const words = new WordsFile();
  const child = await started([...more, '-k', '-i', '-'], words.descriptor).catch((thrown) => {
    words.close();
    throw thrown;
  });
  let failure: KsnoopError | undefined;
  const writer = new ByteWriter(child.stdin as Writable, onProgress);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (status, signal) => {
      const failed = status !== 0 && !CLOSED_BY.includes(signal);
      if (failed) failure = wiresharkFailed(status === null ? `by ${signal}` : `with status ${status}`, words.last());
      words.close();
      // Without packets no write fails when the reader has gone.
      writer.readerGone();
      resolve();
    });
  });
  // Packets stay on the screen when ksnoop ends first.
  child.unref();
  return {
    writer,
    get failure() {
      return failure;
    },
    description: undefined,
    close: async () => {
      await writer.drained();
      if (writer.end !== undefined) await Promise.race([exited, new Promise((done) => setTimeout(done, EXIT_MS))]);
      writer.close();
    },
  };
}

/** Try Wireshark where it may be. @throws KsnoopError NO_WIRESHARK with the reason of the last attempt */
async function started(args: readonly string[], stderr: number): Promise<ChildProcess> {
  let last: unknown;
  for (const program of wiresharkItself()) {
    // In a session of its own: Ctrl-C ends the capture, and Wireshark keeps its window.
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', stderr], detached: true });
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      return child;
    } catch (cause) {
      last = cause;
      if (systemCode(cause) !== 'ENOENT') break;
    }
  }
  const why = systemCode(last) === 'ENOENT' ? 'it was not found' : last instanceof Error ? last.message : String(last);
  throw new KsnoopError('NO_WIRESHARK', `Wireshark could not be started: ${why}.`, {
    hint: 'Install it, or pipe into another program: ksnoop pod/NAME | tshark -r -',
    cause: last,
  });
}

function wiresharkFailed(how: string, words: string): KsnoopError {
  const message = words === '' ? '' : `: ${words.replace(/[.!]$/, '')}`;
  return new KsnoopError('WIRESHARK_FAILED', `Wireshark ended ${how}${message}.`, {
    hint: 'Write a file and open it where Wireshark runs: -w FILE',
  });
}

/** A file without a name for a program's stderr: a pipe would end the program that writes to it after ksnoop has ended. */
class WordsFile {
  readonly descriptor: number;
  readonly #directory: string;

  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), 'ksnoop-'));
    this.descriptor = openSync(join(this.#directory, 'stderr'), 'w+', 0o600);
    this.#remove();
  }

  /** The last lines, joined to one. */
  last(): string {
    const { size } = fstatSync(this.descriptor);
    const bytes = Buffer.alloc(Math.min(size, WORDS_BYTES));
    const count = readSync(this.descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes
      .toString('utf8', 0, count)
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('; ');
  }

  close(): void {
    closeSync(this.descriptor);
    this.#remove();
  }

  /** Windows keeps the name of an open file; there it goes when it is closed. */
  #remove(): void {
    try {
      rmSync(this.#directory, { recursive: true, force: true });
    } catch {
      // Tried again when it is closed.
    }
  }
}
