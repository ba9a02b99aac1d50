import { closeSync, fstatSync, write } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { Batches, Waiters } from '../../wire/batches.ts';
import { systemCode } from '../../wire/errors.ts';

/** Batches kept for use again: one is written while the other is filled. */
const KEPT = 1;

/** Node destroys the stdin of a child that has ended, perhaps before the kernel could say EPIPE. */
const READER_GONE = new Set<string | undefined>(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

export type WriterEnd =
  /** The reader went away (EPIPE): Wireshark was closed, `head` has enough. A normal end. */
  | { readonly kind: 'closed' }
  /** The kernel refused: a full disk, for example. */
  | { readonly kind: 'failed'; readonly error: Error };

/**
 * Writes bytes to a file or a stream without ever blocking the event loop (which must go on sending heartbeats), copying
 * what it is given. Pipes and sockets are written as non-blocking streams, files by the thread pool, one call at a time.
 */
export class ByteWriter {
  /** Bytes taken and not yet with the kernel. */
  pending = 0;
  /** Bytes the kernel has taken. */
  written = 0;
  /** The first reason why no more can be written. */
  end: WriterEnd | undefined;
  readonly #write: (bytes: Uint8Array, done: (error: Error | null | undefined) => void) => void;
  readonly #onProgress: () => void;
  readonly #close: () => void;
  readonly #batch = new Batches(KEPT);
  #queue: Buffer<ArrayBuffer>[] = [];
  #writing = false;
  readonly #waiters = new Waiters();

  /**
   * @param sink a file descriptor, or a stream such as a child's stdin
   * @param onProgress called whenever `pending` has shrunk or `end` was set
   */
  constructor(sink: number | Writable, onProgress: () => void) {
    this.#onProgress = onProgress;
    const ended = (error: Error) => this.#ended(error);
    const file = typeof sink === 'number' && !isStream(sink) ? sink : undefined;
    if (file !== undefined) {
      this.#write = fileWrite(file);
      this.#close = () => closeSync(file);
      return;
    }
    const stream = typeof sink === 'number' ? new Socket({ fd: sink, readable: false }) : sink;
    this.#write = streamWrite(stream, ended);
    this.#close = () => void stream.end();
  }

  /** Take a copy of these bytes. */
  push(bytes: Uint8Array, offset: number, length: number): void {
    if (this.end !== undefined) return;
    this.pending += length;
    let from = offset;
    let left = length;
    const batch = this.#batch;
    while (left > 0) {
      const taken = Math.min(left, batch.room);
      batch.bytes.set(bytes.subarray(from, from + taken), batch.filled);
      batch.filled += taken;
      from += taken;
      left -= taken;
      if (batch.room === 0) {
        this.#queue.push(batch.cut());
        if (!this.#writing) this.#next();
      }
    }
  }

  /** Take a text, as UTF-8: without making bytes of it first where the batch has room. */
  pushText(text: string): void {
    if (this.end !== undefined) return;
    const batch = this.#batch;
    // A unit of UTF-16 becomes three bytes at most.
    if (text.length * 3 >= batch.room) {
      const bytes = Buffer.from(text, 'utf8');
      this.push(bytes, 0, bytes.length);
      return;
    }
    const length = batch.bytes.write(text, batch.filled, 'utf8');
    batch.filled += length;
    this.pending += length;
  }

  /** Hand over what has been gathered; while a call is under way that happens by itself when it returns. */
  flush(): void {
    if (!this.#writing) this.#next();
  }

  /** Resolves when all that was taken is with the kernel, or nothing more can be written. */
  async drained(): Promise<void> {
    this.flush();
    while (this.pending > 0 && this.end === undefined) await this.#waiters.wait();
  }

  /** The reader is known to be gone, though no write has failed yet. */
  readerGone(): void {
    this.#end({ kind: 'closed' });
  }

  /** Close the file, or end the stream. */
  close(): void {
    this.#close();
  }

  #next(): void {
    if (this.end !== undefined) return;
    if (this.#queue.length === 0 && this.#batch.filled > 0) this.#queue.push(this.#batch.cut());
    const bytes = this.#queue.shift();
    if (bytes === undefined) return;
    this.#writing = true;
    this.#write(bytes, (error) => {
      this.#writing = false;
      if (error) {
        this.#ended(error);
        return;
      }
      this.pending -= bytes.length;
      this.written += bytes.length;
      this.#batch.reuse(bytes);
      this.#next();
      this.#tell();
    });
  }

  #ended(error: Error): void {
    this.#end(READER_GONE.has(systemCode(error)) ? { kind: 'closed' } : { kind: 'failed', error });
  }

  #end(end: WriterEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.#queue = [];
    this.pending = 0;
    this.#tell();
  }

  #tell(): void {
    this.#waiters.wake();
    this.#onProgress();
  }
}

type Write = (bytes: Uint8Array, done: (error: Error | null | undefined) => void) => void;

function isStream(fd: number): boolean {
  const kind = fstatSync(fd);
  return kind.isFIFO() || kind.isSocket();
}

function streamWrite(stream: Writable, onEnd: (error: Error) => void): Write {
  stream.on('error', onEnd);
  return (bytes, done) => void stream.write(bytes, done);
}

function fileWrite(fd: number): Write {
  const step = (bytes: Uint8Array, done: (error: Error | null | undefined) => void): void =>
    write(fd, bytes, (error, count) => {
      if (error || count === bytes.length) done(error);
      else step(bytes.subarray(count), done);
    });
  return step;
}
