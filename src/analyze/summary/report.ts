import type { TcpDirectionFacts, Transport } from '../flow/flow-facts.ts';
import type { FlowRecord } from '../record/record.ts';
import type { SampleRecord } from '../record/sample-record.ts';
import type { Percentiles } from './histogram.ts';

/** A row of several summaries that were added up and reached a bound. */
export interface Bounded {
  /** So many more at most are counted in the row `other`. */
  readonly missed?: number | undefined;
}

/** What was counted of some exchanges. Durations: ns; rate: exchanges per second of the whole capture. */
export interface ExchangeStats extends Bounded {
  readonly count: number;
  /** Undefined when the capture lasted no time. */
  readonly rate: number | undefined;
  readonly failed: number;
  /** Of which a part is missing. */
  readonly incomplete: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Of complete exchanges; undefined when there was none. */
  readonly latency: Percentiles | undefined;
  /** To the first byte of the response. */
  readonly ttfb: Percentiles | undefined;
  /** From the last byte of the request to the first byte of the response. */
  readonly serverTime: Percentiles | undefined;
}

/**
 * `protocol` is `tcp` for the connections to a server of which some failed before any exchange: refused, unanswered, reset.
 * `count` is of all that began within the capture, `latency` of their setup, bytes are those of their packets.
 */
export interface ServiceStats extends ExchangeStats {
  /** `web.shop`, else the pod, name or address. */
  readonly service: string;
  readonly protocol: string;
}

/** Exchanges of one client with one server. */
export interface CallerStats extends Omit<ExchangeStats, 'incomplete' | 'ttfb' | 'serverTime'> {
  /** Who asks: a Service, a Deployment, else the pod, name or address; `kubelet` for its probes. */
  readonly client: string;
  /** As in `services`. */
  readonly service: string;
  readonly protocol: string;
}

export interface PodStats extends ExchangeStats {
  /** Who answered: `shop/web-1`, a node, a name. */
  readonly pod: string;
  readonly service: string | undefined;
  readonly protocol: string;
}

export interface RouteStats extends ExchangeStats {
  readonly service: string;
  readonly protocol: string;
  readonly route: string;
  /** How often which status came, most frequent first. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface DnsStats extends ExchangeStats {
  readonly name: string;
  readonly type: string | undefined;
  readonly rcodes: Readonly<Record<string, number>>;
}

export interface TlsStats extends ExchangeStats {
  readonly sni: string | undefined;
  readonly version: string | undefined;
  /** What came of the handshakes: the version, or why it failed. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface GrpcStats extends ExchangeStats {
  readonly service: string;
  /** `/shop.Cart/Add`. */
  readonly method: string;
  readonly statuses: Readonly<Record<string, number>>;
}

export interface TcpStats extends TcpDirectionFacts {
  readonly connections: number;
  /** Of those, begun before the capture. */
  readonly midstream: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly resetByClient: number;
  readonly resetByServer: number;
  readonly bytes: number;
  readonly handshake: Percentiles | undefined;
}

export interface TcpServerStats extends TcpStats, Bounded {
  readonly server: string;
  readonly port: number;
}

/** A connection with trouble: a record of a flow. Totals of several captures have no numbers of flows. */
export interface WorstFlow extends Omit<FlowRecord, 'flow'> {
  readonly flow: number | undefined;
}

/** The summary as one JSON document (docs/json.md). Rows that a bound collected are called `other`. */
export interface SummaryReport {
  readonly v: number;
  readonly kind: 'summary';
  /** RFC 3339 of the first packet, and ns from it to the last; undefined when there was none. */
  readonly time: string | undefined;
  readonly duration: number;
  /** Agents could not keep up: all counts are of a sample of the connections. */
  readonly sample?: SampleRecord | undefined;
  readonly flows: Readonly<Partial<Record<Transport, number>>>;
  readonly services: readonly ServiceStats[];
  readonly pods: readonly PodStats[];
  readonly callers: readonly CallerStats[];
  readonly routes: readonly RouteStats[];
  readonly dns: readonly DnsStats[];
  readonly tls: readonly TlsStats[];
  readonly grpc: readonly GrpcStats[];
  readonly messages: readonly { readonly protocol: string; readonly count: number; readonly bytes: number }[];
  readonly events: readonly {
    readonly protocol: string;
    readonly code: string;
    readonly failed: boolean;
    readonly count: number;
  }[];
  readonly tcp: TcpStats & { readonly servers: readonly TcpServerStats[]; readonly worst: readonly WorstFlow[] };
}
