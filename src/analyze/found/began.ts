/** What is known of a flow's first packet: bits. */
export const BEGAN = {
  /** It was for another host: a bridge flooded it to a pod. */
  overheard: 1,
  /** It opens a TCP connection, or refuses one: the flow continues none that was seen before. */
  opening: 2,
} as const;

/** How a flow began, by its first packet. */
export interface Began {
  /** Its number. */
  readonly id: number;
  readonly ipProtocol: number;
  readonly interfaceId: number;
  /** Hosts by their numbers, -1 for none, and ports, 0 for none. */
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
  /** 1: the packet leaves the pod of its interface; 2: it comes to it; 0: that is not known. */
  readonly passes: number;
  /** Bits of BEGAN. */
  readonly known: number;
  /** What it showed before it began, as legShown gets it. */
  readonly shown?: readonly number[] | undefined;
}
