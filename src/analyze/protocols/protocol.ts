import type { AnalysisEvent, Exchange, Fields, Side } from '../record/event.ts';
import type { Bodies } from './http1/message-body.ts';
import type { DecryptionMeans } from './tls/decrypt/decryption.ts';
import type { KeyLog } from './tls/decrypt/key-log.ts';

/**
 * What the first bytes of one direction look like: what a client of this protocol sends, what a server of it sends,
 * either's (messages in the middle of a connection that both may send), none of it, or too few bytes to decide. `client` and
 * `server` also show which side is which when the capture began mid-stream.
 */
export type Likeness = 'client' | 'server' | 'either' | 'no' | 'more';

/** What a field holds, for `--where` and for the documented schema. */
export type FieldType = 'string' | 'int' | 'bool' | 'duration' | 'timestamp' | 'list' | 'map';

/** Fields a protocol adds to the JSON: `{ 'http.status': 'int' }`, with a sentence each for the schema. */
export type FieldTable = Readonly<Record<string, { readonly type: FieldType; readonly about: string }>>;

/** What a protocol's analyzer may read and report. */
export interface ProtocolContext {
  /**
   * Time of the packet whose bytes are being handed over: ns since the analysis' first packet. Not a number where that is not
   * known (StreamContext.timeKnown): times of an event that are not numbers are left out.
   */
  readonly now: number;
  /** Someone looks at single events: decode what the summary does not need as well (DNS answers, headers). */
  readonly detail: boolean;
  /** Secrets are shown, not masked (`--show-secrets`). */
  readonly showSecrets: boolean;
  /** Whether the packet was seen on the client's side of things is not known here; addresses are added by who takes the event. */
  emit(event: AnalysisEvent): void;
}

/** Of one TCP connection, both directions in order. */
export interface StreamContext extends ProtocolContext {
  /** Labels of exchanges are shown, also where nothing else of an exchange is (without `detail`). */
  readonly labels?: boolean | undefined;
  /** With `detail`: the fields of most events are not shown, so they may be read late (record/late-fields.ts). */
  readonly late?: boolean | undefined;
  /** Where bodies of messages are wanted (`--body`): what they are kept in. */
  readonly bodies?: Bodies | undefined;
  /** Where secrets of TLS connections are known (`--keylog`). */
  readonly decryption?: DecryptionMeans | undefined;
  /**
   * Names of Kafka's topics by their ids (16 bytes as latin-1). The ids are unique everywhere, and a client asks for names on one
   * connection and uses the ids on others. Without it each connection has its own.
   */
  readonly topicNames?: Map<string, string> | undefined;
  /** Milliseconds since 1970 of a time such as `now`; NaN where that is not known, as is without this method. */
  wallTime?(time: number): number;
  /**
   * Requests that wait behind others take more bytes, or fewer (negative). What is left at the connection's end is taken off then.
   * @returns whether those of all connections together are within their bound; without this method they have none
   */
  countPending?(bytes: number): boolean;
  /**
   * The connection continues in another protocol (WebSocket after an upgrade, TLS after STARTTLS, HTTP/2 after its preface):
   * from the next byte of each direction on, another analyzer takes over. What was handed to this call already is this
   * analyzer's own: it passes the rest on with `then.data`.
   * @param protocol undefined where anything may follow (a tunnel): what comes is recognised as at a connection's beginning
   * @returns the analyzer that takes over
   */
  become(protocol: StreamProtocol | undefined): StreamAnalyzer;
  /** These fields are in every further event of the connection, where that has none of the same name. */
  annotate(fields: Fields): void;
  readonly serverPort: number;
  /** The connection's beginning was not seen: requests from before the capture may still be answered. */
  readonly midstream: boolean;
  /**
   * During a data() call: offset of `bytes[start]` in this side's stream, bytes since the connection's beginning (or the
   * capture's, where that was not seen). Grows with every byte and with every gap, by the gap's length.
   */
  readonly offset: number;
  /**
   * During a data() call: how many bytes of the other side's stream (counted as that side's `offset`) were acknowledged by
   * the packet that carried these bytes; -1 where that is not known. Of late bytes of the client so many, at least, had been
   * received when they were sent first.
   */
  readonly acknowledged: number;
  /** Offset behind the client's last late bytes, which came after packets behind them: they were sent again, or overtaken. */
  readonly lateEnd: number;
  /** The most that late packets of the client acknowledged so far; -1 without any. */
  readonly lateAcknowledged: number;
  /** How many late packets of the server have brought bytes so far: behind each of them the client received several answers at once. */
  readonly lateAnswers: number;
  /** During a data() call: when these bytes were sent the other side had sent more, not in answer to them, than had been received. */
  readonly isCrossing: boolean;
  /** During a gap() call: the bytes were cut off from a packet of which the beginning was captured. */
  readonly isCut: boolean;
  /** During a data() call: whether `now` is the time of these bytes' own packet. Without it no latency may be stated. */
  readonly timeKnown: boolean;
  /**
   * Offset in this side's stream at which this protocol's bytes begin: 0, or behind another protocol's. Where the first
   * data() lies behind it, what is between was not captured or not recognised.
   */
  beginning(side: Side): number;
  /**
   * Whether this side has ended its stream (FIN) and all before that was handed on: in `end` a body that runs to the
   * stream's end is then complete.
   */
  finSeen(side: Side): boolean;
}

/**
 * Takes one connection's bytes. `bytes` from `start` to `end` is valid during the call only (copy what you keep), cut
 * anywhere: any cutting gives the same events. Any bytes are valid input; never throws.
 */
export interface StreamAnalyzer {
  data(side: Side, bytes: Uint8Array, start: number, end: number): void;
  /**
   * Bytes of this direction were not captured (or were dropped because of a bound). Called before any data of the other
   * side that acknowledges a byte behind the gap.
   */
  gap(side: Side, length: number): void;
  /**
   * How many of a side's next bytes are only counted: whatever they are, whichever of them come as a gap, and whatever the
   * other side sends meanwhile. Without it all bytes are read.
   */
  unread?(side: Side): number;
  /**
   * No more bytes of either side will come. What waits for an answer becomes an incomplete exchange.
   * @param by who closed first, or reset; undefined where neither did or that is not known
   */
  end(how: StreamEnd, by?: Side): void;
}

/** Why no more bytes come: `expired` after long silence, `evicted` because the table of connections was full. */
export type StreamEnd = 'closed' | 'reset' | 'capture ended' | 'expired' | 'evicted';

/** A protocol on TCP. One file, one line in index.ts. */
export interface StreamProtocol {
  readonly name: string;
  /** For people: `HTTP`, `PostgreSQL`. */
  readonly title: string;
  /** Usual server ports: a hint that puts this protocol first where several could be, never a condition. */
  readonly ports: readonly number[];
  /** Server ports of others on which the same words are theirs: `get x` is also an inline command of Redis. */
  readonly notOn?: readonly number[];
  readonly fields: FieldTable;
  /** It is recognised and not decoded: packets are shown as those of what is not recognised. */
  readonly isNamedOnly?: boolean;
  /** The value of `protocol` in the records that have its fields, where that is not its name. */
  readonly records?: readonly string[];
  /**
   * Look at the first bytes of a direction (of a message, when the capture began mid-stream). Strict enough to be wrong
   * about random bytes less than once in 10⁵; answers within PROBE_BYTES.
   */
  probe(bytes: Uint8Array, start: number, end: number): Likeness;
  create(context: StreamContext): StreamAnalyzer;
}

/** Of one protocol on UDP, all flows: nothing is allocated for a flow that the protocol does not need. */
export interface DatagramAnalyzer {
  /**
   * @param flow a small number that stands for the flow until `endFlow`; `emit` must be given it
   * @param wireLength bytes of the datagram on the wire; more than `end - start` when the capture cut it
   */
  datagram(flow: number, side: Side, bytes: Uint8Array, start: number, end: number, wireLength: number): void;
  endFlow(flow: number): void;
  /** An ICMP error says that datagrams of the flow do not arrive: nothing there listens, or something before it rejects them. */
  rejected?(flow: number): void;
  /**
   * A datagram of a flow that no protocol recognises: whether it belongs to a connection that was seen on another flow
   * (one whose client has moved).
   */
  recognise?(bytes: Uint8Array, start: number, end: number): Likeness;
  /** The analysis ends: what waits for an answer is reported as incomplete. */
  end(): void;
}

export interface DatagramContext extends Omit<ProtocolContext, 'emit'> {
  /** During a datagram() call: number of the place of capture that `now` is of. Two places' clocks may differ. */
  readonly place: number;
  /** And of the clock that stamped it: times of one clock can be compared. */
  readonly clock?: number;
  /** During a datagram() call: it was sent to a multicast address, or to all. */
  readonly isToMany?: boolean;
  /** As of StreamContext. */
  readonly labels?: boolean | undefined;
  readonly bodies?: Bodies | undefined;
  /** Secrets of connections, where some are known or may come (`--keylog`). */
  readonly keys?: KeyLog | undefined;
  emit(flow: number, event: AnalysisEvent): void;
  /** Count a complete exchange of which no event is needed. @returns false where it must be emitted (AlikeExchanges.add) */
  countAlike?(
    flow: number,
    kind: number,
    time: number,
    latency: number,
    requestBytes: number,
    responseBytes: number,
  ): boolean;
  /** An exchange that was emitted: further ones of its kind may be counted. */
  learnAlike?(flow: number, kind: number, event: Exchange): void;
}

export interface DatagramProtocol {
  readonly name: string;
  readonly title: string;
  readonly ports: readonly number[];
  readonly fields: FieldTable;
  /** As of StreamProtocol. */
  readonly isNamedOnly?: boolean;
  /** By one datagram. With `hinted` its port is one of `ports`: less proof is needed. */
  probe(bytes: Uint8Array, start: number, end: number, hinted: boolean): Likeness;
  create(context: DatagramContext): DatagramAnalyzer;
}
