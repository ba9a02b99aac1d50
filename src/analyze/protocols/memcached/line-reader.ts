import { latin1 } from '../../record/text.ts';

/** Bytes of a line: a get of a hundred keys of 250 bytes. */
const LINE_MAXIMUM = 32 * 1024;
/** Bytes of one value: memcached's own limit is 1 GiB. */
const VALUE_MAXIMUM = 2 ** 30;

const CR = 13;
const LF = 10;

/** What stands for no data behind a line. */
export const NO_DATA = -1;

/** Where a line came from. Reused: read it at once. */
export interface Line {
  /** Stream offset of its first byte. */
  readonly start: number;
  readonly bytes: number;
  /** Times of the packets of its first and last byte, ns, and whether both are known. */
  readonly firstTime: number;
  readonly lastTime: number;
  readonly timed: boolean;
  /** What the packet of its first byte acknowledges of the other side, -1 if unknown. */
  readonly acknowledged: number;
}

/** The data behind a line. */
export interface Data {
  /** Bytes, CRLF included, that came or were skipped by a gap; and that there are in all. */
  readonly bytes: number;
  readonly length: number;
  readonly lastTime: number;
  readonly timed: boolean;
  readonly gap: boolean;
}

/** Where bytes come from, from StreamContext. */
export interface Carrier {
  readonly now: number;
  readonly timeKnown: boolean;
  readonly acknowledged: number;
}

/** Takes one direction's lines. */
export interface LineSink {
  /** @returns bytes of data that follow, their CRLF left out; NO_DATA for none, NaN when this is not a line of the protocol */
  onLine(words: string[], line: Line): number;
  /** The data behind the last line have ended. */
  onData(data: Data): void;
}

/** Cuts one direction into lines and the data behind them, which are only counted. */
export class LineReader {
  /** Where lines begin is not known. */
  lost = false;
  readonly #sink: LineSink;
  readonly #text = new Uint8Array(LINE_MAXIMUM);
  #filled = 0;
  readonly #line = { start: 0, bytes: 0, firstTime: 0, lastTime: 0, timed: true, acknowledged: -1 };
  /** Data still to come, with their CRLF; -1 outside of them. */
  #left = -1;
  readonly #data = { bytes: 0, length: 0, lastTime: 0, timed: true, gap: false };

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Within a line or its data. */
  get begun(): boolean {
    return this.#filled > 0 || this.#left >= 0;
  }

  /** Data of which a part came, or undefined within a line. */
  get data(): Data | undefined {
    return this.#left >= 0 ? { ...this.#data, bytes: this.#data.length - this.#left } : undefined;
  }

  /** The line that came last, or is coming. */
  get line(): Line {
    return this.#line;
  }

  /** A line begins at the next byte. */
  restart(): void {
    this.lost = false;
    this.#filled = 0;
    this.#left = -1;
  }

  /** Where lines begin is not known any more. */
  lose(): void {
    this.restart();
    this.lost = true;
  }

  /**
   * Take the next bytes.
   * @param offset of bytes[start] in the stream
   * @returns where reading stopped: `end`, or before it where the bytes are no lines and the reader is lost
   */
  take(bytes: Uint8Array, start: number, end: number, offset: number, carrier: Carrier): number {
    const { now, timeKnown } = carrier;
    let at = start;
    while (at < end && !this.lost) {
      if (this.#left >= 0) {
        const taken = Math.min(this.#left, end - at);
        this.#left -= taken;
        at += taken;
        if (this.#left > 0) return at;
        this.#left = -1;
        if (bytes[at - 1] !== LF) this.lose();
        else {
          this.#data.lastTime = now;
          this.#data.timed = timeKnown;
          this.#sink.onData(this.#data);
        }
        continue;
      }
      if (this.#filled === 0) {
        this.#line.start = offset + at - start;
        this.#line.firstTime = now;
        this.#line.timed = timeKnown;
        this.#line.acknowledged = carrier.acknowledged;
      }
      const byte = bytes[at] as number;
      at += 1;
      if (this.#filled === LINE_MAXIMUM) this.lose();
      else {
        this.#text[this.#filled] = byte;
        this.#filled += 1;
        if (byte === LF) this.#endOfLine(carrier);
      }
    }
    return at;
  }

  /** Bytes that were not captured. @returns whether it is known where the next line begins: missing data cost nothing else */
  gap(length: number): boolean {
    if (this.lost || this.#left - length < 2) return false;
    this.#left -= length;
    this.#data.gap = true;
    return true;
  }

  #endOfLine({ now, timeKnown }: Carrier): void {
    const bytes = this.#filled;
    const length = bytes - (bytes > 1 && this.#text[bytes - 2] === CR ? 2 : 1);
    this.#filled = 0;
    this.#line.bytes = bytes;
    this.#line.lastTime = now;
    this.#line.timed &&= timeKnown;
    const data = this.#sink.onLine(latin1(this.#text, 0, length).split(' ').filter(Boolean), this.#line);
    if (data === NO_DATA) return;
    if (!(data >= 0 && data <= VALUE_MAXIMUM)) {
      this.lose();
      return;
    }
    this.#left = data + 2;
    this.#data.bytes = data + 2;
    this.#data.length = data + 2;
    this.#data.gap = false;
  }
}
