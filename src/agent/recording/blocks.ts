import { BLOCK } from '../../wire/pcapng.ts';

/** How many packets something has, and the times of the earliest and latest, nanoseconds since 1970. */
export class PacketSpan {
  packets = 0;
  #firstHigh = 0;
  #firstLow = 0;
  #lastHigh = 0;
  #lastLow = 0;

  /** Count a packet. @param high upper, and `low` lower half of its time */
  add(high: number, low: number): void {
    this.packets += 1;
    const isFirst = this.packets === 1;
    if (isFirst || high < this.#firstHigh || (high === this.#firstHigh && low < this.#firstLow)) {
      this.#firstHigh = high;
      this.#firstLow = low;
    }
    if (isFirst || high > this.#lastHigh || (high === this.#lastHigh && low > this.#lastLow)) {
      this.#lastHigh = high;
      this.#lastLow = low;
    }
  }

  /** Undefined without packets. */
  get first(): bigint | undefined {
    return this.packets === 0 ? undefined : (BigInt(this.#firstHigh) << 32n) | BigInt(this.#firstLow);
  }

  get last(): bigint | undefined {
    return this.packets === 0 ? undefined : (BigInt(this.#lastHigh) << 32n) | BigInt(this.#lastLow);
  }
}

/**
 * Look at pcapng blocks as this agent writes them: whole and little-endian.
 * @param visit gets the block's type, where it starts and its length
 * @returns the bytes of whole blocks; less than all where the last one was cut, or is none
 */
export function walkBlocks(bytes: Buffer, visit: (type: number, at: number, length: number) => void): number {
  let at = 0;
  while (at + 12 <= bytes.length) {
    const length = bytes.readUInt32LE(at + 4);
    if (length < 12 || length % 4 !== 0 || at + length > bytes.length) break;
    if (bytes.readUInt32LE(at + length - 4) !== length) break;
    visit(bytes.readUInt32LE(at), at, length);
    at += length;
  }
  return at;
}

/** Count the packets of a chunk, and collect copies of the blocks that describe its interfaces. */
export function readChunk(bytes: Buffer, span: PacketSpan, interfaces: Buffer[]): void {
  walkBlocks(bytes, (type, at, length) => {
    if (type === BLOCK.enhancedPacket) span.add(bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16));
    else if (type === BLOCK.interfaceDescription) interfaces.push(Buffer.from(bytes.subarray(at, at + length)));
  });
}
