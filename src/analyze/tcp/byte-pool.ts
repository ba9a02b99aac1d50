/** Buffers are multiples of this, bytes: what is kept takes at most so much more than it has. */
const STEP = 512;
/** Longer ones are made anew each time. */
const LONGEST = 64 * 1024;
/** Bytes of free buffers. */
const FREE_MAXIMUM = 4 * 1024 * 1024;

/** In place of bytes that are not read. */
const UNREAD = new Uint8Array(LONGEST);

/** Copies of bytes in buffers that are used again: behind a hole every segment is copied, and freed two milliseconds later. */
export class BytePool {
  /** By length, in steps. */
  readonly #free: Uint8Array[][] = [];
  #freeBytes = 0;

  /** @returns a buffer that begins with the bytes from `start` to `end` */
  copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    const steps = Math.ceil(length / STEP);
    const free = this.#free[steps]?.pop();
    if (free !== undefined) this.#freeBytes -= free.length;
    const buffer = free ?? new Uint8Array(length > LONGEST ? length : steps * STEP);
    buffer.set(bytes.subarray(start, end));
    return buffer;
  }

  /** As `copy`, of bytes that are only counted: unless they are very many, they are not copied. */
  unread(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return end - start <= UNREAD.length ? UNREAD : this.copy(bytes, start, end);
  }

  /** Take a buffer back that is no longer read. */
  give(buffer: Uint8Array): void {
    if (buffer === UNREAD) return;
    const steps = buffer.length / STEP;
    if (!Number.isInteger(steps) || steps === 0 || buffer.length > LONGEST) return;
    if (this.#freeBytes + buffer.length > FREE_MAXIMUM) return;
    while (this.#free.length <= steps) this.#free.push([]);
    this.#free[steps]?.push(buffer);
    this.#freeBytes += buffer.length;
  }
}
