import type { CaptureInterface } from '../../wire/capture-interface.ts';
import { PacketFilter } from './bpf-filter.ts';

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
class TimeRange {
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

/** Which packets of a capture are looked at: by filter (`-f`) and by time (`--from`, `--to`). */
export class PacketSelection {
  readonly #filter: PacketFilter | undefined;
  readonly #range: TimeRange;
  readonly #linkTypes: number[] = [];

  constructor(filter: PacketFilter | undefined, range: TimeRange) {
    this.#filter = filter;
    this.#range = range;
  }

  /** @throws KsnoopError BAD_FILTER where the filter does not compile for the interface's link type */
  interface(id: number, { linkType }: CaptureInterface): void {
    this.#linkTypes[id] = linkType;
    this.#filter?.prepare(linkType);
  }

  wants(
    bytes: Uint8Array,
    offset: number,
    caplen: number,
    origlen: number,
    timeHigh: number,
    timeLow: number,
    interfaceId: number,
  ): boolean {
    if (!this.#range.holds(timeHigh, timeLow)) return false;
    return this.#filter?.passes(this.#linkTypes[interfaceId] ?? -1, bytes, offset, caplen, origlen) ?? true;
  }
}

/** Which packets are wanted; undefined chooses all. */
export interface PacketFilterConfig {
  /** pcap-filter(7) */
  readonly filter: string | undefined;
  readonly from: EarlyMoment | undefined;
  readonly to: EarlyMoment | undefined;
}

/** Which packets of a capture are looked at; undefined for all. */
export function packetSelection({ filter, from, to }: PacketFilterConfig): PacketSelection | undefined {
  if (filter === undefined && from === undefined && to === undefined) return undefined;
  return new PacketSelection(filter === undefined ? undefined : new PacketFilter(filter), new TimeRange(from, to));
}
