import { joinedBytes } from '../../../../wire/bytes.ts';
import type { ArrivalTime, ByteSink } from '../received-stream.ts';
import { VarintReader } from '../varint.ts';

/** Types of unidirectional streams (RFC 9114 section 6.2, RFC 9204 section 4.2). */
const CONTROL = 0;
const QPACK_ENCODER = 2;
const SETTINGS_FRAME = 4;
const QPACK_MAX_TABLE_CAPACITY = 1;
/** Bytes in which the type, and a control stream's SETTINGS, have to be. */
const HEAD_MAXIMUM = 4096;

/** Takes what is read of a side's unidirectional streams. */
export interface UnidirectionalSink {
  /** SETTINGS. @param tableMaximum bytes that QPACK's table may have */
  onSettings(tableMaximum: number): void;
  onInstructions(bytes: Uint8Array, start: number, end: number): void;
  /** Instructions are missing. */
  onInstructionsLost(): void;
}

/** A unidirectional stream: its type, SETTINGS of a control stream, QPACK's instructions; what others carry is skipped. */
export class UnidirectionalStream implements ByteSink {
  /** Nothing of it is read any more. */
  skipped = false;
  readonly #sink: UnidirectionalSink;
  #type = -1;
  #head: Uint8Array = new Uint8Array(0);

  constructor(sink: UnidirectionalSink) {
    this.#sink = sink;
  }

  onBytes(bytes: Uint8Array, start: number, end: number, _arrival: ArrivalTime): void {
    if (this.skipped) return;
    if (this.#type === QPACK_ENCODER) {
      this.#sink.onInstructions(bytes, start, end);
      return;
    }
    this.#head = joinedBytes([this.#head, bytes.subarray(start, end)]);
    const reader = new VarintReader(this.#head, 0, this.#head.length);
    const type = reader.next();
    if (Number.isNaN(type)) return;
    this.#type = type;
    if (type === QPACK_ENCODER) {
      this.#sink.onInstructions(this.#head, reader.at, this.#head.length);
      this.#head = new Uint8Array(0);
    } else if (type !== CONTROL || this.#settings(reader) || this.#head.length > HEAD_MAXIMUM) this.#skip();
  }

  onHole(_length: number): void {
    // Of a stream without its type nothing is known: it may be the one with the instructions.
    if (this.#type === QPACK_ENCODER || this.#type < 0) this.#sink.onInstructionsLost();
    this.#skip();
  }

  onFin(): void {
    this.#skip();
  }

  #skip(): void {
    this.skipped = true;
    this.#head = new Uint8Array(0);
  }

  /** The first frame of a control stream. @returns whether it was whole */
  #settings(reader: VarintReader): boolean {
    const type = reader.next();
    const length = reader.next();
    if (Number.isNaN(length)) return false;
    if (type !== SETTINGS_FRAME || length > HEAD_MAXIMUM) return true;
    const end = reader.at + length;
    if (end > reader.end) return false;
    let maximum = 0;
    while (reader.at < end) {
      const id = reader.next();
      const value = reader.next();
      if (id === QPACK_MAX_TABLE_CAPACITY) maximum = value;
    }
    if (!Number.isNaN(maximum)) this.#sink.onSettings(maximum);
    return true;
  }
}
