import { closeSync, fstatSync, openSync, read } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, KsnoopError, systemCode } from '../wire/errors.ts';
import { type Compression, compressionOf, Decompressor, MAGIC_BYTES } from './decompress.ts';

/** One read: small enough to stay in the processor's cache until it is decoded, large enough to be worth a turn. */
const CHUNK_BYTES = 1024 * 1024;

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
  /** Octets read so far. */
  position = 0;
  readonly #descriptor: number;
  readonly #size: number | undefined;
  readonly #follow: boolean;
  /** While the octets of one are looked at, another thread reads into the other. */
  #buffer = new Uint8Array(CHUNK_BYTES);
  #spare = new Uint8Array(CHUNK_BYTES);
  #ahead: Promise<number | undefined> | undefined;
  #toldAt = 0;

  constructor(descriptor: number, size: number | undefined, follow: boolean) {
    this.#descriptor = descriptor;
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
      const wait = onChunk(head);
      if (wait !== undefined) await wait;
      for (;;) {
        const count = await this.#next(signal);
        if (count === undefined) return { kind: 'aborted' };
        if (count === 0) return { kind: 'complete' };
        const more = onChunk(count === CHUNK_BYTES ? this.#buffer : this.#buffer.subarray(0, count));
        if (more !== undefined) await more;
        this.#tell(onProgress);
        if (signal.aborted) return { kind: 'aborted' };
      }
    } finally {
      // A read under way must not end up in a descriptor that is somebody else's by then.
      if (this.#descriptor !== 0) void (this.#ahead ?? Promise.resolve()).finally(() => closeSync(this.#descriptor));
    }
  }

  /** The first octets, enough to tell a compression by; undefined when aborted before. */
  async #head(signal: AbortSignal): Promise<Uint8Array | undefined> {
    let head = new Uint8Array(0);
    while (head.length < MAGIC_BYTES) {
      const count = await this.#next(signal);
      if (count === undefined) return undefined;
      if (count === 0) break;
      head = Buffer.concat([head, this.#buffer.subarray(0, count)]);
    }
    return head;
  }

  /** The next octets, in the buffer. @returns octets, 0 at the end, undefined when aborted */
  async #next(signal: AbortSignal): Promise<number | undefined> {
    for (;;) {
      const count = await (this.#ahead ?? this.#read(signal));
      this.#ahead = undefined;
      if (count === undefined) return undefined;
      [this.#buffer, this.#spare] = [this.#spare, this.#buffer];
      this.position += count;
      if (count > 0) this.#ahead = this.#read(signal);
      if (count > 0 || !this.#follow || this.#size === undefined) return count;
      if (signal.aborted) return undefined;
      await sleep(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
    }
  }

  /** Read into the spare buffer. */
  #read(signal: AbortSignal): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const abort = () => resolve(undefined);
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      read(this.#descriptor, this.#spare, 0, CHUNK_BYTES, null, (error, count) => {
        signal.removeEventListener('abort', abort);
        if (error === null) resolve(count);
        // A terminal's or socket's way of saying that nothing more comes.
        else if (error.code === 'EOF') resolve(0);
        else if (error.code === 'EAGAIN') setTimeout(() => resolve(this.#read(signal)), 5);
        else reject(new KsnoopError('CANNOT_READ', `The input cannot be read: ${error.message}.`, { cause: error }));
      });
    });
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
      const count = await this.#next(signal);
      if (count === undefined || signal.aborted) {
        decompressor.abandon();
        return { kind: 'aborted' };
      }
      if (count === 0) break;
      // The decompressor works on it in another thread, and the buffer is used again.
      damage = await decompressor.push(Uint8Array.from(this.#buffer.subarray(0, count)));
      this.#tell(onProgress);
    }
    damage ??= await decompressor.end();
    return damage === undefined ? { kind: 'complete' } : { kind: 'truncated', at: this.position, reason: damage };
  }

  #tell(onProgress: OnProgress): void {
    const now = performance.now();
    if (now - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = now;
    onProgress(this.position, this.#size);
  }
}
