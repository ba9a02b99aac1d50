import { closeSync, read, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { KsnoopError, messageOf } from '../../wire/errors.ts';

/** One read: it stays in the processor's own cache until it has been looked at. */
const CHUNK_BYTES = 256 * 1024;

/**
 * One read of another thread. Each wakes that thread and then this one, which on a virtual machine takes as long as reading some
 * hundred kilobytes.
 */
const AHEAD_BYTES = 2 * 1024 * 1024;

/** How long signals and timers may wait. */
const TURN_MS = 40;

/** Reads after which the time that they took is looked at. */
const MEASURED_READS = 64;
/** Where a read takes this share of the time between two on, another thread reads ahead, for so many reads. */
const AHEAD_SHARE = 0.25;
const AHEAD_READS = 512;

/**
 * Bytes of a regular file in order. The thread that looks at them reads them as a rule: what another thread reads lies in another
 * processor's cache, and fetching it from there takes longer than reading it. Where reading takes a large share of the time,
 * because of most bytes only a packet's first ones are looked at or because the disk is slow, a thread reads the next bytes
 * meanwhile.
 */
export class FileSource {
  /** Bytes handed out. */
  position = 0;
  readonly #descriptor: number;
  readonly #fromStart: boolean;
  readonly #clock: () => number;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  /** What was handed out last. */
  #buffer: Uint8Array<ArrayBuffer> = this.#chunk;
  #turnAt = performance.now() + TURN_MS;
  /** Bytes that are being read ahead, into the buffer that is not looked at. */
  #reading: Promise<number> | undefined;
  #into: Uint8Array<ArrayBuffer> | undefined;
  #free: Uint8Array<ArrayBuffer> | undefined;
  #aheadReads = 0;
  /** Of the last reads: how long each took, and the time from its begin to the next one's, ms. */
  readonly #readTimes = new Float64Array(MEASURED_READS);
  readonly #allTimes = new Float64Array(MEASURED_READS);
  #reads = 0;
  #readAt = 0;

  /**
   * @param descriptor closed with this source
   * @param fromStart read it from its beginning; else from where its offset is
   * @param clock by which it is decided who reads, ms
   */
  constructor(descriptor: number, fromStart: boolean, clock: () => number = () => performance.now()) {
    this.#descriptor = descriptor;
    this.#fromStart = fromStart;
    this.#clock = clock;
  }

  /** Whether a thread reads the next bytes while these are looked at. */
  get readsAhead(): boolean {
    return this.#reading !== undefined;
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
    const count = this.#reading === undefined ? this.#readNow() : await this.#takeAhead(this.#reading);
    this.position += count;
    const bytes = this.#buffer;
    if (this.#aheadReads > 0) this.#readAhead(count < bytes.length);
    return count === bytes.length ? bytes : bytes.subarray(0, count);
  }

  /** Closes the descriptor, once no read is under way: it must not end up in one that is somebody else's by then. */
  close(): void {
    const reading = this.#reading;
    if (reading === undefined) closeSync(this.#descriptor);
    else void Promise.allSettled([reading]).then(() => closeSync(this.#descriptor));
  }

  #readNow(): number {
    const before = this.#clock();
    if (this.#reads > 0) this.#allTimes[this.#reads - 1] = before - this.#readAt;
    if (this.#reads === MEASURED_READS) {
      // By medians: on a busy machine some take long because other programs had the processor.
      if (median(this.#readTimes) > median(this.#allTimes) * AHEAD_SHARE) this.#aheadReads = AHEAD_READS;
      this.#reads = 0;
    }
    this.#buffer = this.#chunk;
    const count = this.#read();
    this.#readTimes[this.#reads] = this.#clock() - before;
    this.#readAt = before;
    this.#reads += 1;
    return count;
  }

  #read(): number {
    try {
      return readSync(this.#descriptor, this.#chunk, 0, CHUNK_BYTES, this.#fromStart ? this.position : null);
    } catch (cause) {
      throw cannotRead(cause);
    }
  }

  /** What was read ahead is what is handed out next; the bytes before are no longer valid. */
  async #takeAhead(reading: Promise<number>): Promise<number> {
    const count = await reading;
    this.#reading = undefined;
    const handedOut = this.#buffer;
    if (this.#into !== undefined) this.#buffer = this.#into;
    if (handedOut !== this.#chunk) this.#free = handedOut;
    return count;
  }

  /** Has the bytes read that follow those of `position`, unless the file ended there. */
  #readAhead(ended: boolean): void {
    this.#aheadReads -= 1;
    if (ended || this.#aheadReads === 0) {
      this.#aheadReads = 0;
      this.#reads = 0;
      return;
    }
    const into = this.#free ?? new Uint8Array(AHEAD_BYTES);
    this.#free = undefined;
    this.#into = into;
    const at = this.#fromStart ? this.position : null;
    const reading = new Promise<number>((resolve, reject) => {
      read(this.#descriptor, into, 0, AHEAD_BYTES, at, (error, size) => {
        if (error === null) resolve(size);
        else reject(cannotRead(error));
      });
    });
    // The next call of next() throws the error. Where reading was aborted that call does not come: the error must not end the process.
    reading.catch(() => undefined);
    this.#reading = reading;
  }
}

function median(times: Float64Array): number {
  return times.sort()[times.length >> 1] as number;
}

function cannotRead(cause: unknown): KsnoopError {
  return new KsnoopError('CANNOT_READ', `The input cannot be read: ${messageOf(cause)}.`, { cause });
}
