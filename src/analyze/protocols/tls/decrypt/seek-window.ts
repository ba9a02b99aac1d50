import { u16 } from '../../../bytes.ts';
import { isRecordHeader, RECORD, RECORD_HEADER } from '../records.ts';

/** Bytes in which a record is looked for: the longest one, and room for what follows, so that bytes are moved rarely. */
const WINDOW_BYTES = 2 * (RECORD_HEADER + 16_384 + 2048);
const FIRST_BYTES = 2048;
/** Places where a record perhaps begins, that are waited for at once. Other bytes than a record's rarely look like one. */
const PLACES_MAXIMUM = 16;

/** Grants memory. */
export interface ReserveBytes {
  /** @param bytes that are to be held besides; negative: no longer @returns whether so many may be held */
  reserve(bytes: number): boolean;
}

/** A place where a whole record perhaps lies. */
export interface Found {
  readonly bytes: Uint8Array;
  /** Where its header begins in `bytes`, and where its content ends. */
  readonly at: number;
  readonly bodyEnd: number;
  /** Offset of the stream where the header begins. */
  readonly offset: number;
}

/** What came behind a hole in one direction, in which a record is looked for. Each place is decided once. */
export class SeekWindow {
  /** A packet since the hole has no time that is known. */
  untimed = false;
  readonly #memory: ReserveBytes;
  /** Offset of the stream where the window begins. */
  #offset: number;
  #bytes = new Uint8Array(0);
  #filled = 0;
  /** Places before this one were looked at. */
  #looked = 0;
  /** Places, in their order, where a record begins that is not whole, if it is one. */
  #places: number[] = [];
  #closed = false;

  /** @param offset of the stream behind the hole */
  constructor(memory: ReserveBytes, offset: number) {
    this.#memory = memory;
    this.#offset = offset;
  }

  /**
   * Look for a record in what has come and what comes now.
   * @param isRecord whether one lies there
   * @returns where in `bytes` it ends; undefined while none is found
   */
  find(bytes: Uint8Array, start: number, end: number, isRecord: (found: Found) => boolean): number | undefined {
    let at = start;
    while (at < end && !this.#closed) {
      const taken = this.#take(bytes, at, end);
      at += taken;
      const found = this.#look(isRecord);
      if (found !== undefined) return at - (this.#filled - found);
      if (taken === 0) return undefined;
    }
    return undefined;
  }

  /** What is held is released, and nothing is looked for any more. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #release(): void {
    this.#memory.reserve(-this.#bytes.length);
    this.#bytes = new Uint8Array(0);
    this.#offset += this.#filled;
    this.#filled = 0;
    this.#looked = 0;
    this.#places = [];
  }

  /** @returns how many bytes found room */
  #take(bytes: Uint8Array, start: number, end: number): number {
    const wanted = this.#filled + end - start;
    if (wanted > this.#bytes.length && this.#bytes.length < WINDOW_BYTES) this.#grow(wanted);
    if (wanted > this.#bytes.length) this.#forget();
    const taken = Math.min(end - start, this.#bytes.length - this.#filled);
    if (taken === 0) {
      // Without memory nothing is found here, but perhaps further on.
      this.#release();
      this.#offset += end - start;
      return 0;
    }
    this.#bytes.set(bytes.subarray(start, start + taken), this.#filled);
    this.#filled += taken;
    return taken;
  }

  #grow(wanted: number): void {
    const size = Math.min(WINDOW_BYTES, Math.max(FIRST_BYTES, 2 * wanted));
    if (size <= this.#bytes.length || !this.#memory.reserve(size - this.#bytes.length)) return;
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = bytes;
  }

  /** Make room: what lies before the first place that is not decided is not needed. */
  #forget(): void {
    const from = this.#places[0] ?? this.#looked;
    this.#bytes.copyWithin(0, from, this.#filled);
    this.#filled -= from;
    this.#looked -= from;
    this.#offset += from;
    for (let index = 0; index < this.#places.length; index += 1)
      this.#places[index] = (this.#places[index] ?? 0) - from;
  }

  /** @returns where the record that was found ends */
  #look(isRecord: (found: Found) => boolean): number | undefined {
    const places = this.#places;
    this.#places = [];
    for (const at of places) {
      const end = this.#decide(at, isRecord);
      if (end !== undefined) return end;
    }
    while (this.#looked + RECORD_HEADER <= this.#filled) {
      const at = this.#looked;
      this.#looked += 1;
      if (!isRecordHeader(this.#bytes, at) || (this.#bytes[at] as number) > RECORD.applicationData) continue;
      const end = this.#decide(at, isRecord);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  /** @returns where the record that lies here ends; a place that cannot be decided yet is noted */
  #decide(at: number, isRecord: (found: Found) => boolean): number | undefined {
    const bodyEnd = at + RECORD_HEADER + u16(this.#bytes, at + 3);
    if (bodyEnd > this.#filled) {
      if (this.#places.length < PLACES_MAXIMUM) this.#places.push(at);
      return undefined;
    }
    return isRecord({ bytes: this.#bytes, at, bodyEnd, offset: this.#offset + at }) ? bodyEnd : undefined;
  }
}
