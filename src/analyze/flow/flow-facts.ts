import type { PacketView } from '../packet/packet.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import type { RepeatedExchanges } from '../record/repeated-exchanges.ts';
import type { AlikeExchanges } from './alike.ts';
import type { Redirect } from './redirects.ts';
import type { RepeatedConnections } from './repeated-connections.ts';
import type { TracedPacket } from './traced-packet.ts';

/**
 * A flow as those who take events see it: a view, valid during the call; `facts` of it may be kept. Hosts are numbers of
 * the analysis' Hosts table, -1 where there is no address.
 */
export interface FlowInfo extends FlowIdentity {
  facts(): FlowFacts;
}

/** Which flow it is, and whose: what of it may be kept with an event, so that a record can be made later. */
export interface FlowIdentity {
  /** Counts flows in the order in which they were first seen, from 0. */
  readonly id: number;
  readonly transport: Transport;
  /** It continues a flow that was evicted, and does not count as another flow. */
  readonly continued?: boolean | undefined;
  /** Who opened it, or who asked; by the lower port where neither was seen. */
  readonly clientHost: number;
  readonly serverHost: number;
  /** 0 without ports. */
  readonly clientPort: number;
  readonly serverPort: number;
  /** The interface that first saw it. */
  readonly interfaceId: number;
  /** The same connection or dialogue as an earlier flow, on its other side of a NAT (ConnectionLegs); undefined where none is known. */
  readonly sameAs?: OtherLeg | undefined;
  /** The proxy on the client's own machine that took it in place of the server (redirects.ts). */
  readonly redirect?: Redirect | undefined;
  /** Its agent could not keep up, and analysed one of so many connections: 4. Undefined where it analysed all. */
  readonly sample?: number | undefined;
}

/** The flow that is the same connection before NAT changed its addresses, or behind it. */
export interface OtherLeg {
  /** Its number, as FlowIdentity.id. */
  readonly id: number;
  readonly serverHost: number;
  /** Neither came up: what each place saw of it may tell why. */
  readonly unopened?: boolean;
}

export type Transport = 'tcp' | 'udp' | 'sctp' | 'icmp' | 'icmpv6' | 'ip';

/** One direction's counts, copies of the same packet seen at a second interface left out. */
export interface DirectionFacts {
  readonly packets: number;
  /** On the wire, from the network header on; and above TCP or UDP. */
  readonly bytes: number;
  readonly payload: number;
}

/** A flow's end result, made when it is asked for. Times: ns since the first packet of the analysis. */
export interface FlowFacts {
  readonly id: number;
  readonly continued?: boolean | undefined;
  readonly transport: Transport;
  readonly clientHost: number;
  readonly serverHost: number;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly interfaceId: number;
  readonly sameAs?: OtherLeg | undefined;
  readonly redirect?: Redirect | undefined;
  /** As FlowIdentity has it. */
  readonly sample?: number | undefined;
  readonly first: number;
  readonly last: number;
  readonly client: DirectionFacts;
  readonly server: DirectionFacts;
  /** What it carries, as recognised: `http`; undefined when nothing was. */
  readonly protocol: string | undefined;
  readonly tcp: TcpFacts | undefined;
  /** Undefined where nothing went wrong. */
  readonly waits?: ConnectionWaits | undefined;
  /** What was seen at other places of capture; the numbers above are of `interfaceId` alone. Undefined where there is only one. */
  readonly sightings?: readonly Sighting[] | undefined;
}

/** A flow at a place of capture besides its first. */
export interface Sighting {
  readonly interfaceId: number;
  readonly client: DirectionSighting;
  readonly server: DirectionSighting;
}

/** One direction of a flow at a place. A retransmission that the sender's place saw and the receiver's did not is a loss between them. */
export interface DirectionSighting {
  readonly packets: number;
  /** On the wire, from the network header on. */
  readonly bytes: number;
  /** ns since the first packet of the analysis; undefined without packets. */
  readonly first: number | undefined;
  readonly last: number | undefined;
  /** TCP: segments whose bytes had all been seen there before, and bytes that were skipped there and did not come later. */
  readonly retransmissions: number;
  readonly lost: number;
}

/** One direction of a TCP connection: what its sender did, as seen at the place of capture. */
export interface TcpDirectionFacts {
  readonly retransmissions: number;
  /** Of those: after three duplicate ACKs; after a time-out; of bytes that had been acknowledged already. */
  readonly fastRetransmissions: number;
  readonly timeoutRetransmissions: number;
  readonly spuriousRetransmissions: number;
  readonly outOfOrder: number;
  readonly duplicateAcks: number;
  readonly keepAlives: number;
  readonly zeroWindows: number;
  readonly windowFull: number;
  /** Bytes that were never captured. */
  readonly lost: number;
}

/** Of a direction in which nothing went wrong. */
export const NO_TROUBLES: TcpDirectionFacts = {
  retransmissions: 0,
  fastRetransmissions: 0,
  timeoutRetransmissions: 0,
  spuriousRetransmissions: 0,
  outOfOrder: 0,
  duplicateAcks: 0,
  keepAlives: 0,
  zeroWindows: 0,
  windowFull: 0,
  lost: 0,
};

/** Round-trip times, ns. */
export interface RttFacts {
  readonly minimum: number;
  readonly mean: number;
  readonly maximum: number;
  readonly samples: number;
}

export interface TcpFacts {
  readonly state: 'opening' | 'open' | 'half-closed' | 'closed' | 'reset' | 'refused' | 'unanswered';
  /** Began before the capture. */
  readonly midstream: boolean;
  /** Who ended it first. */
  readonly closedBy: 'client' | 'server' | undefined;
  readonly resetBy: 'client' | 'server' | undefined;
  /** The SYN that was answered to the handshake's last ACK, ns. */
  readonly handshakeRtt: number | undefined;
  /** How long it took to set up: the first SYN, retransmissions included, to the handshake's last ACK, ns. */
  readonly setup: number | undefined;
  /** SYNs of the client, and how long after the first the last was sent, ns. */
  readonly syns: number;
  readonly synSpan: number | undefined;
  /** Round trips between the place of capture and either end: of data towards it to its acknowledgment. */
  readonly rtt: { readonly client: RttFacts | undefined; readonly server: RttFacts | undefined };
  readonly mss: readonly [client: number | undefined, server: number | undefined];
  readonly windowScale: readonly [client: number | undefined, server: number | undefined];
  readonly sack: boolean;
  readonly client: TcpDirectionFacts;
  readonly server: TcpDirectionFacts;
}

/** What went wrong with a connection's setup, and its long waits, as seen at the place of capture. */
export interface ConnectionWaits {
  /** The client's SYN was answered by an ACK of an earlier connection on the same ports, which the client reset. */
  readonly portReused: boolean;
  /** The server repeated its SYN-ACK after the client's ACK and data had come. */
  readonly synAckAgain: boolean;
  readonly client?: DirectionWaits | undefined;
  readonly server?: DirectionWaits | undefined;
  /** Longest silence, ns, after which the other side still took what was sent; undefined for none of a minute or longer. */
  readonly idleSurvived?: number | undefined;
  /** The silence after which it did not; undefined for none. */
  readonly idleFailed?: IdleFailure | undefined;
}

/** Who spoke after a silence, and what came of it. */
export interface IdleFailure {
  /** How long nothing was sent, and when that ended, ns. */
  readonly idle: number;
  readonly end: number;
  readonly by: 'client' | 'server';
  readonly how: 'reset' | 'no answer';
}

/** How one direction's sender waited. */
export interface DirectionWaits {
  /** Waits for the retransmission timer of 200 ms or longer: how many, how long altogether, and the longest. ns */
  readonly stalls: number;
  readonly stalled: number;
  readonly longestStall: readonly [from: number, to: number] | undefined;
  /** Small segments that were sent as soon as a delayed ACK came. */
  readonly nagle: number;
  /** How long this side kept its receive window closed, altogether and at most, ns; up to its last packet that said so. */
  readonly windowClosed: number;
  readonly longestWindowClosed: number;
  /** The segment that was sent again until the end and never acknowledged; undefined where there is none. */
  readonly stuck: StuckSegment | undefined;
}

export interface StuckSegment {
  /** Bytes of payload, how often it was sent again, first and last time of that (ns). */
  readonly bytes: number;
  readonly repeats: number;
  readonly first: number;
  readonly last: number;
  /** The receiver went on to acknowledge the bytes before it: other packets arrive. */
  readonly othersArrive: boolean;
  /** Bytes of the direction that were acknowledged in all; undefined where its beginning was not seen. */
  readonly acknowledged: number | undefined;
}

/** Takes what the analysis finds. */
export interface AnalysisSink {
  /** Where there is one it counts exchanges that would be events else. */
  readonly alike?: AlikeExchanges | undefined;
  /** `flow` is valid during the call. */
  event(event: AnalysisEvent, flow: FlowInfo): void;
  /** As `event`, of many exchanges at once. `flow` is valid during the call. */
  repeated?(repeated: RepeatedExchanges, flow: FlowInfo): void;
  /**
   * Exchanges like this one were handed to `repeated`, or will be, and it is the last of them in its flow: something of the flow comes next of
   * which it may be a part. It does not count. `flow` is valid during the call.
   */
  lastOfFlow?(exchange: Exchange, flow: FlowInfo): void;
  /** As `flowEnded`, of many flows of datagrams at once, of which nothing counts but that they were there. */
  flowsEnded?(count: number, flow: FlowInfo): void;
  /** As `flowEnded`, of many connections at once; `facts` of the view are what they came to together. `flow` is valid during the call. */
  connectionsEnded?(connections: RepeatedConnections, flow: FlowInfo): void;
  /** A flow's first packet; the view is valid during the call. */
  flowBegan?(packet: PacketView): void;
  /**
   * A flow's first packet of a direction at a further place, where it leaves a pod: what a pod only forwards enters it first.
   * The view is valid during the call.
   */
  leftAt?(packet: PacketView): void;
  /** As `flowBegan` and `leftAt`, of what an analysis beside an agent saw: whose address it is. */
  local?(host: number, interfaceId: number): void;
  /**
   * A flow shows what NAT does not change: two int32 that its other leg, seen at another node, shows as well.
   * @param isSegment of a data segment of a TCP connection, and not of its handshake
   */
  legShown?(flow: number, interfaceId: number, first: number, second: number, isSegment?: boolean): void;
  /**
   * A TCP connection does not come up: its SYN is sent again, or it is refused. Its other leg, seen at another node, shows the same
   * number. The view is valid during the call.
   * @param initial sequence number of the SYN, int32
   * @param leaves whether the SYN leaves the place of capture, or comes to it
   */
  notOpened?(flow: FlowInfo, initial: number, leaves: boolean): void;
  /** What the tracer takes of a packet that was decoded beside an agent. */
  traced?(packet: TracedPacket): void;
  /** A TCP connection shows to be another leg of one that counts (FlowIdentity.sameAs). The view is valid during the call. */
  legJoined?(flow: FlowInfo): void;
  /** A flow has ended: closed, expired, or the analysis is over. Every flow ends once. */
  flowEnded(flow: FlowInfo): void;
}
