import { u8, u16 } from '../../bytes.ts';

/** Types of a record (RFC 8446 section 5.1). */
export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23, heartbeat: 24 } as const;

export const RECORD_HEADER = 5;

/** A record's content at most: 2^14, and what TLS 1.2's encryption may add. */
const CONTENT_MAXIMUM = 16_384 + 2048;

/** Whether a record can begin at `at`, where RECORD_HEADER bytes are. */
export function isRecordHeader(bytes: Uint8Array, at: number): boolean {
  if (!isRecordType(u8(bytes, at))) return false;
  return u8(bytes, at + 1) === 3 && u8(bytes, at + 2) <= 4 && u16(bytes, at + 3) <= CONTENT_MAXIMUM;
}

function isRecordType(type: number): boolean {
  return type >= RECORD.changeCipherSpec && type <= RECORD.heartbeat;
}

/** Takes the records of one direction, piece by piece. */
export interface RecordSink {
  /** Some of a record's content, at least one byte but for an empty record; `last` with its end. */
  onContent(bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** Bytes of the record's content were not captured. */
  onMissing(length: number, last: boolean): void;
  /** What follows is not a record. @returns whether to try the next byte */
  onNoRecord(): boolean;
}

/** Cuts one direction into records and hands on their content without gathering it. */
export class RecordReader {
  /** Of the record under way: type, version, length of its content, when its header began, and how much was handed on. */
  type = 0;
  version = 0;
  length = 0;
  firstTime = 0;
  seen = 0;
  /** Bytes of all records so far, headers included. */
  bytes = 0;
  /** Records whose header was read. */
  records = 0;
  readonly #sink: RecordSink;
  readonly #header = new Uint8Array(RECORD_HEADER);
  #headerBytes = 0;
  #bytesBefore = 0;
  #stopped = false;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /** Leave off for good. */
  stop(): void {
    this.#stopped = true;
  }

  /** Leave off for good: the record under way makes no sense, and does not count. */
  reject(): void {
    this.bytes = this.#bytesBefore;
    this.#stopped = true;
  }

  data(bytes: Uint8Array, start: number, end: number, now: number): void {
    let at = start;
    while (at < end && !this.#stopped) {
      if (this.#headerBytes < RECORD_HEADER) {
        const byte = u8(bytes, at);
        at += 1;
        if (this.#headerBytes === 0) {
          this.firstTime = now;
          if (!isRecordType(byte)) {
            if (!this.#sink.onNoRecord()) this.#stopped = true;
            continue;
          }
        }
        this.#header[this.#headerBytes] = byte;
        this.#headerBytes += 1;
        if (this.#headerBytes === RECORD_HEADER && this.#begin()) this.#content(bytes, at, at);
        continue;
      }
      const taken = Math.min(end - at, this.length - this.seen);
      at += taken;
      this.#content(bytes, at - taken, at);
    }
  }

  /** @returns whether what is missing lies within one record's content: the next record's beginning is known */
  gap(length: number): boolean {
    if (this.#stopped) return true;
    if (this.#headerBytes < RECORD_HEADER || length > this.length - this.seen) {
      this.#stopped = true;
      return false;
    }
    this.bytes += length;
    this.seen += length;
    const last = this.seen === this.length;
    if (last) this.#headerBytes = 0;
    this.#sink.onMissing(length, last);
    return true;
  }

  /** @returns whether the record has no content */
  #begin(): boolean {
    if (!isRecordHeader(this.#header, 0)) {
      this.#stopped = true;
      this.#sink.onNoRecord();
      return false;
    }
    this.type = u8(this.#header, 0);
    this.version = u16(this.#header, 1);
    this.length = u16(this.#header, 3);
    this.seen = 0;
    this.#bytesBefore = this.bytes;
    this.bytes += RECORD_HEADER;
    this.records += 1;
    return this.length === 0;
  }

  #content(bytes: Uint8Array, start: number, end: number): void {
    this.seen += end - start;
    this.bytes += end - start;
    const last = this.seen === this.length;
    if (last) this.#headerBytes = 0;
    this.#sink.onContent(bytes, start, end, last);
  }
}
