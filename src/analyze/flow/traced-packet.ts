/** A tunnel around a packet: its outermost layer, and its ends. */
export interface TunnelLeg {
  /** `VXLAN`, `Geneve`, `GRE`, `IPIP` */
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

/** What a SYN offers that NAT does not change. */
export interface SynOffer {
  /** Window scale plus 1; 0 without. */
  readonly scale: number;
  /** TSval, int32; undefined without. */
  readonly timestamp: number | undefined;
}

/**
 * What the tracer takes of a packet: which bytes passed where, and when. It is decoded here, or comes from an analysis beside an
 * agent. Valid during the call. Hosts are numbers of the analysis' Hosts table.
 */
export interface TracedPacket {
  /** The flow's number; -1 for none. */
  readonly flow: number;
  /** ns since the first packet of the analysis */
  readonly time: number;
  /** Of the capture, and the place as Places.of. */
  readonly interfaceId: number;
  readonly place: number;
  /** Whether it can have been captured at several places. */
  readonly mayCopy: boolean;
  readonly hopLimit: number;
  readonly ipProtocol: number;
  readonly sourceHost: number;
  readonly sourcePort: number;
  readonly destinationHost: number;
  readonly destinationPort: number;
  /** Of TCP alone; 0 without flags that matter. Numbers are int32. */
  readonly tcpFlags: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  /** Bytes above TCP or UDP. */
  readonly payloadLength: number;
  /** Of the first bytes of a datagram and its length, int32. */
  readonly contentHash: number;
  /** Of a SYN alone. */
  readonly offer: SynOffer;
  readonly tunnel: TunnelLeg | undefined;
}

/** RFC 9293, section 3.1 */
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** Whether the tracer looks at a TCP segment's flags: those of a SYN, and of what may answer one. */
export function opensOrAnswers(tcpFlags: number): boolean {
  return (tcpFlags & SYN) !== 0 || (tcpFlags & (RST | ACK)) === (RST | ACK);
}
