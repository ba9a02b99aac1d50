import { joinedBytes } from '../../../../wire/bytes.ts';
import { u16 } from '../../../bytes.ts';
import { isRecordHeader, RECORD, RECORD_HEADER, RecordReader, type RecordSink } from '../records.ts';
import type { Arrival } from './inner-stream.ts';

/** Bytes in which a record is looked for behind a hole: one that ends, and the longest one that follows. */
const SEEK_BYTES = 2 * (RECORD_HEADER + 16_384 + 2048);

/** Takes what ProtectedRecords finds. */
export interface ProtectedSink {
  /** A whole record, its header's five bytes apart. */
  onRecord(header: Uint8Array, body: Uint8Array, arrival: Arrival): void;
  /** A record, header known, of which some bytes were not captured. */
  onHole(type: number, length: number, encryptedEnd: number): void;
  /**
   * A record perhaps begins here, behind a hole.
   * @param missing bytes from the last record known whole to this header
   * @returns whether it is one; it was handled then
   */
  onCandidate(header: Uint8Array, body: Uint8Array, arrival: Arrival, missing: number): boolean;
}

/** What comes with a piece of a direction's stream, as StreamContext has it. */
export interface PieceFacts {
  readonly offset: number;
  readonly acknowledged: number;
  /** Not a number where it is not known. */
  readonly time: number;
}

/** One direction's records, each gathered whole; after a hole the next one is found by what its tag proves. */
export class ProtectedRecords implements RecordSink {
  readonly #sink: ProtectedSink;
  #reader = new RecordReader(this);
  readonly #header = new Uint8Array(RECORD_HEADER);
  /** Of the record under way that does not lie in one piece. */
  #body: Uint8Array | undefined;
  #filled = 0;
  #holed = false;
  #acknowledged = -1;
  /** A packet of it has no time that is known. */
  #untimed = false;
  #facts: PieceFacts = { offset: 0, acknowledged: -1, time: 0 };
  /** Offset of the stream, less the place in the piece at hand. */
  #origin = 0;
  /** Offset behind the last record whose end is known. */
  #known = 0;
  /** While a record is looked for: what has come since the hole, and where that began. */
  #seeking: Uint8Array | undefined;
  #seekOffset = 0;

  constructor(sink: ProtectedSink) {
    this.#sink = sink;
  }

  data(bytes: Uint8Array, start: number, end: number, facts: PieceFacts): void {
    this.#facts = facts;
    this.#origin = facts.offset - start;
    if (this.#seeking === undefined) this.#reader.data(bytes, start, end, 0);
    else this.#seek(bytes, start, end);
  }

  /** @param offset of the stream behind the hole */
  gap(length: number, offset: number): void {
    this.#origin = offset;
    if (this.#seeking === undefined && this.#reader.gap(length)) return;
    // What was looked through is before this hole, and gave nothing.
    this.#seeking = new Uint8Array(0);
    this.#seekOffset = offset;
    this.#body = undefined;
  }

  stop(): void {
    this.#reader.stop();
    this.#body = undefined;
    this.#seeking = undefined;
  }

  onContent(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const { length, seen } = this.#reader;
    const first = seen === end - start;
    if (first) {
      this.#begin();
      if (last) {
        this.#finish(bytes.subarray(start, end), this.#origin + end);
        return;
      }
      this.#body = new Uint8Array(length);
    } else if (Number.isNaN(this.#facts.time)) this.#untimed = true;
    this.#body?.set(bytes.subarray(start, end), this.#filled);
    this.#filled += end - start;
    if (last) this.#finish(this.#body ?? new Uint8Array(0), this.#origin + end);
  }

  onMissing(length: number, last: boolean): void {
    if (this.#reader.seen === length) this.#begin();
    this.#holed = true;
    this.#body = undefined;
    if (last) this.#finish(new Uint8Array(0), this.#origin);
  }

  onNoRecord(): boolean {
    // A byte may precede the first record: PostgreSQL's answer to a request for TLS.
    return this.#reader.records === 0;
  }

  #begin(): void {
    this.#filled = 0;
    this.#holed = false;
    this.#body = undefined;
    this.#acknowledged = this.#facts.acknowledged;
    this.#untimed = Number.isNaN(this.#facts.time);
  }

  #finish(body: Uint8Array, encryptedEnd: number): void {
    const { type, length, version } = this.#reader;
    this.#known = encryptedEnd;
    const holed = this.#holed;
    this.#body = undefined;
    if (holed) {
      this.#sink.onHole(type, length, encryptedEnd);
      return;
    }
    const header = this.#header;
    header[0] = type;
    header[1] = version >>> 8;
    header[2] = version & 0xff;
    header[3] = length >>> 8;
    header[4] = length & 0xff;
    const time = this.#untimed ? Number.NaN : this.#facts.time;
    this.#sink.onRecord(header, body, { encryptedEnd, acknowledged: this.#acknowledged, time });
  }

  /** Look for a record whose tag verifies in what has come since the hole. */
  #seek(bytes: Uint8Array, start: number, end: number): void {
    const window = joinedBytes([this.#seeking ?? new Uint8Array(0), bytes.subarray(start, end)]);
    let undecided = -1;
    for (let at = 0; at + RECORD_HEADER <= window.length; at += 1) {
      if (!isRecordHeader(window, at) || (window[at] as number) > RECORD.applicationData) continue;
      const bodyEnd = at + RECORD_HEADER + u16(window, at + 3);
      if (bodyEnd > window.length) {
        if (undecided < 0) undecided = at;
        continue;
      }
      const offset = this.#seekOffset + at;
      const header = window.subarray(at, at + RECORD_HEADER);
      const body = window.subarray(at + RECORD_HEADER, bodyEnd);
      const missing = offset - this.#known;
      const encryptedEnd = this.#seekOffset + bodyEnd;
      const { acknowledged, time } = this.#facts;
      if (!this.#sink.onCandidate(header, body, { encryptedEnd, acknowledged, time }, missing)) continue;
      this.#known = encryptedEnd;
      this.#seeking = undefined;
      this.#reader = new RecordReader(this);
      this.#origin = this.#seekOffset;
      if (bodyEnd < window.length) this.#reader.data(window, bodyEnd, window.length, 0);
      return;
    }
    // The last bytes may be the beginning of a header.
    const from = undecided >= 0 ? undecided : Math.max(0, window.length - RECORD_HEADER + 1);
    const kept = Math.max(from, window.length - SEEK_BYTES);
    this.#seeking = window.slice(kept);
    this.#seekOffset += kept;
  }
}
