/** Columns that do not hold what they claim. */
export class WrongColumns extends Error {}

/** The largest number that a varint carries exactly. */
export const VARINT_MAXIMUM = Number.MAX_SAFE_INTEGER;

/** Grows as it is written. Numbers are varints: seven bits of a byte, the lowest first, the eighth where more follow. */
export class ColumnBytes {
  #bytes = Buffer.allocUnsafe(65_536);
  #length = 0;

  /** @param value a whole number from 0 to VARINT_MAXIMUM */
  varint(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length] = (rest % 128) | 128;
      this.#length += 1;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  double(value: number): void {
    this.#room(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  long(value: bigint): void {
    this.#room(8);
    this.#length = this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
  }

  /** The UTF-8 of a text, without its length. @returns how many bytes it takes */
  text(text: string): number {
    this.#room(text.length * 3);
    const length = this.#bytes.write(text, this.#length, 'utf8');
    this.#length += length;
    return length;
  }

  /** What was written; valid until the next write. Writing begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** Reads what ColumnBytes wrote. What it reads is from outside: each method throws WrongColumns behind the end. */
export class ColumnReader {
  #bytes: Buffer;
  #at = 0;

  /** @param bytes that no one else changes */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The last `length` bytes, for a reader of their own: this one ends before them. */
  cut(length: number): ColumnReader {
    const at = this.#bytes.length - length;
    if (length < 0 || at < this.#at) throw new WrongColumns('they end early');
    const behind = new ColumnReader(this.#bytes.subarray(at));
    this.#bytes = this.#bytes.subarray(0, at);
    return behind;
  }

  /** @param maximum what is larger is refused */
  varint(maximum = VARINT_MAXIMUM): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new WrongColumns('they end early');
      this.#at += 1;
      value += (byte & 127) * scale;
      if (value > maximum) throw new WrongColumns('a number is too large');
      if (byte < 128) return value;
      if (scale > 2 ** 49) throw new WrongColumns('a number is too long');
    }
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  long(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  /** @param length bytes of UTF-8 */
  text(length: number): string {
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new WrongColumns('they end early');
    this.#at += length;
    return at;
  }
}
