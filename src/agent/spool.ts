import type { Writable } from 'node:stream';
import { COALESCE_MS, SPOOL_BYTES } from '../wire/limits.ts';
import { enhancedPacketBytes, writeEnhancedPacket } from '../wire/pcapng-write.ts';
import { BATCH_BYTES, BATCHES_KEPT } from './limits.ts';

/**
 * Framed blocks on their way to stdout: gathered into batches, written one at a time, kept up to SPOOL_BYTES while the
 * reader is slow. Past that a packet is refused as a whole; bytes once taken are never dropped.
 */
export class Spool {
  /** Bytes taken and not yet written. */
  waiting = 0;
  readonly #stdout: Writable;
  readonly #bound: number;
  readonly #queue: Buffer[] = [];
  #batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #view = new DataView(this.#batch.buffer);
  #filled = 0;
  readonly #spares: ArrayBuffer[] = [];
  #writing = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = 0;
  #waiters: (() => void)[] = [];

  constructor(stdout: Writable, bound: number = SPOOL_BYTES) {
    this.#stdout = stdout;
    this.#bound = bound;
    stdout.on('error', () => this.close());
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
    if (this.waiting + needed > this.#bound) return false;
    this.#makeRoom(needed);
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
    this.waiting += needed;
    return true;
  }

  /** Blocks that are never refused: interfaces, statistics, the end marker. */
  push(block: Uint8Array): void {
    this.#makeRoom(block.length);
    this.#batch.set(block, this.#filled);
    this.#filled += block.length;
    this.waiting += block.length;
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
    this.#queue.length = 0;
    this.waiting = 0;
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
    this.#stdout.write(bytes, (error) => {
      this.#writing = false;
      if (error) {
        this.close();
        return;
      }
      this.waiting -= bytes.length;
      this.#flushedAt = performance.now();
      const { buffer } = bytes;
      const again = buffer.byteLength === BATCH_BYTES && buffer instanceof ArrayBuffer;
      if (again && this.#spares.length < BATCHES_KEPT) this.#spares.push(buffer);
      if (this.#queue.length > 0) this.#next();
      else if (this.#filled > 0) this.scheduleFlush();
      this.#tell();
    });
  }

  #tell(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
