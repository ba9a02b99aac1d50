import type { FlowIdentity } from '../flow/flow-facts.ts';
import type { TunnelLeg } from '../flow/traced-packet.ts';
import type { Exchange } from '../record/event.ts';
import type { Vantage } from './vantages.ts';

/** How sure it is that one request was made because of another. */
export type Confidence = 'proven' | 'likely';

/** A call that was made while another request was answered, at the place that saw both. */
export interface Child {
  readonly call: Call;
  readonly confidence: Confidence;
  /** The request was passed on (same method, path or id): the pod is a proxy for it. */
  readonly passedOn: boolean;
  /** Both as seen there. */
  readonly inner: Vantage;
  readonly outer: Vantage;
}

/** The same request where the server's program took it, behind sidecars: between them nothing could be read. */
export interface PassedTo {
  readonly call: Call;
  readonly confidence: Confidence;
  /** The connection between the sidecars, at its client and at its server; empty where it is not known which it was. */
  readonly between: readonly Vantage[];
}

/** Why a connection did not come up, as far as the packets show it. */
export type ConnectOutcome =
  /** Nothing answered the SYNs, at any place. */
  | 'unanswered'
  /** The server answered, but not all places saw that, and the client went on sending SYNs. */
  | 'answer not delivered'
  /** A reset answered. */
  | 'refused'
  /** An ICMP error rejected it. */
  | 'rejected';

export interface ConnectFacts {
  readonly outcome: ConnectOutcome;
  /** SYNs at the place nearest to the client, and how long after the first the last was sent, ns. */
  readonly syns: number;
  readonly span: number;
  /** The place nearest to the server that saw a SYN. */
  readonly lastSeen: Vantage;
  /** Where the answer was seen: of a reset the place nearest to the server, of a SYN-ACK the one nearest to the client. */
  readonly answerSeen: Vantage | undefined;
  /** The tunnel that the SYN was in there, its ends as Hosts numbers them. */
  readonly tunnel: TunnelLeg | undefined;
  /** The text of the ICMP error. */
  readonly rejection: string | undefined;
  readonly confidence: Confidence;
}

/** One exchange at all places that saw it, and the calls that were made because of it. */
export interface Call {
  readonly exchange: Exchange;
  readonly flow: FlowIdentity;
  /** From the client to the server. Empty where nothing but the exchange itself is known. */
  readonly vantages: readonly Vantage[];
  readonly children: Child[];
  passedTo?: PassedTo | undefined;
  /** Calls that may belong to this request or to another one that was open then. */
  ambiguous: number;
  /** Of a connection that did not come up: what became of it; the exchange stands for its handshake. */
  readonly connect?: ConnectFacts | undefined;
  /** It belongs to another request, or may. */
  isInner: boolean;
  /** The request among whose calls it is, or which was passed on as this one. */
  joinedTo: Call | undefined;
  /** It is over, and all calls that belong to it are known. */
  isEnded: boolean;
}

/** A call about which nothing but its exchange and its places is known yet. */
export function newCall(
  exchange: Exchange,
  flow: FlowIdentity,
  vantages: readonly Vantage[],
  connect?: ConnectFacts,
): Call {
  return {
    exchange,
    flow,
    vantages,
    children: [],
    ambiguous: 0,
    isInner: false,
    joinedTo: undefined,
    isEnded: false,
    connect,
  };
}

/** Whether a call is another one, or was made because of that or of one of that one's calls. */
export function isBelow(call: Call, outer: Call): boolean {
  let at: Call | undefined = call;
  while (at !== undefined && at !== outer) at = at.joinedTo;
  return at === outer;
}

/** When an exchange ended as far as is known, ns. */
export function endOf({ time, requestEnd, responseTime, responseEnd }: Exchange): number {
  return responseEnd ?? responseTime ?? Math.max(time, requestEnd);
}
