import type { Writable } from 'node:stream';
import { COALESCE_MS, SPOOL_BYTES } from '../../wire/limits.ts';
import { enhancedPacketBytes, writeEnhancedPacket } from '../../wire/pcapng-write.ts';
import { BATCH_BYTES, BATCHES_KEPT, SPILL_BYTES } from '../limits.ts';
import { BatchQueue } from './batch-queue.ts';
import type { SpoolFile } from './spool-file.ts';

export interface SpoolOptions {
  /** Bytes in memory at most. */
  readonly bound?: number;
  /** Of those, how many stay in memory when there is a file. */
  readonly keep?: number;
  /** Where more goes when the reader is slow. */
  readonly file?: SpoolFile | undefined;
  /** The file is given up: why. */
  readonly fileFailed?: (why: string) => void;
}

/**
 * Framed blocks on their way to stdout: gathered into batches, written one at a time, kept while the reader is slow, up to
 * SPOOL_BYTES in memory and more on disk. Past that a packet is refused as a whole; bytes once taken are never dropped.
 */
export class Spool {
  /** Bytes taken so far, those that wait included. */
  taken = 0;
  readonly #stdout: Writable;
  readonly #bound: number;
  readonly #queue: BatchQueue;
  /** Bytes of the batch that is being written. */
  #leaving = 0;
  #batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #view = new DataView(this.#batch.buffer);
  #filled = 0;
  readonly #spares: ArrayBuffer[] = [];
  #writing = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = 0;
  #waiters: (() => void)[] = [];

  constructor(
    stdout: Writable,
    { bound = SPOOL_BYTES, keep = SPILL_BYTES, file, fileFailed = () => {} }: SpoolOptions = {},
  ) {
    this.#stdout = stdout;
    this.#bound = bound;
    this.#queue = new BatchQueue(file, keep, { freed: (bytes) => this.#spare(bytes), failed: fileFailed });
    stdout.on('error', () => this.close());
  }

  /** Bytes taken and not yet written. */
  get waiting(): number {
    return this.#closed ? 0 : this.#queue.waiting + this.#leaving + this.#filled;
  }

  /** Nobody reads any more: what waits is given up. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @returns false when the packet found no room and was left out */
  pushPacket(
    interfaceId: number,
    timeHigh: number,
    timeLow: number,
    caplen: number,
    origlen: number,
    flags: number,
    data: Uint8Array,
    offset: number,
  ): boolean {
    const needed = enhancedPacketBytes(caplen, flags !== 0);
    if (this.#queue.inMemory + this.#leaving + this.#filled + needed > this.#bound) return false;
    this.#makeRoom(needed);
    this.taken += needed;
    this.#filled = writeEnhancedPacket(
      this.#batch,
      this.#view,
      this.#filled,
      interfaceId,
      timeHigh,
      timeLow,
      caplen,
      origlen,
      flags,
      data,
      offset,
    );
    return true;
  }

  /** Blocks that are never refused: interfaces, statistics, the end marker. */
  push(block: Uint8Array): void {
    this.#makeRoom(block.length);
    this.#batch.set(block, this.#filled);
    this.#filled += block.length;
    this.taken += block.length;
    this.scheduleFlush();
  }

  /** Write soon: at once when the last time is COALESCE_MS ago, else when it will be. */
  scheduleFlush(): void {
    if (this.#timer !== undefined || this.#writing) return;
    const wait = this.#flushedAt + COALESCE_MS - performance.now();
    if (wait <= 0) this.#next();
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (!this.#writing) this.#next();
      }, wait);
    }
  }

  /** Resolves when everything taken has been written, or nobody reads any more. */
  async drained(): Promise<void> {
    if (!this.#writing) this.#next();
    while (this.waiting > 0 && !this.#closed) await new Promise<void>((done) => this.#waiters.push(done));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#queue.clear();
    this.#tell();
  }

  #makeRoom(needed: number): void {
    if (this.#filled + needed <= this.#batch.length) return;
    if (this.#filled > 0) this.#cutBatch();
    if (needed > this.#batch.length) this.#use(new ArrayBuffer(needed));
    if (!this.#writing) this.#next();
  }

  #cutBatch(): void {
    this.#queue.push(this.#batch.subarray(0, this.#filled));
    this.#use(this.#spares.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES).buffer);
  }

  #use(buffer: ArrayBuffer): void {
    this.#batch = Buffer.from(buffer);
    this.#view = new DataView(buffer);
    this.#filled = 0;
  }

  #next(): void {
    if (this.#closed) return;
    if (this.#queue.length === 0 && this.#filled > 0) this.#cutBatch();
    const bytes = this.#queue.shift();
    if (bytes === undefined) return;
    this.#writing = true;
    if (!('then' in bytes)) this.#write(bytes);
    else {
      this.#leaving = BATCH_BYTES;
      bytes.then(
        (read) => this.#write(read),
        () => this.close(),
      );
    }
  }

  #write(bytes: Buffer): void {
    if (this.#closed) return;
    this.#leaving = bytes.length;
    this.#stdout.write(bytes, (error) => {
      this.#writing = false;
      this.#leaving = 0;
      if (error) {
        this.close();
        return;
      }
      this.#flushedAt = performance.now();
      this.#spare(bytes);
      if (this.#queue.length > 0) this.#next();
      else if (this.#filled > 0) this.scheduleFlush();
      this.#tell();
    });
  }

  #spare({ buffer }: Buffer): void {
    const again = buffer.byteLength === BATCH_BYTES && buffer instanceof ArrayBuffer;
    if (again && this.#spares.length < BATCHES_KEPT) this.#spares.push(buffer);
  }

  #tell(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
