/** Where one direction's stream of messages stands. */
export const AT = {
  /** Before or within a head. */
  head: 0,
  /** Within a body of known length, or a chunk's data. */
  body: 1,
  chunkSize: 2,
  chunkEnd: 3,
  trailers: 4,
  untilEnd: 5,
  /** Not known where messages begin: after a gap, after something else than HTTP. */
  lost: 6,
} as const;

/** Framing of a body, in place of a length; -1: not a head. */
export const AT_CHUNKED = -2;
export const AT_UNTIL_END = -3;

const LF = 10;
const CR = 13;
/** Digits a chunk's size may have. */
const SIZE_DIGITS = 12;

/** Takes the bytes of a body, without its framing. */
export interface BodyTaker {
  take(bytes: Uint8Array, start: number, end: number): void;
  /** Bytes of it were not captured. */
  cut(): void;
}

/** The chunked coding (RFC 9112, section 7.1) of one direction, byte by byte where it matters. */
export class Chunks {
  at: number = AT.chunkSize;
  /** Takes the data of the chunks, where somebody wants it. */
  body: BodyTaker | undefined;
  /** Left of the chunk under way. */
  left = 0;
  #size = 0;
  #digits = 0;
  #extension = false;
  #lineBytes = 0;

  begin(): void {
    this.at = AT.chunkSize;
    this.left = 0;
    this.#size = 0;
    this.#digits = 0;
    this.#extension = false;
  }

  /**
   * Follow the coding through these bytes.
   * @returns where the body ends; `end` when it continues; -1 when this is not chunked coding
   */
  follow(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.at === AT.body) {
        const taken = Math.min(this.left, end - at);
        this.body?.take(bytes, at, at + taken);
        this.left -= taken;
        at += taken;
        if (this.left === 0) this.at = AT.chunkEnd;
        continue;
      }
      const byte = bytes[at] as number;
      at += 1;
      if (this.at === AT.chunkSize) {
        if (!this.#sizeByte(byte)) return -1;
      } else if (this.at === AT.chunkEnd) {
        if (byte === LF) this.begin();
        else if (byte !== CR) return -1;
      } else if (byte === LF) {
        // The empty line behind the trailers.
        if (this.#lineBytes === 0) {
          this.begin();
          this.ended = true;
          return at;
        }
        this.#lineBytes = 0;
      } else if (byte !== CR) this.#lineBytes += 1;
    }
    return at;
  }

  /** Set when `follow` came upon the body's end. */
  ended = false;

  #sizeByte(byte: number): boolean {
    if (byte === LF) {
      if (this.#digits === 0) return false;
      this.left = this.#size;
      if (this.#size === 0) {
        this.at = AT.trailers;
        this.#lineBytes = 0;
      } else this.at = AT.body;
      return true;
    }
    if (this.#extension || byte === CR) return true;
    const digit = hexadecimal(byte);
    if (digit < 0) {
      // An extension, or spaces before it.
      this.#extension = byte === 0x3b || byte === 0x20 || byte === 9;
      return this.#extension;
    }
    this.#digits += 1;
    this.#size = this.#size * 16 + digit;
    return this.#digits <= SIZE_DIGITS;
  }
}

function hexadecimal(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
