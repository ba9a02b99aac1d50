import { constants, zstdCompressSync } from 'node:zlib';
import { FOUND_BATCH_MAXIMUM, type FoundPlace, foundBatch, foundBlockRoom, writeFound } from '../wire/found-block.ts';

/** A batch is sent when it is so long, bytes, or its first block is so old, milliseconds: longer ones compress better. */
const FULL_BYTES = 256 * 1024;
const AGE_MS = 250;

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Found blocks on their way to the client: several together are compressed to a tenth and less. */
export class FoundBatches {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #now: () => number;
  readonly #blocks = Buffer.allocUnsafeSlow(FOUND_BATCH_MAXIMUM);
  /** Bytes of blocks that wait. */
  #bytes = 0;
  #since = 0;

  /** @param now the monotonic clock, milliseconds */
  constructor(write: (bytes: Uint8Array) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  add(place: FoundPlace, json: string): void {
    if (this.#bytes + foundBlockRoom(json) > this.#blocks.length) this.flush();
    if (this.#bytes === 0) this.#since = this.#now();
    this.#bytes = writeFound(this.#blocks, this.#bytes, place, json);
    if (this.#bytes >= FULL_BYTES) this.flush();
  }

  /** Send a batch that is old enough. */
  tick(): void {
    if (this.#bytes > 0 && this.#now() - this.#since >= AGE_MS) this.flush();
  }

  /** Send what there is. */
  flush(): void {
    if (this.#bytes === 0) return;
    const blocks = this.#blocks.subarray(0, this.#bytes);
    this.#bytes = 0;
    this.#write(foundBatch(zstdCompressSync(blocks, LEVEL), blocks.length));
  }
}
