import type { Names } from '../identity/names.ts';
import { TRACE_ROUTES } from '../limits.ts';
import type { EventRecord, PeerRecord, Recorder } from '../record/record.ts';
import { Histogram } from '../summary/histogram.ts';
import type { Call, Confidence } from './call.ts';
import { type Lost, type Part, type PartKind, partsOf } from './parts.ts';
import type { Vantage } from './vantages.ts';

/** A hop of a traced request: a part of its time. The latencies of all hops add up to the total. */
export interface HopRecord {
  readonly kind: PartKind;
  /** Whose it is: a pod, node, interface or address. */
  readonly from: string;
  /** Where a network hop leads to; what is behind the last place that saw the call. */
  readonly to: string | undefined;
  /** The Service that was called, where the hop leads through one: `web.shop`. */
  readonly service: string | undefined;
  /** The call that it is a part of: `GET /cart`; and how many calls deep it is, 0 for the client's request. */
  readonly label: string;
  readonly depth: number;
  /** ns */
  readonly latency: number;
  readonly lost: readonly Lost[];
  readonly confidence: Confidence;
  /** Calls at once, of kind `calls`. */
  readonly calls: number | undefined;
  readonly flow: number;
}

/** A client's request with where its time went. */
export interface TraceRecord extends Omit<EventRecord, 'kind'> {
  readonly kind: 'trace';
  /** First byte of the request to last byte of the response at the client, ns; undefined where one of them was not seen. */
  readonly total: number | undefined;
  readonly hops: readonly HopRecord[];
  /** The hop that stands out, an index into `hops`; undefined where none does. */
  readonly slowest: number | undefined;
  /** Calls that may belong to this request or to another one. */
  readonly ambiguous: number | undefined;
}

/** A peer by its pod, Service, name, node or address. */
function peerText(peer: PeerRecord | undefined): string {
  const pod = peer?.pod !== undefined && peer.namespace !== undefined ? `${peer.namespace}/${peer.pod}` : peer?.pod;
  return pod ?? serviceName(peer) ?? peer?.name ?? peer?.node ?? peer?.ip ?? '?';
}

/** `web.shop`: the Service that a peer answers for. */
export function serviceName(peer: PeerRecord | undefined): string | undefined {
  if (peer?.service === undefined) return undefined;
  return peer.namespace === undefined ? peer.service : `${peer.service}.${peer.namespace}`;
}

/** A hop stands out when it takes so much of the total beyond what it usually takes. */
const OUTSTANDING = 0.3;
/** From so many requests on it is known what is usual. */
const USUAL_FROM = 20;

/** Makes records of traces. */
export class TraceRecorder {
  readonly #recorder: () => Recorder;
  readonly #names: Names;
  readonly #interfaceName: (id: number) => string | undefined;
  readonly #isServer: (call: Call, at: Vantage) => boolean;
  /** What parts of routes usually take. */
  readonly #usual = new Map<string, Histogram>();

  constructor(sources: {
    readonly recorder: () => Recorder;
    readonly names: Names;
    readonly interfaceName: (id: number) => string | undefined;
    readonly isServer: (call: Call, at: Vantage) => boolean;
  }) {
    this.#recorder = sources.recorder;
    this.#names = sources.names;
    this.#interfaceName = sources.interfaceName;
    this.#isServer = sources.isServer;
  }

  record(call: Call): TraceRecord {
    const event = this.#recorder().event(call.exchange, call.flow);
    const parts = partsOf(call, this.#isServer) ?? [];
    const records = new Map<Call, EventRecord>([[call, event]]);
    const hops = parts.map((part) => this.#hop(part, records));
    const total = parts.length === 0 ? undefined : parts.reduce((sum, { duration }) => sum + duration, 0);
    return {
      ...event,
      kind: 'trace',
      total,
      hops,
      slowest: total === undefined ? undefined : this.#slowest(event.route ?? event.label, hops, total),
      ambiguous: call.ambiguous === 0 ? undefined : call.ambiguous,
    };
  }

  #hop(part: Part, records: Map<Call, EventRecord>): HopRecord {
    const { call, kind, at, to, depth, duration, lost, confidence, count } = part;
    let record = records.get(call);
    if (record === undefined) {
      record = this.#recorder().event(call.exchange, call.flow);
      records.set(call, record);
    }
    const { dst } = record;
    const called = this.#names.ofHost(at.serverHost, call.exchange.time, -1);
    const service = called?.service !== undefined ? called.group : serviceName(dst);
    const target = peerText(dst);
    const isCall = kind === 'network' || kind === 'beyond' || kind === 'attempt';
    return {
      kind,
      from: this.#placeName(at) ?? peerText(record.src),
      to: to !== undefined ? (this.#placeName(to) ?? target) : isCall ? target : undefined,
      service: isCall ? service : undefined,
      label: record.label,
      depth,
      latency: duration,
      lost,
      confidence,
      calls: count === 0 ? undefined : count,
      flow: call.flow.id,
    };
  }

  /** The pod or node whose interface it is, or what the interface is called; undefined for one without a name. */
  #placeName({ interfaceId }: Vantage): string | undefined {
    return this.#names.ofInterface(interfaceId)?.text ?? (this.#interfaceName(interfaceId) || undefined);
  }

  /** The hop with the largest excess over what it usually takes, where that is a good part of the total. */
  #slowest(route: string, hops: readonly HopRecord[], total: number): number | undefined {
    let best: number | undefined;
    let most = 0;
    for (const [index, hop] of hops.entries()) {
      const usual = this.#usually(`${route} ${index} ${hop.kind}`, hop.latency);
      const excess = hop.latency - usual;
      if (excess > most) {
        most = excess;
        best = index;
      }
    }
    const isAlone = hops.filter(({ latency }) => latency > 0).length < 2;
    return most >= total * OUTSTANDING && !isAlone ? best : undefined;
  }

  /** What a part usually took until now, ns; 0 while that is not known. */
  #usually(key: string, latency: number): number {
    let histogram = this.#usual.get(key);
    if (histogram === undefined) {
      if (this.#usual.size >= TRACE_ROUTES) return 0;
      histogram = new Histogram();
      this.#usual.set(key, histogram);
    }
    const usual = histogram.count < USUAL_FROM ? 0 : histogram.percentile(0.5);
    histogram.record(latency);
    return usual;
  }
}
