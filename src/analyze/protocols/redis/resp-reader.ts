import { latin1, utf8 } from '../../record/text.ts';

/** Characters of a line, and of all texts of a value, that are kept. */
const LINE_MAXIMUM = 512;
const TEXTS_MAXIMUM = 2048;
/** Values within values; deeper ones are no RESP. */
const DEPTH_MAXIMUM = 16;
/** Octets of one line: an inline command, an error. */
const LINE_OCTETS = 64 * 1024;
const BULK_MAXIMUM = 2 ** 32;

const CR = 13;
const LF = 10;
const DIGITS = 12;

/** A value has come whole. Reused: read it at once. */
export interface RespValue {
  /** The first octet of the outermost value, `*` or `+`; 0 for an inline command. */
  type: number;
  /** Texts in it, from the front: arguments of a command, items of a push; bounded. */
  texts: string[];
  /** Items of the outermost array, texts or not. */
  items: number;
  nil: boolean;
  octets: number;
  firstTime: number;
  lastTime: number;
  gap: boolean;
}

/** RESP2 and RESP3 (redis.io, "Redis serialization protocol specification") of one direction, cut anywhere. */
export class RespReader {
  /** Where values begin is not known. */
  lost = false;
  readonly value: RespValue = {
    type: 0,
    texts: [],
    items: 0,
    nil: false,
    octets: 0,
    firstTime: 0,
    lastTime: 0,
    gap: false,
  };
  /** Texts kept of a value: 1 for the command alone. */
  readonly #texts: number;
  readonly #inline: boolean;
  readonly #onValue: (value: RespValue) => void;
  readonly #onLost: () => void;
  /** Items still to come, by depth. */
  readonly #open: number[] = [];
  #line: Uint8Array = new Uint8Array(LINE_MAXIMUM);
  #lineFilled = 0;
  #lineOctets = 0;
  /** Octets of a bulk string still to come, its CRLF included; -1 outside of one. */
  #bulk = -1;
  #kept = 0;
  #bulkWanted = false;
  #begun = false;

  /** @param inline commands without RESP are taken (a client's direction) */
  constructor(texts: number, inline: boolean, onValue: (value: RespValue) => void, onLost: () => void) {
    this.#texts = texts;
    this.#inline = inline;
    this.#onValue = onValue;
    this.#onLost = onLost;
  }

  restart(): void {
    this.lost = false;
    this.#reset();
  }

  data(bytes: Uint8Array, start: number, end: number, now: number): void {
    let at = start;
    while (at < end && !this.lost) {
      if (!this.#begun) this.#begin(now);
      if (this.#bulk >= 0) {
        at = this.#inBulk(bytes, at, end, now);
        continue;
      }
      const octet = bytes[at] as number;
      at += 1;
      this.value.octets += 1;
      if (octet === LF) this.#endOfLine(now);
      else {
        if (this.#lineFilled < LINE_MAXIMUM) {
          this.#line[this.#lineFilled] = octet;
          this.#lineFilled += 1;
        }
        this.#lineOctets += 1;
        if (this.#lineOctets > LINE_OCTETS) this.#lose();
      }
    }
  }

  /** Octets that were not captured: within a bulk string they cost only their text. */
  gap(length: number, now: number): void {
    if (this.lost) return;
    // The CRLF behind a bulk string is needed to be sure.
    if (this.#bulk - length < 2) {
      this.#lose();
      return;
    }
    this.value.gap = true;
    this.value.octets += length;
    this.#bulkWanted = false;
    this.#bulk -= length;
    this.value.lastTime = now;
  }

  #begin(now: number): void {
    this.#begun = true;
    const { value } = this;
    value.type = 0;
    value.texts = [];
    value.items = 0;
    value.nil = false;
    value.octets = 0;
    value.gap = false;
    value.firstTime = now;
    this.#kept = 0;
  }

  #inBulk(bytes: Uint8Array, start: number, end: number, now: number): number {
    const taken = Math.min(this.#bulk, end - start);
    const text = Math.min(taken, Math.max(0, this.#bulk - 2));
    if (this.#bulkWanted) {
      const room = Math.min(text, LINE_MAXIMUM - this.#lineFilled);
      if (room > 0) {
        this.#line.set(bytes.subarray(start, start + room), this.#lineFilled);
        this.#lineFilled += room;
      }
    }
    this.#bulk -= taken;
    this.value.octets += taken;
    if (this.#bulk === 0) {
      this.#bulk = -1;
      if (bytes[start + taken - 1] !== LF) this.#lose();
      else {
        if (this.#bulkWanted) this.#text(utf8(this.#line, 0, this.#lineFilled));
        this.#lineFilled = 0;
        this.#endOfItem(now);
      }
    }
    return start + taken;
  }

  #endOfLine(now: number): void {
    const line = this.#line;
    let length = this.#lineFilled;
    if (length > 0 && line[length - 1] === CR) length -= 1;
    const type = line[0] as number;
    this.#lineFilled = 0;
    this.#lineOctets = 0;
    if (length === 0) {
      // An empty line between commands is nothing.
      if (this.#open.length > 0) this.#lose();
      else this.#begun = false;
      return;
    }
    const outermost = this.#open.length === 0;
    if (outermost) this.value.type = type;
    switch (type) {
      case 0x2b: // +
      case 0x2d: // -
      case 0x3a: // :
      case 0x2c: // ,
      case 0x28: // (
      case 0x23: // #
        this.#text(latin1(line, 1, length));
        this.#endOfItem(now);
        return;
      case 0x5f: // _
        this.value.nil ||= outermost;
        this.#endOfItem(now);
        return;
      case 0x24: // $
      case 0x21: // !
      case 0x3d: // =
        this.#bulkBegins(countAt(line, 1, length), outermost, now);
        return;
      case 0x2a: // *
      case 0x7e: // ~
      case 0x3e: // >
        this.#aggregate(countAt(line, 1, length), outermost, now);
        return;
      case 0x25: // %
      case 0x7c: // |
        this.#aggregate(2 * countAt(line, 1, length), outermost, now);
        return;
      default:
        if (!this.#inline || !outermost) {
          this.#lose();
          return;
        }
        this.value.type = 0;
        this.value.texts = utf8(line, 0, length).trim().split(/\s+/).slice(0, this.#texts);
        this.value.items = this.value.texts.length;
        this.#endOfItem(now);
    }
  }

  #bulkBegins(length: number, outermost: boolean, now: number): void {
    if (length === -1) {
      this.value.nil ||= outermost;
      this.#endOfItem(now);
    } else if (length >= 0 && length <= BULK_MAXIMUM) {
      this.#bulk = length + 2;
      this.#bulkWanted = this.value.texts.length < this.#texts && this.#kept < TEXTS_MAXIMUM;
    } else this.#lose();
  }

  #aggregate(count: number, outermost: boolean, now: number): void {
    if (outermost) this.value.items = Math.max(0, count);
    if (count > 0 && count < BULK_MAXIMUM && this.#open.length < DEPTH_MAXIMUM) this.#open.push(count);
    else if (count === 0 || count === -1) {
      this.value.nil ||= outermost && count === -1;
      this.#endOfItem(now);
    } else this.#lose();
  }

  /** An item is whole; perhaps what holds it is then, too. */
  #endOfItem(now: number): void {
    const open = this.#open;
    while (open.length > 0) {
      const left = (open[open.length - 1] as number) - 1;
      open[open.length - 1] = left;
      if (left > 0) return;
      open.pop();
    }
    this.value.lastTime = now;
    this.#begun = false;
    this.#onValue(this.value);
  }

  #text(text: string): void {
    if (this.value.texts.length >= this.#texts || this.#kept >= TEXTS_MAXIMUM) return;
    this.value.texts.push(text);
    this.#kept += text.length;
  }

  #lose(): void {
    this.lost = true;
    this.#reset();
    this.#onLost();
  }

  #reset(): void {
    this.#open.length = 0;
    this.#lineFilled = 0;
    this.#lineOctets = 0;
    this.#bulk = -1;
    this.#begun = false;
  }
}

/** A count or length; -1 for what is not there, NaN when it is none. */
export function countAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start === 2 && bytes[start] === 0x2d && bytes[start + 1] === 0x31) return -1;
  if (end <= start || end - start > DIGITS) return Number.NaN;
  let count = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    count = count * 10 + digit;
  }
  return count;
}
