import { closeSync, read } from 'node:fs';
import { KsnoopError } from '../../wire/errors.ts';

const CHUNK_BYTES = 256 * 1024;

/** How soon a device that has nothing yet is asked again. */
const AGAIN_MS = 5;

/** Bytes of a device (a terminal, a character device) in order, read by another thread: it may wait for long. */
export class DeviceSource {
  /** Bytes handed out. */
  position = 0;
  readonly #descriptor: number;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  #reading: Promise<number> | undefined;

  /** @param descriptor closed with this source */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * The next bytes, valid until the next call; none at the end; undefined when aborted.
   * @throws KsnoopError CANNOT_READ
   */
  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    this.#reading ??= this.#read();
    const count = await unlessAborted(this.#reading, signal);
    if (count === undefined) return undefined;
    this.#reading = undefined;
    this.position += count;
    return this.#buffer.subarray(0, count);
  }

  /** Close the descriptor once no read is under way: it must not end up in one that is somebody else's by then. */
  close(): void {
    void Promise.allSettled([this.#reading]).then(() => closeSync(this.#descriptor));
  }

  #read(): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#descriptor, this.#buffer, 0, CHUNK_BYTES, null, (error, count) => {
        if (error === null) resolve(count);
        // A socket's way of saying that nothing more comes.
        else if (error.code === 'EOF') resolve(0);
        else if (error.code === 'EAGAIN') setTimeout(() => resolve(this.#read()), AGAIN_MS);
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
