import { latin1 } from './text.ts';

/** RFC 3339 in UTC with nine digits. @param absolute ns since 1970; a time that no date has is shown as 1970 */
export function absoluteTimeText(absolute: bigint): string {
  const nanoseconds = nanosecondsOf(absolute);
  return `${secondText(Number((absolute - nanoseconds) / 1_000_000_000n))}.${String(nanoseconds).padStart(9, '0')}Z`;
}

/** Of the second that a time is in. */
export function nanosecondsOf(absolute: bigint): bigint {
  const nanoseconds = absolute % 1_000_000_000n;
  return nanoseconds < 0n ? nanoseconds + 1_000_000_000n : nanoseconds;
}

/** `2026-07-02T14:03:07`. @param second since 1970 */
export function secondText(second: number): string {
  const date = new Date(second * 1000);
  return Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00' : date.toISOString().slice(0, -5);
}

/** Of a text: where its nanoseconds are, and how long it is. */
const NANOSECONDS_AT = 20;
const TEXT_LENGTH = 30;

/** Times as texts, mostly of one second after the other: then only the digits behind it are written anew. */
export class TimeTexts {
  #second = Number.NaN;
  #text = '';
  /** The text that was made last: no parts are joined for the next one. */
  readonly #bytes = Buffer.alloc(TEXT_LENGTH);

  /** RFC 3339 in UTC with nine digits. @param second since 1970 @param nanoseconds within it, a whole number below 1e9 */
  of(second: number, nanoseconds: number): string {
    if (second !== this.#second) {
      this.#second = second;
      this.#text = secondText(second);
      this.#bytes.write(`${this.#text}.000000000Z`, 'latin1');
    }
    // A year may have more than four digits.
    if (this.#text.length + 1 !== NANOSECONDS_AT) return `${this.#text}.${String(nanoseconds).padStart(9, '0')}Z`;
    const bytes = this.#bytes;
    let rest = nanoseconds | 0;
    for (let at = TEXT_LENGTH - 2; at >= NANOSECONDS_AT; at -= 1) {
      const tenths = (rest / 10) | 0;
      bytes[at] = 0x30 + rest - 10 * tenths;
      rest = tenths;
    }
    return latin1(bytes, 0, TEXT_LENGTH);
  }
}
