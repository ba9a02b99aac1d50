import type { Colours } from './colour.ts';

const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const MILLISECONDS_PER_DAY = 86_400_000;

const two = (value: number) => String(value).padStart(2, '0');

/** `14:03:07`. @param milliseconds since 1970 */
function timeOfDay(milliseconds: number, utc: boolean): string {
  const date = new Date(milliseconds);
  return utc
    ? `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
    : `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The second that was last asked for: of lines one after another most have the same. */
let lastText = '';
let lastSecond = Number.NaN;

/** Milliseconds since 1970 of the second in which a time of RFC 3339 in UTC is. */
function secondOf(time: string): number {
  if (lastText === '' || !time.startsWith(lastText)) {
    lastText = time.slice(0, 19);
    lastSecond = Date.parse(`${lastText}Z`);
  }
  return lastSecond;
}

/** Time of day to the microsecond, local or UTC. @param time RFC 3339 in UTC with nine digits */
export function clockText(time: string, utc = false): string {
  const second = secondOf(time);
  if (second !== lastClockSecond || utc !== isLastClockUtc) {
    lastClockSecond = second;
    isLastClockUtc = utc;
    lastClock = timeOfDay(second, utc);
  }
  return `${lastClock}.${time.slice(20, 26)}`;
}

/** The time of day that was last made, of which second. */
let lastClock = '';
let lastClockSecond = Number.NaN;
let isLastClockUtc = false;

/** Time of day, HH:MM:SS and a fraction. @param time nanoseconds since 1970 @param digits of the fraction, 1 to 9 */
export function timeText(time: bigint, utc = false, digits = 9): string {
  const fraction = String(time % NANOSECONDS_PER_SECOND).padStart(9, '0');
  return `${timeOfDay(Number(time / 1_000_000n), utc)}.${fraction.slice(0, digits)}`;
}

/**
 * Lines with the date of the times below them: one before the first line and wherever the day changes, or
 * for a running capture only where it changes.
 */
export class DayLines {
  readonly #utc: boolean;
  readonly #colours: Colours;
  #day: number | undefined;
  /** Milliseconds since 1970 at which the day began and the next one begins. */
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;
  #isFirst: boolean;

  /** @param first whether there is one before the first line */
  constructor(utc: boolean, first: boolean, colours: Colours) {
    this.#utc = utc;
    this.#isFirst = !first;
    this.#colours = colours;
  }

  /** The line before one of this time, `2026-11-29 Sunday UTC+01:00`; undefined where the day is the same. @param milliseconds since 1970 */
  before(milliseconds: number): string | undefined {
    if (milliseconds >= this.#from && milliseconds < this.#until) return undefined;
    if (!Number.isFinite(milliseconds)) return undefined;
    const date = new Date(milliseconds);
    const day = this.#utc
      ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate())
      : new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
    const next = this.#utc
      ? day + MILLISECONDS_PER_DAY
      : new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
    this.#from = day;
    this.#until = next;
    const changed = this.#day !== day && !this.#isFirst;
    this.#day = day;
    this.#isFirst = false;
    return changed ? this.#colours.heading(dayText(date, this.#utc)) : undefined;
  }

  /** As `before`. @param time RFC 3339 in UTC */
  beforeText(time: string): string | undefined {
    return this.before(secondOf(time));
  }
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function dayText(date: Date, utc: boolean): string {
  if (utc) return `${date.toISOString().slice(0, 10)} ${WEEKDAYS[date.getUTCDay()]} UTC`;
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${WEEKDAYS[date.getDay()]} UTC${zone}`;
}
