import { OUT_OF_ORDER_BYTES } from '../../limits.ts';

/** What a piece that waits takes in memory besides its bytes. */
const PIECE_BYTES = 128;

/** When bytes came. */
export interface ArrivalTime {
  /** ns since the analysis' first packet. */
  readonly now: number;
  /** Number of the clock that `now` is of. */
  readonly clock: number;
}

/** Takes a stream's bytes in their order. */
export interface ByteSink {
  onBytes(bytes: Uint8Array, start: number, end: number, arrival: ArrivalTime): void;
  /** So many bytes are missing. */
  onHole(length: number): void;
  /** The stream has ended, and all before that was handed over. */
  onFin(): void;
}

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly arrival: ArrivalTime;
}

/** Grants memory. @param bytes that are to be held besides; negative: no longer @returns whether so many may be held */
export type Reserve = (bytes: number) => boolean;

/** One direction of a stream: its frames, put in order. What waits behind a hole is bounded in bytes. */
export class ReceivedStream {
  /** Since when bytes are missing, ns of packet time; undefined where none are. */
  holeSince: number | undefined;
  /** Bytes before it were handed over, or given up. */
  #at = 0;
  /** Bytes of the stream, where its end was seen. */
  #size = Number.POSITIVE_INFINITY;
  #finished = false;
  /** In the order of their offsets. */
  #pieces: Piece[] = [];
  #held = 0;
  #last = Number.NEGATIVE_INFINITY;
  /** Where the hole begins that `holeSince` is of. */
  #holeAt = 0;
  readonly #sink: ByteSink;
  readonly #reserve: Reserve;

  constructor(sink: ByteSink, reserve: Reserve) {
    this.#sink = sink;
    this.#reserve = reserve;
  }

  /** Its end was handed over, or nothing more is wanted of it. */
  get finished(): boolean {
    return this.#finished;
  }

  /** @param offset of `bytes[start]` in the stream */
  add(offset: number, bytes: Uint8Array, start: number, end: number, arrival: ArrivalTime): void {
    if (this.#finished || !Number.isSafeInteger(offset + (end - start))) return;
    if (offset <= this.#at || !this.#keep(offset, bytes, start, end, arrival)) {
      this.#hand(offset, bytes, start, end, arrival);
    }
    this.#drain(arrival.now);
  }

  /** Its end is known. @param size bytes of the whole stream */
  ends(size: number, now: number): void {
    if (size < this.#at || this.#size !== Number.POSITIVE_INFINITY) return;
    this.#size = size;
    this.#drain(now);
  }

  /** The missing bytes are given up: what is behind them is handed over. */
  skipHole(now: number): void {
    const next = Math.min(this.#pieces[0]?.offset ?? Number.POSITIVE_INFINITY, this.#size);
    if (this.#finished || next === Number.POSITIVE_INFINITY) return;
    this.#skipTo(next);
    this.#drain(now);
  }

  /** Nothing more is wanted: what waits is released. */
  stop(): void {
    this.#finished = true;
    this.holeSince = undefined;
    this.#reserve(-this.#held);
    this.#held = 0;
    this.#pieces = [];
  }

  #skipTo(offset: number): void {
    if (offset <= this.#at) return;
    const length = offset - this.#at;
    this.#at = offset;
    this.#sink.onHole(length);
  }

  /** Hand over what is new of these bytes; what is missing before them is given up. */
  #hand(offset: number, bytes: Uint8Array, start: number, end: number, arrival: ArrivalTime): void {
    this.#skipTo(offset);
    const from = start + (this.#at - offset);
    if (from >= end || this.#finished) return;
    this.#at += end - from;
    // Bytes behind a hole cannot be read before those in it have come.
    this.#last = Math.max(this.#last, arrival.now);
    this.#sink.onBytes(bytes, from, end, this.#last === arrival.now ? arrival : { ...arrival, now: this.#last });
  }

  /** Keep bytes that wait for those before them. @returns false where there is no room: then nothing waits any more */
  #keep(offset: number, bytes: Uint8Array, start: number, end: number, arrival: ArrivalTime): boolean {
    const pieces = this.#pieces;
    let index = pieces.length;
    while (index > 0 && (pieces[index - 1] as Piece).offset > offset) index -= 1;
    const before = pieces[index - 1];
    // Sent again.
    if (before !== undefined && before.offset + before.bytes.length >= offset + (end - start)) return true;
    const size = end - start + PIECE_BYTES;
    if (this.#held + size > OUT_OF_ORDER_BYTES || !this.#reserve(size)) {
      const waiting = this.#pieces;
      this.#pieces = [];
      for (const piece of waiting) this.#handPiece(piece);
      return false;
    }
    this.#held += size;
    pieces.splice(index, 0, { offset, bytes: bytes.slice(start, end), arrival });
    return true;
  }

  #handPiece(piece: Piece): void {
    if (this.#finished) return;
    const size = piece.bytes.length + PIECE_BYTES;
    this.#held -= size;
    this.#reserve(-size);
    this.#hand(piece.offset, piece.bytes, 0, piece.bytes.length, piece.arrival);
  }

  /** Hand over what waits and is next. */
  #drain(now: number): void {
    for (let next = this.#pieces[0]; next !== undefined && next.offset <= this.#at; next = this.#pieces[0]) {
      this.#pieces.shift();
      this.#handPiece(next);
    }
    if (this.#finished) return;
    if (this.#at >= this.#size) {
      this.stop();
      this.#sink.onFin();
    } else if (this.#pieces.length === 0 && this.#size === Number.POSITIVE_INFINITY) this.holeSince = undefined;
    else if (this.holeSince === undefined || this.#at > this.#holeAt) {
      this.holeSince = now;
      this.#holeAt = this.#at;
    }
  }
}
