import type { StreamEnd } from '../protocols/protocol.ts';

/** A reset came before bytes that were sent before it: the stream ends when these have had time to come. */
export interface PendingEnd {
  readonly how: StreamEnd;
  /** The direction that closed first, or reset. */
  readonly by: number | undefined;
  /** Of the reset, ns. */
  readonly time: number;
  /** The direction whose reset is to be reported as an event, if it is. */
  readonly reported: number | undefined;
  /** By direction: what ends behind this sequence number, int32, came after the reset; undefined: everything did. */
  readonly limits: readonly [number | undefined, number | undefined];
}

/** Whether what ends at a sequence number, int32, was sent before the reset. */
export function isBeforeReset({ limits }: PendingEnd, direction: number, sequence: number): boolean {
  const limit = limits[direction === 0 ? 0 : 1];
  return limit !== undefined && ((sequence - limit) | 0) <= 0;
}
