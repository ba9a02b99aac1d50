import type { CaptureInterface } from '../../wire/capture-interface.ts';
import { PacketFilter } from './bpf-filter.ts';
import { type EarlyMoment, TimeRange } from './selection.ts';

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
