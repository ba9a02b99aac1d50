import { BATCH_BYTES } from '../../wire/batches.ts';
import { messageOf } from '../../wire/errors.ts';
import type { SpoolFile } from './spool-file.ts';

/** A batch that waits for the reader: in memory, on its way to the disk, or there. */
interface Waiting {
  readonly length: number;
  bytes: Buffer<ArrayBuffer> | undefined;
  slot: number | undefined;
}

export interface BatchQueueHandlers {
  /** A batch is on disk: its memory may be used again. */
  freed(bytes: Buffer<ArrayBuffer>): void;
  /** Memory for a batch that comes back from the disk. */
  empty(): ArrayBuffer;
  /** Called once: the disk is no longer used, from now on batches stay in memory. */
  failed(why: string): void;
}

/** Batches in order. What is too much for memory is brought to disk, as long as there is one with room. */
export class BatchQueue {
  /** Bytes that wait, and those of them that are in memory. */
  waiting = 0;
  inMemory = 0;
  readonly #batches: Waiting[] = [];
  #keep: number;
  readonly #handlers: BatchQueueHandlers;
  #file: SpoolFile | undefined;
  #spilling = false;
  /** The disk takes no more; what is there is still read. */
  #givenUp = false;

  /** @param keep bytes that stay in memory where there is a file */
  constructor(file: SpoolFile | undefined, keep: number, handlers: BatchQueueHandlers) {
    this.#file = file;
    this.#keep = keep;
    this.#handlers = handlers;
  }

  get length(): number {
    return this.#batches.length;
  }

  /** Have so many bytes stay in memory from now on, where there is a file. */
  keep(bytes: number): void {
    if (bytes === this.#keep) return;
    this.#keep = bytes;
    void this.#spill();
  }

  push(bytes: Buffer<ArrayBuffer>): void {
    this.#batches.push({ length: bytes.length, bytes, slot: undefined });
    this.waiting += bytes.length;
    this.inMemory += bytes.length;
    void this.#spill();
  }

  /** The first batch, at once where it is in memory. Rejects when the disk does not give it back. */
  shift(): Buffer<ArrayBuffer> | Promise<Buffer<ArrayBuffer>> | undefined {
    const batch = this.#batches.shift();
    if (batch === undefined) return undefined;
    this.waiting -= batch.length;
    const { bytes } = batch;
    if (bytes !== undefined) {
      this.inMemory -= batch.length;
      // A batch on its way to the disk gives its slot back when it has come there.
      batch.bytes = undefined;
      return bytes;
    }
    return this.#fetch(batch);
  }

  clear(): void {
    this.#batches.length = 0;
    this.waiting = 0;
    this.inMemory = 0;
    this.#file?.close();
    this.#file = undefined;
  }

  async #fetch({ length, slot }: Waiting): Promise<Buffer<ArrayBuffer>> {
    const file = this.#file;
    if (file === undefined || slot === undefined) throw new Error('the spool was closed');
    const bytes = Buffer.from(this.#handlers.empty(), 0, length);
    await file.read(slot, bytes);
    file.give(slot);
    return bytes;
  }

  /** One batch at a time, the newest first: the oldest are wanted soonest. */
  async #spill(): Promise<void> {
    const file = this.#file;
    if (this.#spilling || this.#givenUp || file === undefined) return;
    this.#spilling = true;
    try {
      while (this.inMemory > this.#keep) {
        const batch = this.#batches.findLast(({ bytes, length }) => bytes !== undefined && length <= BATCH_BYTES);
        if (batch?.bytes === undefined) return;
        const slot = file.take();
        if (slot === undefined) return;
        const { bytes } = batch;
        await file.write(slot, bytes);
        if (this.#file === undefined) return;
        if (batch.bytes === undefined) {
          // Meanwhile it went to the reader.
          file.give(slot);
          continue;
        }
        batch.bytes = undefined;
        batch.slot = slot;
        this.inMemory -= batch.length;
        this.#handlers.freed(bytes);
      }
    } catch (thrown) {
      this.#givenUp = true;
      this.#handlers.failed(messageOf(thrown));
    } finally {
      this.#spilling = false;
    }
  }
}
