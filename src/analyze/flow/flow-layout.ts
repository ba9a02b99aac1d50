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
  /** The key: endpoint a's address and b's (IPv4's bytes, or the host's number), both ports, and KIND. */
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

/** What a flow of datagrams has besides. Int32s, by direction, of its last datagram: IP identification + 1, and a digest of its bytes. */
export const DATAGRAM_I32 = {
  identification: 28,
  digest: 30,
} as const;

export const DATAGRAM_STRIDE = 32;

/** What a TCP connection has besides. Doubles. */
export const TCP_F64 = {
  /** When the client's first SYN was seen, and its last. */
  firstSyn: 14,
  synTime: 15,
  /** From the last SYN, and from the first one, to the handshake's last ACK. */
  handshakeRtt: 16,
  setup: 17,
  /** By direction of the data whose acknowledgment is measured. */
  rttMinimum: 18,
  rttMaximum: 20,
  rttSum: 22,
  /** When the segment was seen whose acknowledgement is waited for. */
  rttTime: 24,
  /** When the highest sequence number, and the last acknowledgement, was seen. */
  highTime: 26,
  ackTime: 28,
} as const;

/** And int32s. */
export const TCP_I32 = {
  state: 60,
  /** The client's SYNs. */
  syns: 61,
  rttSamples: 62,
  /** In-order reassembly: the next sequence number that is wanted. */
  next: 64,
  /** At the place of capture that counts: the end of the highest segment seen. */
  high: 66,
  ack: 68,
  window: 70,
  /** Window scale + 1; 0 while not known. */
  scale: 72,
  /** IP identification of the last packet + 1; 0 while none is known. */
  identification: 74,
  /** DIRECTION_FLAG bits. What every packet needs ends here, so that it lies close together. */
  flags: 76,
  /** Duplicates of the last acknowledgement. */
  duplicates: 78,
  /** End of the segment whose acknowledgement is waited for. */
  rttEnd: 80,
  initial: 82,
  /** Sequence number behind the FIN. */
  fin: 84,
  mss: 86,
} as const;

export const TCP_STRIDE = 88;
