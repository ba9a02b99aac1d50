import type { FlowInfo } from './flow-facts.ts';

/** Takes the bytes of one flow as its client and server sent them: TCP's in order and once, UDP's by datagram. */
export interface FlowFollower {
  /** As FlowInfo.id. */
  readonly flow: number;
  /**
   * Bytes of one side; they are valid during the call.
   * @param time ns since the analysis' first packet
   */
  bytes(flow: FlowInfo, isClient: boolean, time: number, bytes: Uint8Array, start: number, end: number): void;
  /** So many bytes of a side were not captured. */
  gap(flow: FlowInfo, isClient: boolean, time: number, length: number): void;
}
