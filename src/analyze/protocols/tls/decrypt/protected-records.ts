import { RECORD_HEADER, RecordReader, type RecordSink } from '../records.ts';
import type { Arrival } from './inner-stream.ts';
import { type Found, type ReserveBytes, SeekWindow } from './seek-window.ts';

/** Room for the content of a record that does not lie in one piece, at first. */
const FIRST_BYTES = 2048;

/** Takes what ProtectedRecords finds. */
export interface ProtectedSink extends ReserveBytes {
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
  /** While a record is looked for behind a hole. */
  #seeking: SeekWindow | undefined;

  constructor(sink: ProtectedSink) {
    this.#sink = sink;
  }

  data(bytes: Uint8Array, start: number, end: number, facts: PieceFacts): void {
    this.#facts = facts;
    this.#origin = facts.offset - start;
    if (this.#seeking === undefined) this.#reader.data(bytes, start, end, 0);
    else this.#seek(this.#seeking, bytes, start, end);
  }

  /** @param offset of the stream behind the hole */
  gap(length: number, offset: number): void {
    this.#origin = offset;
    if (this.#seeking === undefined && this.#reader.gap(length)) return;
    // What was looked through is before this hole, and gave nothing.
    this.#seeking?.close();
    this.#seeking = new SeekWindow(this.#sink, offset);
    this.#drop();
  }

  /** Nothing more comes: what was held is released. */
  stop(): void {
    this.#reader.stop();
    this.#drop();
    this.#seeking?.close();
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
    } else if (Number.isNaN(this.#facts.time)) this.#untimed = true;
    if (!this.#holed) this.#gather(bytes, start, end, length);
    if (last) this.#finish(this.#body ?? new Uint8Array(0), this.#origin + end);
  }

  onMissing(length: number, last: boolean): void {
    if (this.#reader.seen === length) this.#begin();
    this.#holed = true;
    this.#drop();
    if (last) this.#finish(new Uint8Array(0), this.#origin);
  }

  onNoRecord(): boolean {
    // A byte may precede the first record: PostgreSQL's answer to a request for TLS.
    return this.#reader.records === 0;
  }

  #begin(): void {
    this.#filled = 0;
    this.#holed = false;
    this.#drop();
    this.#acknowledged = this.#facts.acknowledged;
    this.#untimed = Number.isNaN(this.#facts.time);
  }

  #finish(body: Uint8Array, encryptedEnd: number): void {
    const { type, length, version } = this.#reader;
    this.#known = encryptedEnd;
    const holed = this.#holed;
    this.#drop();
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

  /** Keep a piece of a record; where there is no room the record cannot be read, as if it had a hole. */
  #gather(bytes: Uint8Array, start: number, end: number, length: number): void {
    const filled = this.#filled + end - start;
    const had = this.#body?.length ?? 0;
    if (filled > had) {
      // A peer has to send what is held of it.
      const size = Math.min(length, Math.max(FIRST_BYTES, 2 * filled));
      if (!this.#sink.reserve(size - had)) {
        this.#holed = true;
        this.#drop();
        return;
      }
      const body = new Uint8Array(size);
      if (this.#body !== undefined) body.set(this.#body);
      this.#body = body;
    }
    this.#body?.set(bytes.subarray(start, end), this.#filled);
    this.#filled = filled;
  }

  #drop(): void {
    if (this.#body === undefined) return;
    this.#sink.reserve(-this.#body.length);
    this.#body = undefined;
  }

  /** Look for a record whose tag verifies in what has come since the hole. */
  #seek(window: SeekWindow, bytes: Uint8Array, start: number, end: number): void {
    const { offset, acknowledged, time } = this.#facts;
    if (Number.isNaN(time)) window.untimed = true;
    const rest = window.find(bytes, start, end, ({ bytes: from, at, bodyEnd, offset: headerOffset }: Found) => {
      const arrival = {
        encryptedEnd: headerOffset + bodyEnd - at,
        // What an earlier packet acknowledged, in which it began, is not known any more.
        acknowledged: headerOffset >= offset ? acknowledged : -1,
        time: window.untimed ? Number.NaN : time,
      };
      const header = from.subarray(at, at + RECORD_HEADER);
      const body = from.subarray(at + RECORD_HEADER, bodyEnd);
      if (!this.#sink.onCandidate(header, body, arrival, headerOffset - this.#known)) return false;
      this.#known = arrival.encryptedEnd;
      return true;
    });
    // The sink may have given up: then nothing is looked for any more.
    if (rest === undefined || this.#seeking === undefined) return;
    window.close();
    this.#seeking = undefined;
    this.#reader = new RecordReader(this);
    if (rest < end) this.#reader.data(bytes, rest, end, 0);
  }
}
