import { joinedBytes } from '../../../wire/bytes.ts';
import { u8, u16 } from '../../bytes.ts';

/** Bytes of one direction's CRYPTO frames that are kept, and pieces; what is beyond is left out. */
const BYTES_MAXIMUM = 16_384;
const PIECES_MAXIMUM = 64;

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** One direction's CRYPTO frames, put in order until they make a handshake message. */
export class CryptoStream {
  #pieces: Piece[] = [];
  #heldBytes = 0;
  /** Bytes before it were given out as messages. */
  #base = 0;

  /** Whether anything has come. */
  get begun(): boolean {
    return this.#base > 0 || this.#pieces.length > 0;
  }

  add(offset: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (!(offset + length > this.#base) || offset > this.#base + BYTES_MAXIMUM) return;
    if (this.#pieces.length >= PIECES_MAXIMUM || this.#heldBytes + length > BYTES_MAXIMUM) return;
    // Sent again.
    if (this.#pieces.some((piece) => piece.offset === offset && piece.bytes.length >= length)) return;
    this.#pieces.push({ offset, bytes: Uint8Array.from(bytes.subarray(start, end)) });
    this.#heldBytes += length;
  }

  /** @returns the next whole message with its header (type, length in three bytes); undefined while there is none */
  next(): Uint8Array | undefined {
    const ordered = this.#ordered();
    if (ordered.length < 4) return undefined;
    const length = 4 + u8(ordered, 1) * 0x10000 + u16(ordered, 2);
    if (ordered.length < length) return undefined;
    this.#base += length;
    this.#pieces = this.#pieces.filter(({ offset, bytes }) => offset + bytes.length > this.#base);
    this.#heldBytes = this.#pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return ordered.subarray(0, length);
  }

  /** What follows `#base` without a hole. */
  #ordered(): Uint8Array {
    const parts: Uint8Array[] = [];
    let at = this.#base;
    for (const { offset, bytes } of this.#pieces.sort((a, b) => a.offset - b.offset)) {
      if (offset > at) break;
      if (offset + bytes.length <= at) continue;
      parts.push(bytes.subarray(at - offset));
      at = offset + bytes.length;
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : joinedBytes(parts);
  }
}
