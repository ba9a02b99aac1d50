import { constants, zstdCompressSync } from 'node:zlib';
import { foundBatch } from '../wire/found-block.ts';
import { type FoundAt, FoundColumnsWriter } from '../wire/found-columns/writer.ts';

/** A batch is sent when what came first in it is so old, milliseconds; where nothing is shown before the end and no other agent's order matters. */
const AGE_MS = 250;
const LATE_AGE_MS = 2_000;

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** What was found on its way to the client: many texts together, in columns, compressed. */
export class FoundBatches {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #now: () => number;
  readonly #columns = new FoundColumnsWriter();
  #since = 0;
  /** Batches may be late. */
  isLate = false;

  /** @param now the monotonic clock, milliseconds */
  constructor(write: (bytes: Uint8Array) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  /** @returns whether it has room in a block */
  add(at: FoundAt, found: readonly unknown[]): boolean {
    if (this.#columns.isEmpty) this.#since = this.#now();
    let added = this.#columns.add(at, found);
    if (added === 'full') {
      this.flush();
      this.#since = this.#now();
      added = this.#columns.add(at, found);
    }
    return added === 'added';
  }

  /** Send a batch that is old enough. */
  tick(): void {
    if (this.#now() - this.#since >= (this.isLate ? LATE_AGE_MS : AGE_MS)) this.flush();
  }

  /** Send what there is. */
  flush(): void {
    if (this.#columns.isEmpty) return;
    const columns = this.#columns.take();
    this.#write(foundBatch(zstdCompressSync(columns, LEVEL), columns.length));
  }
}
