import { closeSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { KsnoopError, messageOf } from '../../wire/errors.ts';

/** One read: it stays in the processor's own cache until it has been looked at. */
const CHUNK_BYTES = 256 * 1024;

/** How long signals and timers may wait. */
const TURN_MS = 40;

/**
 * Bytes of a regular file in order, read by the thread that looks at them: what another thread reads lies in another
 * processor's cache, and fetching it from there takes longer than reading it.
 */
export class FileSource {
  /** Bytes handed out. */
  position = 0;
  readonly #descriptor: number;
  readonly #fromStart: boolean;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  #turnAt = performance.now() + TURN_MS;

  /**
   * @param descriptor closed with this source
   * @param fromStart read it from its beginning; else from where its offset is
   */
  constructor(descriptor: number, fromStart: boolean) {
    this.#descriptor = descriptor;
    this.#fromStart = fromStart;
  }

  /**
   * The next bytes, valid until the next call; none at the end (of a growing file more may come later); undefined when
   * aborted.
   * @throws KsnoopError CANNOT_READ
   */
  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (performance.now() >= this.#turnAt) {
      await turn();
      this.#turnAt = performance.now() + TURN_MS;
    }
    if (signal.aborted) return undefined;
    const count = this.#read();
    this.position += count;
    return count === CHUNK_BYTES ? this.#buffer : this.#buffer.subarray(0, count);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #read(): number {
    try {
      return readSync(this.#descriptor, this.#buffer, 0, CHUNK_BYTES, this.#fromStart ? this.position : null);
    } catch (cause) {
      throw new KsnoopError('CANNOT_READ', `The input cannot be read: ${messageOf(cause)}.`, { cause });
    }
  }
}
