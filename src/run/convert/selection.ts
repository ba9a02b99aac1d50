/** A moment of a capture: absolute, related to its first or last packet, or a time of the first packet's day. */
export type Moment =
  | { readonly kind: 'absolute'; readonly nanoseconds: bigint }
  | { readonly kind: 'after'; readonly nanoseconds: bigint }
  | { readonly kind: 'before end'; readonly nanoseconds: bigint }
  | { readonly kind: 'time of day'; readonly utc: boolean; readonly nanoseconds: bigint };

/** A moment that needs no knowledge of the last packet. */
export type EarlyMoment = Exclude<Moment, { readonly kind: 'before end' }>;

/** A moment as nanoseconds since 1970. @param first the capture's first packet */
function absoluteTime(moment: EarlyMoment, first: bigint): bigint {
  if (moment.kind === 'absolute') return moment.nanoseconds;
  if (moment.kind === 'after') return first + moment.nanoseconds;
  const midnight = new Date(Number(first / 1_000_000n));
  if (moment.utc) midnight.setUTCHours(0, 0, 0, 0);
  else midnight.setHours(0, 0, 0, 0);
  return BigInt(midnight.getTime()) * 1_000_000n + moment.nanoseconds;
}

/** Which packets of a capture are wanted, by time. */
export class TimeRange {
  readonly #from: EarlyMoment | undefined;
  readonly #to: EarlyMoment | undefined;
  #begin = 0n;
  #end = 0n;
  #known = false;

  constructor(from: EarlyMoment | undefined, to: EarlyMoment | undefined) {
    this.#from = from;
    this.#to = to;
  }

  /** Whether a packet of this time is within; both ends are. @param high nanoseconds since 1970, upper and lower half */
  holds(high: number, low: number): boolean {
    if (this.#from === undefined && this.#to === undefined) return true;
    const time = (BigInt(high) << 32n) | BigInt(low);
    if (!this.#known) {
      this.#known = true;
      this.#begin = this.#from === undefined ? 0n : absoluteTime(this.#from, time);
      this.#end = this.#to === undefined ? 1n << 64n : absoluteTime(this.#to, time);
    }
    return time >= this.#begin && time <= this.#end;
  }
}
