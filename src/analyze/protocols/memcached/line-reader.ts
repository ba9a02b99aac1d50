import { latin1 } from '../../record/text.ts';

/** Octets of a line: a get of a hundred keys of 250 octets. */
const LINE_MAXIMUM = 32 * 1024;
/** Octets of one value: memcached's own limit is 1 GiB. */
const VALUE_MAXIMUM = 2 ** 30;

const CR = 13;
const LF = 10;

/** Takes one direction's lines. */
export interface LineSink {
  /** @returns octets of data that follow, their CRLF left out; -1 for none, NaN when this is no line of the protocol */
  onLine(words: string[], firstTime: number, lastTime: number, octets: number): number;
  /** The data behind the last line have ended. */
  onData(octets: number, lastTime: number, gap: boolean): void;
  onLost(): void;
}

/** Cuts one direction into lines and the data behind them, which are only counted. */
export class LineReader {
  lost = false;
  readonly #sink: LineSink;
  readonly #line = new Uint8Array(LINE_MAXIMUM);
  #filled = 0;
  #firstTime = 0;
  /** Data still to come, with their CRLF; -1 outside of them. */
  #left = -1;
  #octets = 0;
  #gap = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  restart(): void {
    this.lost = false;
    this.#filled = 0;
    this.#left = -1;
  }

  data(bytes: Uint8Array, start: number, end: number, now: number): void {
    let at = start;
    while (at < end && !this.lost) {
      if (this.#left >= 0) {
        const taken = Math.min(this.#left, end - at);
        this.#left -= taken;
        at += taken;
        if (this.#left > 0) return;
        this.#left = -1;
        if (bytes[at - 1] !== LF) this.#lose();
        else this.#sink.onData(this.#octets, now, this.#gap);
        continue;
      }
      if (this.#filled === 0) this.#firstTime = now;
      const octet = bytes[at] as number;
      at += 1;
      if (this.#filled === LINE_MAXIMUM) this.#lose();
      else {
        this.#line[this.#filled] = octet;
        this.#filled += 1;
        if (octet === LF) this.#endOfLine(now);
      }
    }
  }

  gap(length: number): void {
    if (this.lost) return;
    if (this.#left - length < 2) {
      this.#lose();
      return;
    }
    this.#left -= length;
    this.#gap = true;
  }

  #endOfLine(now: number): void {
    const octets = this.#filled;
    const length = octets - (octets > 1 && this.#line[octets - 2] === CR ? 2 : 1);
    this.#filled = 0;
    const data = this.#sink.onLine(
      latin1(this.#line, 0, length).split(' ').filter(Boolean),
      this.#firstTime,
      now,
      octets,
    );
    if (data === -1) return;
    if (!(data >= 0 && data <= VALUE_MAXIMUM)) {
      this.#lose();
      return;
    }
    this.#left = data + 2;
    this.#octets = data + 2;
    this.#gap = false;
  }

  #lose(): void {
    this.lost = true;
    this.#sink.onLost();
  }
}
