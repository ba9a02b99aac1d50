import { closeSync, read } from 'node:fs';
import { KsnoopError } from '../wire/errors.ts';

/** One read: small enough to stay in the processor's cache until it is decoded, large enough to be worth a turn. */
export const CHUNK_BYTES = 1024 * 1024;

/** Reads under way at once while octets are looked at: a reading thread that wakes up late keeps nobody waiting. */
const FILE_READS = 3;

/** How soon a descriptor that has nothing yet is asked again. */
const AGAIN_MS = 5;

interface Reading {
  readonly buffer: Uint8Array;
  readonly count: Promise<number>;
}

/** Octets of a descriptor in order, read by other threads while the last ones are looked at. */
export class ReadAhead {
  /** Octets handed out. */
  position = 0;
  readonly #descriptor: number;
  /** Whether reads can be at any place: of a regular file. */
  readonly #seekable: boolean;
  readonly #reads: Reading[] = [];
  readonly #free: Uint8Array[] = [];
  #current: Uint8Array | undefined;
  #asked = 0;

  constructor(descriptor: number, seekable: boolean) {
    this.#descriptor = descriptor;
    this.#seekable = seekable;
  }

  /**
   * The next octets, valid until the next call; none at the end (of a growing file more may come later).
   * @throws KsnoopError CANNOT_READ
   */
  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#current !== undefined) this.#free.push(this.#current);
    this.#current = undefined;
    while (this.#reads.length < (this.#seekable ? FILE_READS : 1)) this.#ask();
    const reading = this.#reads[0] as Reading;
    const count = await unlessAborted(reading.count, signal);
    if (count === undefined) return undefined;
    this.#reads.shift();
    this.#current = reading.buffer;
    this.position += count;
    if (count < CHUNK_BYTES && this.#seekable) await this.#restart();
    else if (count > 0) this.#ask();
    return count === CHUNK_BYTES ? reading.buffer : reading.buffer.subarray(0, count);
  }

  /** Close the descriptor once no read is under way: it must not end up in one that is somebody else's by then. */
  close(): void {
    void Promise.allSettled(this.#reads.map(({ count }) => count)).then(() => closeSync(this.#descriptor));
  }

  /** Reads beyond the end may have come after the file grew: what they gave is not what follows. */
  async #restart(): Promise<void> {
    const beyond = this.#reads.splice(0);
    await Promise.all(beyond.map(({ count }) => count));
    this.#free.push(...beyond.map(({ buffer }) => buffer));
    this.#asked = this.position;
  }

  #ask(): void {
    const buffer = this.#free.pop() ?? new Uint8Array(CHUNK_BYTES);
    const at = this.#seekable ? this.#asked : null;
    this.#asked += CHUNK_BYTES;
    const count = this.#read(buffer, at);
    // Whoever awaits it hears of a failure; one that nobody awaits any more is of no interest.
    count.catch(() => {});
    this.#reads.push({ buffer, count });
  }

  #read(buffer: Uint8Array, at: number | null): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#descriptor, buffer, 0, CHUNK_BYTES, at, (error, count) => {
        if (error === null) resolve(count);
        // A socket's way of saying that nothing more comes.
        else if (error.code === 'EOF') resolve(0);
        else if (error.code === 'EAGAIN') setTimeout(() => resolve(this.#read(buffer, at)), AGAIN_MS);
        else reject(new KsnoopError('CANNOT_READ', `The input cannot be read: ${error.message}.`, { cause: error }));
      });
    });
  }
}

/** @returns undefined when the signal came first */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let abort: (() => void) | undefined;
  const aborted = new Promise<undefined>((resolve) => {
    abort = () => resolve(undefined);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort);
  }
}
