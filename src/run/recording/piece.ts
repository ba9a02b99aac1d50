import { closeSync, openSync, readSync } from 'node:fs';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import { BlockFramer, type BlockView } from '../../wire/pcapng-read.ts';

/** Bytes that are read in one go. */
const WINDOW_BYTES = 1024 * 1024;

/** Interface, and two words of time: where packets, statistics and states have them. */
const TIMED_BYTES = 20;

/** What has an interface and a time. */
const TIMED: ReadonlySet<number> = new Set([BLOCK.enhancedPacket, BLOCK.interfaceStatistics, BLOCK.ksnoopState]);

/** A block that belongs to a moment. */
export interface TimedBlock {
  readonly isPacket: boolean;
  /** Of the interfaces of its piece, from 0. */
  readonly interfaceId: number;
  /** The block's bytes, valid until the next one is read. */
  readonly bytes: Uint8Array;
}

/**
 * One pcapng file as ksnoop's agents write it: little-endian, times in nanoseconds. It is read once to find its blocks, and then block by
 * block in the order of their times, whatever their order in the file.
 */
export class Piece {
  readonly #fd: number;
  readonly #path: string;
  /** Interface descriptions as they are in the file. */
  readonly interfaces: Buffer[] = [];
  /** Name resolution blocks as they are in the file. */
  readonly names: Uint8Array[] = [];
  readonly #base: bigint;
  readonly #times: number[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #order: Uint32Array;
  #next = 0;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  /**
   * @param base nanoseconds since 1970: times are counted from it, exactly for 104 days
   * @throws KsnoopError CANNOT_READ, DAMAGED_PCAPNG
   */
  constructor(path: string, base: bigint) {
    this.#path = path;
    this.#base = base;
    try {
      this.#fd = openSync(path, 'r');
    } catch (cause) {
      throw new KsnoopError('CANNOT_READ', `${path} cannot be read: ${messageOf(cause)}.`, { cause });
    }
    try {
      this.#scan();
    } catch (thrown) {
      this.close();
      throw thrown;
    }
    this.#order = Uint32Array.from(this.#times.keys());
    const times = this.#times;
    const isSorted = times.every((time, index) => index === 0 || (times[index - 1] ?? 0) <= time);
    if (!isSorted) this.#order.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
  }

  /** Time of the block that is next, nanoseconds since `base`; undefined after the last. */
  get nextTime(): number | undefined {
    return this.#times[this.#order[this.#next] ?? -1];
  }

  /** The block that is next. Call it only where nextTime is not undefined. */
  take(): TimedBlock {
    const index = this.#order[this.#next] ?? 0;
    this.#next += 1;
    const bytes = this.#read(this.#offsets[index] ?? 0, this.#lengths[index] ?? 0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return {
      isPacket: view.getUint32(0, true) === BLOCK.enhancedPacket,
      interfaceId: view.getUint32(8, true),
      bytes,
    };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #scan(): void {
    const framer = new BlockFramer((block) => this.#block(block, framer.consumed));
    const chunk = Buffer.allocUnsafe(WINDOW_BYTES);
    for (let at = 0; ; ) {
      const count = readSync(this.#fd, chunk, 0, chunk.length, at);
      if (count === 0) break;
      framer.push(chunk.subarray(0, count));
      at += count;
    }
    if (framer.consumed === 0 || framer.pending > 0) throw this.#damaged('it is cut');
  }

  /** @param end in the file, of this block */
  #block({ type, bytes, view, offset, length, littleEndian }: BlockView, end: number): void {
    if (!littleEndian) throw this.#damaged('it is not as ksnoop writes it');
    // The bytes are read over. (slice of a Buffer would be no copy.)
    const copied = () => Buffer.from(bytes.subarray(offset, offset + length));
    if (type === BLOCK.interfaceDescription) this.interfaces.push(copied());
    else if (type === BLOCK.nameResolution) this.names.push(copied());
    if (!TIMED.has(type)) return;
    if (length < TIMED_BYTES + 4 || view.getUint32(offset + 8, true) >= this.interfaces.length) {
      throw this.#damaged('a packet is of an interface that is not described');
    }
    const time = (BigInt(view.getUint32(offset + 12, true)) << 32n) | BigInt(view.getUint32(offset + 16, true));
    this.#times.push(Number(time - this.#base));
    this.#offsets.push(end - length);
    this.#lengths.push(length);
  }

  #read(at: number, length: number): Uint8Array {
    const start = at - this.#windowAt;
    if (start >= 0 && start + length <= this.#window.length) return this.#window.subarray(start, start + length);
    const window = Buffer.allocUnsafe(Math.max(length, WINDOW_BYTES));
    const count = readSync(this.#fd, window, 0, window.length, at);
    if (count < length) throw this.#damaged('it was shortened while it was read');
    this.#window = window.subarray(0, count);
    this.#windowAt = at;
    return this.#window.subarray(0, length);
  }

  #damaged(why: string): KsnoopError {
    return new KsnoopError('DAMAGED_PCAPNG', `${this.#path} cannot be merged: ${why}.`);
  }
}
