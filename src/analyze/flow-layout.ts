/**
 * How a flow lies in its table: doubles first, then int32s over the same bytes. Indices count from the flow's start: of
 * doubles in `D`, of int32s in `N`. What has two entries is by direction: 0 from endpoint a, 1 from endpoint b.
 */
export const D = {
  first: 0,
  last: 1,
  bytes: 2,
  payload: 4,
} as const;

/** Ints of every flow begin behind 6 doubles. */
export const N = {
  /** The key: endpoint a's address and b's (IPv4's octets, or the host's number), both ports, and KIND. */
  addressA: 12,
  addressB: 13,
  ports: 14,
  kind: 15,
  hash: 16,
  /** Order in which flows were first seen; 0 marks a free place, so it counts from 1. */
  id: 17,
  hosts: 18,
  interfaceId: 20,
  seenBy: 21,
  packets: 22,
  /** Which endpoint is the client: 0 or 1. */
  client: 24,
  /** The vantage point whose packets are counted, by direction; what others saw are copies. */
  vantage: 25,
  /** The recognised protocol's number + 1; 0 while unknown. */
  protocol: 27,
  /** The sweep has passed over it since its last packet. */
  passed: 28,
} as const;

/** Int32s of a flow that is nothing but that. */
export const FLOW_STRIDE = 30;

/** What a TCP connection has besides. Doubles. */
export const T = {
  synTime: 15,
  synAckTime: 16,
  handshakeRtt: 17,
  rttMinimum: 18,
  rttMaximum: 19,
  rttSum: 20,
  /** When the segment was seen whose acknowledgement is waited for. */
  rttTime: 21,
  /** When the highest sequence number, and the last acknowledgement, was seen. */
  highTime: 23,
  ackTime: 25,
} as const;

/** And int32s. */
export const C = {
  state: 54,
  rttSamples: 55,
  /** In-order reassembly: the next sequence number that is wanted. */
  next: 56,
  /** By the vantage point alone: the end of the highest segment seen. */
  high: 58,
  ack: 60,
  window: 62,
  /** Window scale + 1; 0 while not known. */
  scale: 64,
  mss: 66,
  /** Duplicates of the last acknowledgement. */
  duplicates: 68,
  /** End of the segment whose acknowledgement is waited for. */
  rttEnd: 70,
  /** DIRECTION_FLAG bits. */
  flags: 72,
  initial: 74,
  /** Sequence number behind the FIN. */
  fin: 76,
} as const;

export const TCP_STRIDE = 78;
