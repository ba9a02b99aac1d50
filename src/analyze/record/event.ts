/**
 * What the analysis finds: events, each whole when it is handed over and free to be kept. Times are nanoseconds since the
 * first packet of the analysis (numbers: exact within 104 days of it), lengths are bytes.
 */
export type AnalysisEvent = Exchange | Message | Notice;

/** A value of the JSON output. Times and durations are nanoseconds. */
export type FieldValue = string | number | boolean | null | readonly FieldValue[] | Fields;
export interface Fields {
  readonly [name: string]: FieldValue | undefined;
}

/** Who of a flow: the client is who opened it, or who asks. */
export const SIDE = { client: 0, server: 1 } as const;
export type Side = (typeof SIDE)[keyof typeof SIDE];

export function otherSide(side: Side): Side {
  return side === SIDE.client ? SIDE.server : SIDE.client;
}

interface EventBase {
  /** `http`, `dns`, `tcp`: the protocol's name, in the outputs' `protocol`. */
  readonly protocol: string;
  /** First words for people, one line, secrets masked: `GET /cart`, `SELECT * FROM stock`, `A web.shop.svc`. Not sanitised. */
  readonly label: string;
  /** The protocol's own part of the JSON, under its own key: `{ http: { method, path, host, status } }`. Secrets masked. */
  readonly fields: Fields;
}

/** A request and its response. The request's direction is from client to server unless `requester` is the server. */
export interface Exchange extends EventBase {
  readonly kind: 'exchange';
  /** Whose request it was, where that can be the server (gRPC and Redis pushes excepted: those are messages). */
  readonly requester?: Side | undefined;
  /** First byte of the request; of the response, where the request was not seen. */
  readonly time: number;
  /** Last byte of the request. */
  readonly requestEnd: number;
  /** First and last byte of the response; undefined where that byte, or its time, was not seen. */
  readonly responseTime: number | undefined;
  readonly responseEnd: number | undefined;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Bytes of the response's body that its head announced, where it did; `responseBytes` of the response were seen. */
  readonly declaredBytes?: number | undefined;
  /** Who ended the connection within the exchange (a reset, an early close); undefined where neither did. */
  readonly endedBy?: Side | undefined;
  /** For people: `200`, `NXDOMAIN`, `ERROR 42P01 relation "x" does not exist`; empty where there is none. */
  readonly status: string;
  /**
   * Whether an SRE would count it as failed: HTTP 5xx, a SQL error, SERVFAIL, gRPC codes other than OK, a reset, no answer.
   * True only when the packets prove it: what was not captured, or given up by a bound, is not failed.
   */
  readonly failed: boolean;
  /** What the summary groups by: `GET /cart`, `SELECT stock`, `A`. Few different ones; never user data such as ids where avoidable. */
  readonly route: string;
  /** By its own account (User-Agent) it is a probe of kubelet's. */
  readonly probe?: boolean | undefined;
  /** Why a part is missing. */
  readonly incomplete?: Incomplete | undefined;
}

/** Why a part of an exchange is missing, or why a pairing is not stated. */
export type Incomplete =
  /** The capture began in the middle, or lost the request: only its response is there. */
  | 'request not seen'
  /** Bytes inside the request were not captured. */
  | 'request not captured'
  /** The response, or part of it, was sent, but packets are missing from the capture. */
  | 'response not captured'
  /** The capture ended first: whether a response came is not known. */
  | 'capture ended'
  /** The connection was reset before the response was complete. */
  | 'reset'
  /** The connection was closed within the response. */
  | 'closed early'
  /** No response came within the protocol's own time limit. */
  | 'timed out'
  /** The connection was closed without any response. */
  | 'no response'
  /** Given up because of a bound, or the packets do not prove which request and response belong together. */
  | 'unknown';

/** A one-way message that has no answer: a WebSocket message, an AMQP delivery, a Redis push. */
export interface Message extends EventBase {
  readonly kind: 'message';
  readonly time: number;
  readonly from: Side;
  readonly bytes: number;
}

/** Something that happened: a reset, a refused connection, a TLS alert, a gap, an upgrade. */
export interface Notice extends EventBase {
  readonly kind: 'event';
  readonly time: number;
  /** Who did it; undefined where neither did, or that is not known. */
  readonly from: Side | undefined;
  /** Stable, for scripts: `TCP_RESET`, `TLS_ALERT`, `STREAM_GAP`. */
  readonly code: string;
  /** Where in the stream of `from` it is, in bytes: of `PROTOCOL_LOST`. */
  readonly position?: number | undefined;
  readonly failed: boolean;
}
