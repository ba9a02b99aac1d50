/** Places, a power of two: a shape takes the place of another one. */
const PLACES = 512;
/** Characters of the longest text that is remembered. */
const WIDTH = 128;
/** Longer numbers are no ids and no counts: they make shapes of their own. */
const DIGITS_MAXIMUM = 16;

const ZERO = 0x30;
const NINE = 0x39;
const LAST_PRINTABLE = 0x7e;
/** In a shape: a digit of a number that stands alone. No text that is remembered has it. */
const ANY_DIGIT = 0x7f;

/** What a character may be: one before a number that stands alone, one behind it. */
const BEFORE = 1;
const BEHIND = 2;

/**
 * What was found out about texts that differ in nothing but numbers that stand alone: `/items/10?n=7` and `/items/25?n=1` have one shape.
 * Paths of an API rarely come again, and their shapes always do. For what depends on the lengths of such numbers at most. A text is looked up
 * without making another one; only printable ASCII of at most 128 characters is remembered.
 */
export class NumberShapes<Value> {
  /** By character: BEFORE and BEHIND. */
  readonly #kinds = new Uint8Array(LAST_PRINTABLE + 1);
  /** What is looked up, with ANY_DIGIT for the digits of numbers that stand alone; and the place where it would be. */
  readonly #codes = new Uint8Array(WIDTH);
  #length = 0;
  #place = 0;
  #first = '';
  readonly #known = new Uint8Array(PLACES * WIDTH);
  readonly #lengths = new Uint8Array(PLACES);
  readonly #firsts: string[] = new Array<string>(PLACES).fill('');
  readonly #values: (Value | undefined)[] = new Array<Value | undefined>(PLACES).fill(undefined);
  /** By length: the place of the shape that a text of that length had last, plus 1; 0 for none. */
  readonly #latest = new Uint16Array(WIDTH + 1);

  /** @param before, behind characters that a number stands alone between; behind it may also be the text's end */
  constructor(before: string, behind: string) {
    for (const each of before) this.#mark(each, BEFORE);
    for (const each of behind) this.#mark(each, BEHIND);
  }

  #mark(character: string, kind: number): void {
    const code = character.charCodeAt(0);
    this.#kinds[code] = (this.#kinds[code] as number) | kind;
  }

  /**
   * What is remembered of the shape of a text; undefined for nothing: then remember() may be called.
   * @param first belongs to the shape as it is: a request's method
   * @param end of the text, where only its beginning counts
   */
  of(first: string, text: string, end = text.length): Value | undefined {
    this.#length = 0;
    if (end > WIDTH || end === 0) return undefined;
    // Texts of one length often have one shape: to compare with that takes half the time of looking it up.
    const latest = (this.#latest[end] as number) - 1;
    if (latest >= 0 && this.#firsts[latest] === first && this.#isOfShape(latest, text, end))
      return this.#values[latest];
    const codes = this.#codes;
    const kinds = this.#kinds;
    let hash = first.length === 0 ? 0 : first.charCodeAt(0) * 31 + first.length;
    let at = 0;
    while (at < end) {
      const code = text.charCodeAt(at);
      if (code > LAST_PRINTABLE) return undefined;
      codes[at] = code;
      hash = (Math.imul(hash, 31) + code) | 0;
      at += 1;
      if (((kinds[code] as number) & BEFORE) === 0) continue;
      const from = at;
      while (at < end && isDigit(text.charCodeAt(at))) at += 1;
      const isAlone = at - from <= DIGITS_MAXIMUM && (at === end || this.#isBehind(text.charCodeAt(at)));
      for (let index = from; index < at; index += 1) {
        const digit = isAlone ? ANY_DIGIT : text.charCodeAt(index);
        codes[index] = digit;
        hash = (Math.imul(hash, 31) + digit) | 0;
      }
    }
    this.#length = end;
    this.#first = first;
    const place = (hash ^ (hash >>> 9) ^ (hash >>> 18)) & (PLACES - 1);
    this.#place = place;
    const isSame = this.#lengths[place] === end && this.#firsts[place] === first && this.#isKnown(place, end);
    if (!isSame) return undefined;
    this.#latest[end] = place + 1;
    return this.#values[place];
  }

  /**
   * Whether a text has the shape at a place, which may hold another one by now. What is around a number is the same in both, so it stands
   * alone in both or in neither.
   */
  #isOfShape(place: number, text: string, end: number): boolean {
    if (this.#lengths[place] !== end) return false;
    const known = this.#known;
    const from = place * WIDTH;
    for (let index = 0; index < end; index += 1) {
      const code = text.charCodeAt(index);
      const shape = known[from + index];
      if (shape === ANY_DIGIT ? !isDigit(code) : code !== shape) return false;
    }
    return true;
  }

  /** Remember something of the shape that of() was called with last, where it is one that can be remembered. */
  remember(value: Value): void {
    const length = this.#length;
    if (length === 0) return;
    const place = this.#place;
    this.#known.set(length === WIDTH ? this.#codes : this.#codes.subarray(0, length), place * WIDTH);
    this.#lengths[place] = length;
    this.#firsts[place] = this.#first;
    this.#values[place] = value;
  }

  #isBehind(code: number): boolean {
    return code <= LAST_PRINTABLE && ((this.#kinds[code] as number) & BEHIND) !== 0;
  }

  #isKnown(place: number, length: number): boolean {
    const known = this.#known;
    const codes = this.#codes;
    const from = place * WIDTH;
    for (let index = 0; index < length; index += 1) if (known[from + index] !== codes[index]) return false;
    return true;
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
