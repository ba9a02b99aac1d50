/**
 * How a flow lies in its table: doubles first, then int32s over the same bytes. Indices count from the flow's start: of
 * doubles in `FLOW_F64`, of int32s in `FLOW_I32`. What has two entries is by direction: 0 from endpoint a, 1 from endpoint b.
 */
export const FLOW_F64 = {
  first: 0,
  last: 1,
  bytes: 2,
  payload: 4,
} as const;

/** Ints of every flow begin behind 6 doubles. */
export const FLOW_I32 = {
  /** The key: endpoint a's address and b's (IPv4's octets, or the host's number), both ports, and KIND. */
  addressA: 12,
  addressB: 13,
  ports: 14,
  kind: 15,
  hash: 16,
  /** Order in which flows were first seen; 0 marks a free slot, so it counts from 1. */
  id: 17,
  hosts: 18,
  interfaceId: 20,
  /** The sweep has passed over it since its last packet. */
  passed: 21,
  packets: 22,
  /** Which endpoint is the client: 0 or 1. */
  client: 24,
  /** The place of capture whose packets are counted, by direction (engine/places.ts); what others saw are copies. */
  vantage: 25,
  /** The recognised protocol's number + 1; 0 while unknown. */
  protocol: 27,
} as const;

/** Int32s of a flow that is nothing but that. */
export const FLOW_STRIDE = 28;

/** What a TCP connection has besides. Doubles. */
export const TCP_F64 = {
  synTime: 14,
  synAckTime: 15,
  handshakeRtt: 16,
  rttMinimum: 17,
  rttMaximum: 18,
  rttSum: 19,
  /** When the segment was seen whose acknowledgement is waited for. */
  rttTime: 20,
  /** When the highest sequence number, and the last acknowledgement, was seen. */
  highTime: 22,
  ackTime: 24,
} as const;

/** And int32s. */
export const TCP_I32 = {
  state: 52,
  rttSamples: 53,
  /** In-order reassembly: the next sequence number that is wanted. */
  next: 54,
  /** By the vantage point alone: the end of the highest segment seen. */
  high: 56,
  ack: 58,
  window: 60,
  /** Window scale + 1; 0 while not known. */
  scale: 62,
  mss: 64,
  /** Duplicates of the last acknowledgement. */
  duplicates: 66,
  /** End of the segment whose acknowledgement is waited for. */
  rttEnd: 68,
  /** DIRECTION_FLAG bits. */
  flags: 70,
  initial: 72,
  /** Sequence number behind the FIN. */
  fin: 74,
} as const;

export const TCP_STRIDE = 76;
