import type { Writable } from 'node:stream';
import { BATCH_BYTES, Batches, Waiters } from '../../wire/batches.ts';
import { COALESCE_MS, SPOOL_BYTES } from '../../wire/limits.ts';
import { enhancedPacketBytes, writeEnhancedPacket } from '../../wire/pcapng-write.ts';
import { BATCHES_KEPT, SPILL_BYTES, SPOOL_FLOOR, SPOOL_GRANT } from '../limits.ts';
import { Allowance } from './allowance.ts';
import { BatchQueue } from './batch-queue.ts';
import type { MemoryShare } from './memory-budget.ts';
import type { SpoolFile } from './spool-file.ts';

/** Batches that are kept for use again, of all sessions of the process: 4 MiB for each of a hundred would be its whole memory. */
const SPARES: ArrayBuffer[] = [];

export interface SpoolOptions {
  /** Bytes in memory at most. */
  readonly bound?: number;
  /** Of those, how many stay in memory when there is a file. */
  readonly keep?: number;
  /** Where more goes when the reader is slow. */
  readonly file?: SpoolFile | undefined;
  /** The file is no longer used; the reason. */
  readonly fileFailed?: (why: string) => void;
  /** The session's part of the memory; left out: the bound alone counts. */
  readonly memory?: Pick<MemoryShare, 'allow'>;
}

/**
 * Framed blocks on their way to stdout: gathered into batches, written one at a time, kept while the reader is slow, up to
 * SPOOL_BYTES in memory and more on disk. Past that a packet is refused as a whole; bytes once taken are never dropped.
 */
export class Spool {
  /** Bytes taken so far, those that wait included. */
  taken = 0;
  #stdout: Writable;
  readonly #bound: number;
  readonly #keep: number;
  readonly #allowance: Allowance;
  readonly #queue: BatchQueue;
  /** Bytes of the batch that is being written. */
  #leaving = 0;
  readonly #batch = new Batches(BATCHES_KEPT, SPARES);
  #writing = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = 0;
  /** Packets have been taken; some of them have been handed to the stream. */
  #hasPackets = false;
  #hasBegun = false;
  readonly #waiters = new Waiters();

  constructor(
    stdout: Writable,
    { bound = SPOOL_BYTES, keep = SPILL_BYTES, file, fileFailed = () => {}, memory }: SpoolOptions = {},
  ) {
    this.#stdout = stdout;
    this.#bound = bound;
    this.#keep = keep;
    const allowed = { floor: SPOOL_FLOOR, held: () => this.inMemory };
    this.#allowance = memory?.allow(allowed) ?? new Allowance({ ...allowed, grant: () => true });
    this.#queue = new BatchQueue(file, keep, {
      freed: (bytes) => this.#batch.reuse(bytes),
      empty: () => this.#batch.empty(),
      failed: fileFailed,
    });
    stdout.on('error', () => this.close());
  }

  /** From now on, before the first block, another stream takes the blocks. */
  redirect(stdout: Writable): void {
    this.#stdout = stdout;
    stdout.on('error', () => this.close());
  }

  /** Bytes taken and not yet written. */
  get waiting(): number {
    return this.#closed ? 0 : this.#queue.waiting + this.#leaving + this.#batch.filled;
  }

  /** Bytes of memory that packets take. */
  get inMemory(): number {
    return this.#queue.inMemory + this.#leaving + this.#batch.filled;
  }

  /** The reader is gone: what waits was discarded. */
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
    if (this.#closed) return false;
    const needed = enhancedPacketBytes(caplen, flags !== 0);
    const inMemory = this.inMemory + needed;
    if (inMemory > this.#bound || (inMemory > this.#allowance.granted && !this.#grow(inMemory))) return false;
    this.#makeRoom(needed);
    this.taken += needed;
    this.#hasPackets = true;
    const batch = this.#batch;
    batch.filled = writeEnhancedPacket(
      batch.bytes,
      batch.view,
      batch.filled,
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
    if (this.#closed) return;
    this.#makeRoom(block.length);
    this.#batch.bytes.set(block, this.#batch.filled);
    this.#batch.filled += block.length;
    this.taken += block.length;
    this.scheduleFlush();
  }

  /**
   * Write soon: at once when the last time is COALESCE_MS ago, else when it will be. The first packets do not wait for the time of
   * their interface's block, which was written when their capture began.
   */
  scheduleFlush(): void {
    if (this.#writing) return;
    const isFirst = this.#hasPackets && !this.#hasBegun;
    if (this.#timer !== undefined) {
      if (!isFirst) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    const wait = this.#flushedAt + COALESCE_MS - performance.now();
    if (wait <= 0 || isFirst) this.#next();
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (!this.#writing) this.#next();
      }, wait);
    }
  }

  /** Resolves when everything taken has been written, or the reader is gone. */
  async drained(): Promise<void> {
    if (!this.#writing) this.#next();
    while (this.waiting > 0 && !this.#closed) await this.#waiters.wait();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#queue.clear();
    this.#waiters.wake();
  }

  /** @returns false when the memory is wanted elsewhere: then what waits goes to disk, where there is one */
  #grow(inMemory: number): boolean {
    if (this.#allowance.admits(inMemory)) return true;
    this.#queue.keep(Math.min(this.#keep, Math.max(0, this.#allowance.granted - SPOOL_GRANT)));
    return false;
  }

  #makeRoom(needed: number): void {
    const batch = this.#batch;
    if (needed <= batch.room) return;
    if (batch.filled > 0) this.#queue.push(batch.cut());
    if (needed > batch.room) batch.enlarge(needed);
    if (!this.#writing) this.#next();
  }

  #next(): void {
    if (this.#closed) return;
    if (this.#queue.length === 0 && this.#batch.filled > 0) this.#queue.push(this.#batch.cut());
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

  #write(bytes: Buffer<ArrayBuffer>): void {
    if (this.#closed) return;
    this.#hasBegun = this.#hasPackets;
    this.#leaving = bytes.length;
    this.#stdout.write(bytes, (error) => {
      this.#writing = false;
      this.#leaving = 0;
      if (error) {
        this.close();
        return;
      }
      this.#flushedAt = performance.now();
      this.#batch.reuse(bytes);
      this.#allowance.giveBack();
      if (this.#queue.length === 0) this.#queue.keep(this.#keep);
      if (this.#queue.length > 0) this.#next();
      else if (this.#batch.filled > 0) this.scheduleFlush();
      this.#waiters.wake();
    });
  }
}
