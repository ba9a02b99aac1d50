/** Size of one batch of bytes on its way to a file or stream: written with one call. */
export const BATCH_BYTES = 256 * 1024;

/**
 * Bytes gathered into batches of BATCH_BYTES, whose memory is used again. Its users fill `bytes` from `filled` on, and
 * move `filled`.
 */
export class Batches {
  bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(BATCH_BYTES);
  view = new DataView(this.bytes.buffer);
  filled = 0;
  readonly #kept: number;
  readonly #spares: ArrayBuffer[];

  /**
   * @param kept batches of memory that are kept for use again
   * @param spares where they are kept; several may share it
   */
  constructor(kept: number, spares: ArrayBuffer[] = []) {
    this.#kept = kept;
    this.#spares = spares;
  }

  /** Bytes that the batch has room for. */
  get room(): number {
    return this.bytes.length - this.filled;
  }

  /** The batch as far as it is filled; another one begins. */
  cut(): Buffer<ArrayBuffer> {
    const batch = this.bytes.subarray(0, this.filled);
    this.#use(this.empty());
    return batch;
  }

  /** Memory for a batch of BATCH_BYTES: used again where there is some. `reuse` takes it back. */
  empty(): ArrayBuffer {
    return this.#spares.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES).buffer;
  }

  /** Make the batch, which must be empty, longer than BATCH_BYTES: for one piece that has no room in any. */
  enlarge(length: number): void {
    this.#use(new ArrayBuffer(length));
  }

  /** A batch has been written: its memory may be used again. */
  reuse({ buffer }: Buffer<ArrayBuffer>): void {
    if (buffer.byteLength === BATCH_BYTES && this.#spares.length < this.#kept) this.#spares.push(buffer);
  }

  #use(buffer: ArrayBuffer): void {
    this.bytes = Buffer.from(buffer);
    this.view = new DataView(buffer);
    this.filled = 0;
  }
}

/** Promises of those who wait for a change and check it again at every wake. */
export class Waiters {
  #waiting: (() => void)[] = [];

  /** Resolves at the next `wake`. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
