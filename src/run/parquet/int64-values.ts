import { int64Dictionary } from './int64-dictionary.ts';
import { type Bounds, type EncodedValues, NO_VALUE, Room, type Values } from './values.ts';

const BYTES = 8;
const TWO_32 = 2 ** 32;
const TWO_63 = 2 ** 63;
const NS_IN_S = 1_000_000_000n;
const SECOND_CHARACTERS = '2026-11-29T15:04:05'.length;
const NANOSECOND_DIGITS = 9;

/** 64-bit integers. They are kept as two halves, which V8 computes without making an object of each. */
abstract class Int64Values implements Values {
  readonly #room = new Room();
  #count = 0;
  #minimumHigh = 0;
  #minimumLow = 0;
  #maximumHigh = 0;
  #maximumLow = 0;

  abstract add(value: unknown): number;

  /** @param high from -2^31 to 2^31-1 @param low from 0 to 2^32-1 */
  protected put(high: number, low: number): void {
    const at = this.#count * BYTES;
    this.#room.fit(at + BYTES);
    const { view } = this.#room;
    view.setUint32(at, low, true);
    view.setInt32(at + 4, high, true);
    const isFirst = this.#count === 0;
    this.#count += 1;
    if (isFirst || high < this.#minimumHigh || (high === this.#minimumHigh && low < this.#minimumLow)) {
      this.#minimumHigh = high;
      this.#minimumLow = low;
    }
    if (isFirst || high > this.#maximumHigh || (high === this.#maximumHigh && low > this.#maximumLow)) {
      this.#maximumHigh = high;
      this.#maximumLow = low;
    }
  }

  encode(): EncodedValues {
    const bytes = this.#room.bytes.subarray(0, this.#count * BYTES);
    if (this.#count === 0) return { values: bytes };
    const bounds: Bounds = {
      min_value: int64(this.#minimumHigh, this.#minimumLow),
      max_value: int64(this.#maximumHigh, this.#maximumLow),
    };
    return { values: bytes, ...int64Dictionary(this.#room.view, this.#count), bounds };
  }

  clear(keep: boolean): void {
    this.#count = 0;
    this.#room.rewind(keep);
  }
}

function int64(high: number, low: number): bigint {
  return (BigInt(high) << 32n) + BigInt(low);
}

/** Numbers, rounded to integers; those that 64 bits cannot hold are no values. */
export class IntegerValues extends Int64Values {
  add(value: unknown): number {
    if (typeof value !== 'number') return NO_VALUE;
    const whole = Math.round(value);
    if (!(whole >= -TWO_63 && whole < TWO_63)) return NO_VALUE;
    const high = Math.floor(whole / TWO_32);
    // Exact: both are multiples of the same power of two.
    this.put(high, whole - high * TWO_32);
    return 0;
  }
}

/** Times as ns since 1970. They are RFC 3339 texts in UTC with nine digits, as records have them, and come in order: the second is kept. */
export class TimeValues extends Int64Values {
  #secondText = '';
  #secondHigh = 0;
  #secondLow = 0;

  add(value: unknown): number {
    if (typeof value !== 'string') return NO_VALUE;
    if (this.#secondText === '' || !value.startsWith(this.#secondText)) {
      if (!this.#second(value.slice(0, SECOND_CHARACTERS))) return NO_VALUE;
    }
    const fraction = nanosecondsOf(value);
    if (fraction === undefined) return NO_VALUE;
    const low = this.#secondLow + fraction;
    const high = low < TWO_32 ? this.#secondHigh : this.#secondHigh + 1;
    // The times of a capture reach up to 2554, those of Parquet in nanoseconds up to 2262.
    if (high >= TWO_32 / 2 || high < -TWO_32 / 2) return NO_VALUE;
    this.put(high, low < TWO_32 ? low : low - TWO_32);
    return 0;
  }

  #second(text: string): boolean {
    const milliseconds = text.length < SECOND_CHARACTERS ? Number.NaN : Date.parse(`${text}Z`);
    if (Number.isNaN(milliseconds)) return false;
    const nanoseconds = BigInt(milliseconds / 1000) * NS_IN_S;
    this.#secondText = text;
    this.#secondHigh = Number(nanoseconds >> 32n);
    this.#secondLow = Number(BigInt.asUintN(32, nanoseconds));
    return true;
  }
}

const ZERO = 48;

/** The nine digits behind the second; 0 where there are none. */
function nanosecondsOf(text: string): number | undefined {
  const start = SECOND_CHARACTERS + 1;
  const end = start + NANOSECOND_DIGITS;
  if (text.length <= start) return 0;
  if (text.length < end) return undefined;
  let nanoseconds = 0;
  for (let at = start; at < end; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    nanoseconds = nanoseconds * 10 + digit;
  }
  return nanoseconds;
}
