import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { joinedBytes } from '../../wire/bytes.ts';
import { EXIT, KsnoopError, systemCode } from '../../wire/errors.ts';
import { compressionOf, type FileCompression, MAGIC_BYTES } from './compressions.ts';
import { decompressor as decompressorOf } from './decompress.ts';
import { DeviceSource } from './device-source.ts';
import { FileSource } from './file-source.ts';
import { Followed } from './followed.ts';
import { PipeSource } from './pipe-source.ts';

/** Compressed bytes handed over in one go. */
const PIECE_BYTES = 64 * 1024;
/** So many at a file's end are handed over one by one: gzip loses with stray bytes what came in the same go. */
const LAST_BYTES = 256;

/** How often a growing file is looked at, and how often progress is reported. */
const FOLLOW_MS = 100;
const PROGRESS_MS = 500;

/** How reading ended. `at`: the byte of the (compressed) input. */
export type InputEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'aborted' }
  /** It was followed, and is another file by now: no more comes. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'truncated'; readonly at: number; readonly reason: string };

type Source = FileSource | PipeSource | DeviceSource;

/** Takes the next bytes, valid during the call. When it returns a promise, the next ones come after that. */
export type OnChunk = (bytes: Uint8Array) => Promise<void> | undefined;

/** @param size bytes in all, undefined where that is not known */
export type OnProgress = (position: number, size: number | undefined) => void;

/**
 * Open what is to be read: a file, a FIFO, a device, or `-` for stdin; plain or compressed.
 * @throws KsnoopError NO_FILE, CANNOT_READ
 */
export function openInput(path: string, options: { readonly follow: boolean }): Input {
  const descriptor = path === '-' ? 0 : open(path);
  const stat = fstatSync(descriptor);
  if (stat.isDirectory()) {
    closeSync(descriptor);
    const hint = 'Name a file in it.';
    throw new KsnoopError('CANNOT_READ', `${path} is a directory, not a capture.`, { hint, exit: EXIT.usage });
  }
  const size = stat.isFile() ? stat.size : undefined;
  // The process that opened stdin may have read a part of it: reading starts at its offset.
  const piped = stat.isFIFO() || stat.isSocket();
  const fromStart = path !== '-';
  const source = stat.isFile()
    ? new FileSource(descriptor, fromStart)
    : piped
      ? new PipeSource(descriptor)
      : new DeviceSource(descriptor);
  const followed = options.follow && size !== undefined ? new Followed(descriptor, path) : undefined;
  return new Input(source, size, followed);
}

function open(path: string): number {
  try {
    // A FIFO without a writer must not keep the process waiting in open(2), where it does not handle signals.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const hint = 'To read a capture file: ksnoop read FILE; to read from a pipe: ksnoop read -';
      throw new KsnoopError('NO_FILE', `There is no file ${path}.`, { hint, cause, exit: EXIT.usage });
    }
    const forbidden = code === 'EACCES' || code === 'EPERM';
    const why = forbidden ? 'you have no permission' : `the system says ${code ?? String(cause)}`;
    const hint = forbidden
      ? `Check its permissions with ls -l ${path}, or run: sudo cat ${path} | ksnoop read -`
      : undefined;
    throw new KsnoopError('CANNOT_READ', `${path} cannot be read: ${why}.`, { hint, cause });
  }
}

/** The error NO_CAPTURE with the name of the input; any other as it is. */
export function naming(path: string, thrown: unknown): unknown {
  if (!(thrown instanceof KsnoopError) || thrown.code !== 'NO_CAPTURE') return thrown;
  const { hint, exit } = thrown;
  return new KsnoopError('NO_CAPTURE', `${path === '-' ? 'stdin' : path}: ${thrown.message}`, {
    hint,
    exit,
    cause: thrown,
  });
}

/** An input, read once from its beginning. */
export class Input {
  /** Bytes in all; undefined where that is not known. */
  readonly size: number | undefined;
  readonly #source: Source;
  readonly #followed: Followed | undefined;
  #toldAt = 0;

  constructor(source: Source, size: number | undefined, followed: Followed | undefined) {
    this.#source = source;
    this.size = size;
    this.#followed = followed;
  }

  /** Bytes read so far, as they are in the input: of compressed ones before they are decompressed. */
  get position(): number {
    return this.#source.position;
  }

  /** Read to the end, or until `signal` aborts. An error of `onChunk` ends it. */
  async each(onChunk: OnChunk, signal: AbortSignal, onProgress: OnProgress): Promise<InputEnd> {
    this.#toldAt = performance.now();
    try {
      const head = await this.#head(signal);
      if (head === undefined) return { kind: 'aborted' };
      const compression = compressionOf(head);
      if (compression !== undefined) return await this.#decompress({ compression, head }, onChunk, signal, onProgress);
      let bytes: Uint8Array | undefined = head;
      while (bytes !== undefined) {
        const wait = onChunk(bytes);
        if (wait !== undefined) await wait;
        this.#tell(onProgress);
        if (signal.aborted) break;
        bytes = await this.#next(signal);
        if (bytes?.length === 0) return this.#ended({ kind: 'complete' });
      }
      return { kind: 'aborted' };
    } finally {
      this.#source.close();
    }
  }

  /** The first bytes, enough to recognise a compression; undefined when aborted before. */
  async #head(signal: AbortSignal): Promise<Uint8Array | undefined> {
    let head: Uint8Array = new Uint8Array(0);
    while (head.length < MAGIC_BYTES) {
      const bytes = await this.#next(signal);
      if (bytes === undefined) return undefined;
      if (bytes.length === 0) break;
      head = joinedBytes([head, bytes]);
    }
    return head;
  }

  /** How it ended, once all of it was read: a followed file ends only because somebody did something to it. */
  #ended(end: InputEnd): InputEnd {
    const reason = this.#followed?.state(this.position);
    if (end.kind !== 'complete' || reason === undefined || reason === 'same') return end;
    if (reason === 'replaced') return { kind: 'replaced' };
    return { kind: 'truncated', at: this.position, reason: 'the file was cut while it was followed' };
  }

  /** The next bytes, none at the end, undefined when aborted. */
  async #next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (let over = false; ; ) {
      const bytes = await this.#source.next(signal);
      // What was written before it was replaced is read still.
      if (bytes === undefined || bytes.length > 0 || this.#followed === undefined || over) return bytes;
      over = this.#followed.state(this.position) !== 'same';
      if (over) continue;
      await sleep(FOLLOW_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
    }
  }

  async #decompress(
    { compression, head }: { readonly compression: FileCompression; readonly head: Uint8Array },
    onChunk: OnChunk,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<InputEnd> {
    const decompressor = decompressorOf(compression, onChunk);
    // A few bytes may expand to gigabytes.
    const abandon = () => decompressor.abandon();
    signal.addEventListener('abort', abandon, { once: true });
    try {
      for (let bytes: Uint8Array | undefined = head; bytes?.length !== 0; bytes = await this.#next(signal)) {
        if (bytes === undefined) return { kind: 'aborted' };
        for (let at = 0, next = 0; at < bytes.length; at = next) {
          const size = compression.name === 'gzip' ? this.size : undefined;
          const left = (size ?? Number.POSITIVE_INFINITY) - this.position + bytes.length - at;
          next = Math.min(bytes.length, at + Math.max(1, Math.min(PIECE_BYTES, left - LAST_BYTES)));
          // The decompressor works on it in another thread, and the buffer is used again.
          const damage = await decompressor.push(bytes.slice(at, next));
          if (signal.aborted) return { kind: 'aborted' };
          if (damage !== undefined) return { kind: 'truncated', at: decompressor.taken, reason: damage };
          this.#tell(onProgress);
        }
      }
      const damage = await decompressor.end();
      if (signal.aborted) return { kind: 'aborted' };
      return damage === undefined
        ? this.#ended({ kind: 'complete' })
        : { kind: 'truncated', at: Math.min(this.position, decompressor.taken), reason: damage };
    } finally {
      signal.removeEventListener('abort', abandon);
      abandon();
    }
  }

  #tell(onProgress: OnProgress): void {
    const now = performance.now();
    if (now - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = now;
    onProgress(this.position, this.size);
  }
}
