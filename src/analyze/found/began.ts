/** What is known of a flow's first packet: bits. */
export const BEGAN = {
  /** It was for another host: a bridge flooded it to a pod. */
  overheard: 1,
  /** It opens a TCP connection, or refuses one: the flow continues none that was seen before. */
  opening: 2,
} as const;
