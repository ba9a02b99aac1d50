import { closeSync, fstatSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, KsnoopError, systemCode } from '../wire/errors.ts';
import { type Compression, compressionOf, Decompressor, MAGIC_BYTES } from './decompress.ts';
import { ReadAhead } from './read-ahead.ts';

/** How often a growing file is looked at, and how often progress is told. */
const FOLLOW_MS = 100;
const PROGRESS_MS = 500;

/** How reading ended. `at`: the octet of the (compressed) input. */
export type InputEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'truncated'; readonly at: number; readonly reason: string };

/** Takes the next octets, valid during the call. When it returns a promise, the next ones come after that. */
export type OnChunk = (bytes: Uint8Array) => Promise<void> | undefined;

/** @param size octets in all, undefined where that is not known */
export type OnProgress = (position: number, size: number | undefined) => void;

/**
 * Open what is to be read: a file, a FIFO, a device, or `-` for stdin; plain, gzip or zstd.
 * @throws KsnoopError NO_FILE, CANNOT_READ
 */
export function openInput(path: string, options: { readonly follow: boolean }): Input {
  const descriptor = path === '-' ? 0 : open(path);
  const stat = fstatSync(descriptor);
  if (stat.isDirectory()) {
    closeSync(descriptor);
    throw new KsnoopError('CANNOT_READ', `${path} is a folder, not a capture.`, { exit: EXIT.usage });
  }
  return new Input(descriptor, stat.isFile() ? stat.size : undefined, options.follow);
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT') {
      throw new KsnoopError('NO_FILE', `There is no file ${path}.`, { cause, exit: EXIT.usage });
    }
    const why = code === 'EACCES' ? 'you have no right to' : `the system says ${code ?? String(cause)}`;
    throw new KsnoopError('CANNOT_READ', `${path} cannot be read: ${why}.`, { cause });
  }
}

/** An input, read once from its beginning. */
export class Input {
  readonly #source: ReadAhead;
  readonly #size: number | undefined;
  readonly #follow: boolean;
  #toldAt = 0;

  constructor(descriptor: number, size: number | undefined, follow: boolean) {
    this.#source = new ReadAhead(descriptor, size !== undefined);
    this.#size = size;
    this.#follow = follow;
  }

  /** Read to the end, or until `signal` says stop. What `onChunk` throws ends it. */
  async each(onChunk: OnChunk, signal: AbortSignal, onProgress: OnProgress): Promise<InputEnd> {
    this.#toldAt = performance.now();
    try {
      const head = await this.#head(signal);
      if (head === undefined) return { kind: 'aborted' };
      const compression = compressionOf(head);
      if (compression !== undefined) return await this.#decompress(compression, head, onChunk, signal, onProgress);
      let bytes: Uint8Array | undefined = head;
      while (bytes !== undefined) {
        const wait = onChunk(bytes);
        if (wait !== undefined) await wait;
        this.#tell(onProgress);
        if (signal.aborted) break;
        bytes = await this.#next(signal);
        if (bytes?.length === 0) return { kind: 'complete' };
      }
      return { kind: 'aborted' };
    } finally {
      this.#source.close();
    }
  }

  /** The first octets, enough to tell a compression by; undefined when aborted before. */
  async #head(signal: AbortSignal): Promise<Uint8Array | undefined> {
    let head: Uint8Array = new Uint8Array(0);
    while (head.length < MAGIC_BYTES) {
      const bytes = await this.#next(signal);
      if (bytes === undefined) return undefined;
      if (bytes.length === 0) break;
      head = Buffer.concat([head, bytes]);
    }
    return head;
  }

  /** The next octets, none at the end, undefined when aborted. */
  async #next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = await this.#source.next(signal);
      if (bytes === undefined || bytes.length > 0 || !this.#follow || this.#size === undefined) return bytes;
      await sleep(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
    }
  }

  async #decompress(
    compression: Compression,
    head: Uint8Array,
    onChunk: OnChunk,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<InputEnd> {
    const decompressor = new Decompressor(compression, onChunk);
    let damage = await decompressor.push(head);
    while (damage === undefined) {
      const bytes = await this.#next(signal);
      if (bytes === undefined || signal.aborted) {
        decompressor.abandon();
        return { kind: 'aborted' };
      }
      if (bytes.length === 0) break;
      // The decompressor works on it in another thread, and the buffer is used again.
      damage = await decompressor.push(Uint8Array.from(bytes));
      this.#tell(onProgress);
    }
    damage ??= await decompressor.end();
    if (damage === undefined) return { kind: 'complete' };
    return { kind: 'truncated', at: this.#source.position, reason: damage };
  }

  #tell(onProgress: OnProgress): void {
    const now = performance.now();
    if (now - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = now;
    onProgress(this.#source.position, this.#size);
  }
}
