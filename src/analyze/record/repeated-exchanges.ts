import type { AnalysisEvent, Exchange } from './event.ts';
import { fieldsIn, textIn } from './field-values.ts';
import { MASK } from './mask.ts';

/** Durations in the buckets of a Histogram (summary/histogram.ts): sum and maximum in ns, and buckets as numbers and counts in turn. */
export interface Durations {
  readonly sum: number;
  readonly max: number;
  readonly buckets: readonly number[];
}

/** The durations that a row of a summary has, in the order in which they travel; by these names they are saved, too. */
export const REPEATED_TIMES = ['latency', 'ttfb', 'serverTime', 'firstByte', 'twoPackets'] as const;
export type RepeatedTimes = Readonly<Partial<Record<(typeof REPEATED_TIMES)[number], Durations>>>;

/**
 * Exchanges of one flow that differ in their times and bytes alone: complete, none of them failed or was refused, and all took less
 * than REPEATED_NS; of DNS those of many flows between two hosts, however long they took. An analysis beside an agent adds them up where an
 * output only counts them.
 */
export interface RepeatedExchanges {
  /**
   * The last of them. Its label is empty, and of its fields only `http.version` is there; of DNS it has its label, name, type and
   * response code, and no times of its response.
   */
  readonly exchange: Exchange;
  /** How many they are, 1 or more. */
  readonly count: number;
  /** When the first of them began, ns. */
  readonly first: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly times: RepeatedTimes;
  /** Hashes of the request ids of those that had one (requestIdHash), in their order. */
  readonly requestIds: readonly number[];
}

/**
 * Whether an event is an exchange that waited for others like it, and remained alone: it travels without a label, which all other
 * exchanges have.
 */
export function hasWaited(event: AnalysisEvent): boolean {
  return event.kind === 'exchange' && event.label === '';
}

/** An exchange that takes so long is looked at by itself, ns: a call of this length may explain a slow response. */
export const REPEATED_NS = 100e6;

/** Servers that begin their response so late, ns, have exchanges of their own: a container that its CPU limit stops goes on so late. */
export const LATE_NS = 50e6;

/** A pod is cold for so long after its first request, ns: exchanges of that time are not added to later ones. */
export const COLD_NS = 60e9;

/** The `x-request-id` of a request; empty without one, and for one that is masked: masks of different secrets are the same. */
export function requestIdOf({ fields }: AnalysisEvent): string {
  const id = textIn(fieldsIn(fields.http)?.requestId);
  return id.includes(MASK) ? '' : id;
}

/** A hash of a request id, uint32 (FNV-1a). */
export function requestIdHash(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
}
