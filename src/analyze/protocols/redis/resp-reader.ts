import { latin1, utf8 } from '../../record/text.ts';

/** Characters of a line, and of all texts of a value, that are kept. */
const LINE_MAXIMUM = 512;
const TEXTS_MAXIMUM = 2048;
/** Values within values; deeper ones are no RESP. */
const DEPTH_MAXIMUM = 16;
/** Bytes of one line: an inline command, an error. */
const LINE_BYTES = 64 * 1024;
const BULK_MAXIMUM = 2 ** 32;
/** Length of the mark that ends a snapshot of unknown length. */
const MARK_LENGTH = 40;

const CR = 13;
const LF = 10;
const DIGITS = 12;
const DOLLAR = 0x24;
const ATTRIBUTE = 0x7c;

/** A value has come whole, or as far as it came. Reused: read it at once. */
export interface RespValue {
  /** The first byte of the outermost value, `*` or `+`; 0 for an inline command, or where the first line is not whole. */
  type: number;
  /** Texts in it, from the front: arguments of a command, items of a push; bounded. Attributes are left out. */
  texts: string[];
  /** Items of the outermost array, texts or not. */
  items: number;
  nil: boolean;
  /** Its bytes so far. */
  bytes: number;
  /** Bytes of the whole value where its beginning states them; -1 where it does not. */
  declared: number;
  /** Stream offset of its first byte. */
  start: number;
  /** Times of the packets of its first and last byte, ns, and whether both are known. */
  firstTime: number;
  lastTime: number;
  timed: boolean;
  /** What the packet of its first byte acknowledges of the other side's stream, -1 if unknown. */
  acknowledged: number;
  /** Bytes within it were not captured. */
  gap: boolean;
}

/** Where bytes come from, from StreamContext. */
export interface Carrier {
  readonly now: number;
  readonly timeKnown: boolean;
  readonly acknowledged: number;
}

export interface RespOptions {
  /** Texts kept of a value: 1 for the command alone. */
  readonly texts: number;
  /** Commands without RESP are taken (a client's direction). */
  readonly inline: boolean;
  onValue(value: RespValue): void;
}

/**
 * RESP2 and RESP3 (redis.io, "Redis serialization protocol specification") of one direction, cut anywhere, with the snapshots
 * that replication sends between values.
 */
export class RespReader {
  /** Where values begin is not known. */
  lost = false;
  /** The value that has come, or that is coming while `begun`. */
  readonly value: RespValue = {
    type: 0,
    texts: [],
    items: 0,
    nil: false,
    bytes: 0,
    declared: -1,
    start: 0,
    firstTime: 0,
    lastTime: 0,
    timed: true,
    acknowledged: -1,
    gap: false,
  };
  readonly #options: RespOptions;
  /** Items still to come, by depth; and the depths that are attributes. */
  readonly #open: number[] = [];
  readonly #attributes: number[] = [];
  #line: Uint8Array = new Uint8Array(LINE_MAXIMUM);
  #lineFilled = 0;
  #lineBytes = 0;
  /** Bytes of a bulk string still to come, its CRLF included; -1 outside of one. */
  #bulk = -1;
  #kept = 0;
  #bulkWanted = false;
  #begun = false;
  /** A value that begins with `$` is a snapshot: no CRLF ends it. */
  #snapshotNext = false;
  /** Bytes of a snapshot still to come; -1 outside of one. */
  #snapshot = -1;
  /** What ends a snapshot of unknown length. */
  #mark: Mark | undefined;

  constructor(options: RespOptions) {
    this.#options = options;
  }

  /** Within a value. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The next value, if it begins with `$`, is a snapshot (a replica's SYNC or PSYNC was accepted). */
  expectSnapshot(): void {
    this.#snapshotNext = true;
  }

  /** A value begins at the next byte. */
  restart(): void {
    this.lost = false;
    this.#reset();
  }

  /** Where values begin is not known any more. */
  lose(): void {
    this.lost = true;
    this.#reset();
  }

  /**
   * Take the next bytes.
   * @param offset of bytes[start] in the stream
   * @returns where reading stopped: `end`, or before it where the bytes are no RESP and the reader is lost
   */
  data(bytes: Uint8Array, start: number, end: number, offset: number, carrier: Carrier): number {
    let at = start;
    while (at < end && !this.lost) {
      if (!this.#begun) this.#begin(offset + at - start, carrier);
      if (this.#snapshot >= 0 || this.#mark !== undefined) at = this.#inSnapshot(bytes, at, end, carrier);
      else if (this.#bulk >= 0) at = this.#inBulk(bytes, at, end, carrier);
      else {
        const byte = bytes[at] as number;
        at += 1;
        this.value.bytes += 1;
        if (byte === LF) this.#endOfLine(carrier);
        else {
          if (this.#lineFilled < LINE_MAXIMUM) {
            this.#line[this.#lineFilled] = byte;
            this.#lineFilled += 1;
          }
          this.#lineBytes += 1;
          if (this.#lineBytes > LINE_BYTES) this.lose();
        }
      }
    }
    return at;
  }

  /**
   * Bytes that were not captured.
   * @returns whether it is known where the next value begins: bytes missing within a bulk string cost only their text
   */
  gap(length: number): boolean {
    if (this.lost) return false;
    const isSnapshot = this.#snapshot >= 0;
    // The CRLF behind a bulk string is needed to be sure.
    if (isSnapshot ? this.#snapshot - length < 1 : this.#bulk - length < 2) return false;
    this.value.gap = true;
    this.value.bytes += length;
    if (isSnapshot) this.#snapshot -= length;
    else {
      this.#bulkWanted = false;
      this.#bulk -= length;
    }
    return true;
  }

  #begin(offset: number, { now, timeKnown, acknowledged }: Carrier): void {
    this.#begun = true;
    const { value } = this;
    value.type = 0;
    value.texts = [];
    value.items = 0;
    value.nil = false;
    value.bytes = 0;
    value.declared = -1;
    value.gap = false;
    value.start = offset;
    value.firstTime = now;
    value.lastTime = now;
    value.timed = timeKnown;
    value.acknowledged = acknowledged;
    this.#kept = 0;
  }

  #inBulk(bytes: Uint8Array, start: number, end: number, carrier: Carrier): number {
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
    this.value.bytes += taken;
    if (this.#bulk === 0) {
      this.#bulk = -1;
      if (bytes[start + taken - 1] !== LF) this.lose();
      else {
        if (this.#bulkWanted) this.#text(utf8(this.#line, 0, this.#lineFilled));
        this.#lineFilled = 0;
        this.#endOfItem(carrier);
      }
    }
    return start + taken;
  }

  #inSnapshot(bytes: Uint8Array, start: number, end: number, carrier: Carrier): number {
    let at = start;
    let over = false;
    if (this.#mark === undefined) {
      const taken = Math.min(this.#snapshot, end - at);
      at += taken;
      this.#snapshot -= taken;
      over = this.#snapshot === 0;
    } else {
      const mark = this.#mark;
      while (at < end && !over) {
        over = mark.ends(bytes[at] as number);
        at += 1;
      }
    }
    this.value.bytes += at - start;
    if (over) {
      this.#snapshot = -1;
      this.#mark = undefined;
      this.#endOfItem(carrier);
    }
    return at;
  }

  #endOfLine(carrier: Carrier): void {
    const line = this.#line;
    let length = this.#lineFilled;
    if (length > 0 && line[length - 1] === CR) length -= 1;
    const type = line[0] as number;
    this.#lineFilled = 0;
    this.#lineBytes = 0;
    if (length === 0) {
      // An empty line between values is nothing: a master sends them while it prepares a snapshot.
      if (this.#open.length > 0) this.lose();
      else this.#begun = false;
      return;
    }
    const outermost = this.#open.length === 0;
    if (outermost) this.value.type = type;
    const snapshot = outermost && this.#snapshotNext && type === DOLLAR;
    if (outermost && type !== ATTRIBUTE) this.#snapshotNext = false;
    if (snapshot) {
      this.#beginSnapshot(line, length, carrier);
      return;
    }
    switch (type) {
      case 0x2b: // +
      case 0x2d: // -
      case 0x3a: // :
      case 0x2c: // ,
      case 0x28: // (
      case 0x23: // #
        this.#text(latin1(line, 1, length));
        this.#endOfItem(carrier);
        return;
      case 0x5f: // _
        this.value.nil ||= outermost;
        this.#endOfItem(carrier);
        return;
      case DOLLAR:
      case 0x21: // !
      case 0x3d: // =
        this.#bulkBegins(countAt(line, 1, length), outermost, carrier);
        return;
      case 0x2a: // *
      case 0x7e: // ~
      case 0x3e: // >
        this.#aggregate(countAt(line, 1, length), outermost, carrier);
        return;
      case 0x25: // %
        this.#aggregate(2 * countAt(line, 1, length), outermost, carrier);
        return;
      case ATTRIBUTE:
        this.#attribute(2 * countAt(line, 1, length));
        return;
      default:
        if (!this.#options.inline || !outermost) {
          this.lose();
          return;
        }
        this.value.type = 0;
        this.value.texts = utf8(line, 0, length).trim().split(/\s+/).slice(0, this.#options.texts);
        this.value.items = this.value.texts.length;
        this.#endOfItem(carrier);
    }
  }

  #bulkBegins(length: number, outermost: boolean, carrier: Carrier): void {
    if (length === -1) {
      this.value.nil ||= outermost;
      this.#endOfItem(carrier);
    } else if (length >= 0 && length <= BULK_MAXIMUM) {
      this.#bulk = length + 2;
      this.#bulkWanted = this.#takesTexts;
      if (outermost) this.value.declared = this.value.bytes + length + 2;
    } else this.lose();
  }

  /** `$1234`, or `$EOF:` with forty letters that end it. */
  #beginSnapshot(line: Uint8Array, length: number, carrier: Carrier): void {
    if (latin1(line, 0, 5) === '$EOF:' && length === 5 + MARK_LENGTH) {
      this.#mark = new Mark(line.slice(5, length));
      return;
    }
    const bytes = snapshotLength(line, length);
    if (bytes > 0) {
      this.#snapshot = bytes;
      this.value.declared = this.value.bytes + bytes;
    } else if (bytes === 0) this.#endOfItem(carrier);
    else this.lose();
  }

  #aggregate(count: number, outermost: boolean, carrier: Carrier): void {
    if (outermost) this.value.items = Math.max(0, count);
    if (count > 0 && count < BULK_MAXIMUM && this.#open.length < DEPTH_MAXIMUM) this.#open.push(count);
    else if (count === 0 || count === -1) {
      this.value.nil ||= outermost && count === -1;
      this.#endOfItem(carrier);
    } else this.lose();
  }

  /** An attribute precedes the value it describes, and does not count as an item. */
  #attribute(count: number): void {
    if (count === 0) return;
    if (!(count > 0 && count < BULK_MAXIMUM && this.#open.length < DEPTH_MAXIMUM)) {
      this.lose();
      return;
    }
    this.#attributes.push(this.#open.length);
    this.#open.push(count);
  }

  /** An item is whole; perhaps what holds it is then, too. */
  #endOfItem({ now, timeKnown }: Carrier): void {
    const open = this.#open;
    while (open.length > 0) {
      const left = (open[open.length - 1] as number) - 1;
      open[open.length - 1] = left;
      if (left > 0) return;
      open.pop();
      if (this.#attributes.at(-1) === open.length) {
        this.#attributes.pop();
        return;
      }
    }
    this.value.lastTime = now;
    this.value.timed &&= timeKnown;
    this.#begun = false;
    this.#options.onValue(this.value);
  }

  get #takesTexts(): boolean {
    return this.#attributes.length === 0 && this.value.texts.length < this.#options.texts && this.#kept < TEXTS_MAXIMUM;
  }

  #text(text: string): void {
    if (!this.#takesTexts) return;
    this.value.texts.push(text);
    this.#kept += text.length;
  }

  #reset(): void {
    this.#open.length = 0;
    this.#attributes.length = 0;
    this.#lineFilled = 0;
    this.#lineBytes = 0;
    this.#bulk = -1;
    this.#snapshot = -1;
    this.#snapshotNext = false;
    this.#mark = undefined;
    this.#begun = false;
  }
}

/** Finds a text in bytes that come one by one (Knuth, Morris and Pratt): the last bytes of a snapshot may be the first ones of its mark. */
class Mark {
  readonly #text: Uint8Array;
  /** By how many bytes matched: how many of the text's first ones these end with, without being all of them. */
  readonly #borders: number[] = [0, 0];
  #matched = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
    for (let length = 1; length < text.length; length += 1) {
      this.#borders.push(this.#extended(this.#borders[length] as number, text[length] as number));
    }
  }

  /** Takes the next byte. @returns whether the text ends with it */
  ends(byte: number): boolean {
    this.#matched = this.#extended(this.#matched, byte);
    return this.#matched === this.#text.length;
  }

  /** How many bytes match when one more comes. */
  #extended(matched: number, byte: number): number {
    let length = matched;
    while (length > 0 && this.#text[length] !== byte) length = this.#borders[length] as number;
    return this.#text[length] === byte ? length + 1 : 0;
  }
}

/** A count or length; -1 for null, NaN when it is invalid. */
export function countAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start === 2 && bytes[start] === 0x2d && bytes[start + 1] === 0x31) return -1;
  return digitsAt(bytes, start, end, DIGITS);
}

/** A snapshot may be longer than a bulk string: at most 2⁵³ bytes are believed. */
function snapshotLength(line: Uint8Array, length: number): number {
  const bytes = digitsAt(line, 1, length, 16);
  return Number.isSafeInteger(bytes) ? bytes : Number.NaN;
}

function digitsAt(bytes: Uint8Array, start: number, end: number, maximum: number): number {
  if (end <= start || end - start > maximum) return Number.NaN;
  let count = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    count = count * 10 + digit;
  }
  return count;
}
