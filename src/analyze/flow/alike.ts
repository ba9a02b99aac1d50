import type { Exchange } from '../record/event.ts';
import type { FlowInfo } from './flow-facts.ts';

/**
 * Counts exchanges of one packet each way that differ from one before only in their times and lengths, so that no event is made of
 * them: of most DNS traffic all but the first few.
 */
export interface AlikeExchanges {
  /**
   * Count a complete exchange of a UDP flow.
   * @param kind a number that stands for all of an exchange's event but its times and lengths
   * @param flow that is no other leg (FlowIdentity.sameAs)
   * @param time of its request, ns
   * @param latency from then to its response, ns
   * @returns false where it must come as an event, and then to `learn`
   */
  add(
    kind: number,
    flow: FlowInfo,
    time: number,
    latency: number,
    requestBytes: number,
    responseBytes: number,
  ): boolean;
  /** An exchange that came as an event: further ones like it may be counted. */
  learn(kind: number, event: Exchange, flow: FlowInfo): void;
}

/** What was counted of alike exchanges. Reused: valid during a call. */
export interface AlikeSums {
  readonly count: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Sum and maximum of the latencies, ns. */
  readonly sum: number;
  readonly max: number;
  /** From `start` on `count` of these are their latencies' buckets (summary/histogram.ts), within these bounds. */
  readonly buckets: Int16Array;
  readonly start: number;
  readonly lowest: number;
  readonly highest: number;
  /** When the latest request was sent, ns. */
  readonly last: number;
}

/** Adds further exchanges to what one of their kind was added to. */
export interface AlikeTaker {
  /** Of several kinds the one that came last comes last. */
  counted(sums: AlikeSums): void;
  /**
   * At least the last exchange of each flow of all that were counted, in the order in which they came; before `counted`.
   * @param flow its number @param time ns @param latency ns
   */
  lastOfFlow?(flow: number, time: number, latency: number): void;
}
