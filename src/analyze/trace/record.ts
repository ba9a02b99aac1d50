import type { AboutConnection } from '../connection-facts.ts';
import type { Hosts } from '../identity/hosts.ts';
import type { Names } from '../identity/names.ts';
import { TRACE_ROUTES } from '../limits.ts';
import type { EventRecord, PeerRecord, Recorder } from '../record/record.ts';
import type { NetworkStates } from '../state/network-states.ts';
import { Histogram } from '../summary/histogram.ts';
import type { Call, Confidence } from './call.ts';
import type { ClockOffset } from './clock-offsets.ts';
import { type ConnectRecord, type ConnectSources, connectRecord } from './connect-record.ts';
import { type Lost, type Part, type PartKind, type PlaceFacts, partsOf } from './parts.ts';
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
  /** Of a network hop: how long the request and the response took; undefined where the clocks at its ends are not known well enough, or it was not wanted. */
  readonly oneWay: OneWay | undefined;
  readonly lost: readonly Lost[];
  readonly confidence: Confidence;
  /** Calls at once, of kind `calls`. */
  readonly calls: number | undefined;
  readonly flow: number;
}

/** Both ways of a network hop, ns: they add up to its latency. */
export interface OneWay {
  readonly request: number;
  readonly response: number;
  /** How far the clock at the hop's end is ahead of the clock at its start, as found from the packets; 0 for one clock. */
  readonly offset: number;
  /** Both ways, and the offset, are right within this. */
  readonly error: number;
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
  /** Of a TCP connection that did not come up (label `connect`). */
  readonly connect: ConnectRecord | undefined;
}

/** A peer by its pod, Service, name, node or address. */
function peerText(peer: PeerRecord | undefined): string {
  const pod = peer?.pod !== undefined && peer.namespace !== undefined ? `${peer.namespace}/${peer.pod}` : peer?.pod;
  const text = pod ?? localService(peer) ?? peer?.name ?? peer?.node ?? peer?.ip ?? '?';
  return peer?.cluster === undefined ? text : `${peer.cluster}/${text}`;
}

/** `web.shop`: the Service that a peer answers for; behind `CLUSTER/` in a capture of several clusters. */
export function serviceName(peer: PeerRecord | undefined): string | undefined {
  const text = localService(peer);
  return text === undefined || peer?.cluster === undefined ? text : `${peer.cluster}/${text}`;
}

function localService(peer: PeerRecord | undefined): string | undefined {
  if (peer?.service === undefined) return undefined;
  const { service, namespace } = peer;
  if (namespace === undefined) return service;
  if (service !== lastService.service || namespace !== lastService.namespace) {
    lastService = { service, namespace, text: `${service}.${namespace}` };
  }
  return lastService.text;
}

/** The Service that was asked for last: mostly it is the same one again. */
let lastService = { service: '', namespace: '', text: '.' };

/** A hop stands out when it takes so much of the total beyond what it usually takes. */
const OUTSTANDING = 0.3;
/** From so many requests on it is known what is usual. */
const USUAL_FROM = 20;
/** A hop's ways are stated where the clocks are known to this part of its latency. */
const CLOCK_SHARE = 0.2;

/** What traces are made of. */
export interface TraceRecorderSources {
  readonly recorder: () => Recorder;
  readonly names: Names;
  readonly interfaceName: (id: number) => string | undefined;
  readonly states: NetworkStates;
  readonly places: PlaceFacts;
  readonly clockOffset: (from: Vantage, to: Vantage, time: number) => ClockOffset | undefined;
  readonly hosts: Hosts;
  /** What the cluster's objects show about a connection; undefined without a cluster. */
  readonly about?: AboutConnection | undefined;
}

/** What the parts of a route usually take: by the part's place within it, then by its kind. */
type UsualParts = (Map<PartKind, Histogram> | undefined)[];

/** Makes records of traces. */
export class TraceRecorder {
  readonly #sources: TraceRecorderSources;
  /** What parts of routes usually take, by route. */
  readonly #usual = new Map<string, UsualParts>();
  #usualParts = 0;

  readonly #connects: ConnectSources;

  constructor(sources: TraceRecorderSources) {
    this.#sources = sources;
    const { names, states, hosts, about } = sources;
    this.#connects = { names, states, hosts, about, place: (at, end) => this.#placeName(at) ?? peerText(end) };
  }

  /**
   * @param hasFields with the members of the request's protocol: `http`, `dns`
   * @param hasWays with how long the request and the response took in network hops, where that is known
   */
  record(call: Call, hasFields = true, hasWays = true): TraceRecord {
    const event = this.#sources.recorder().event(call.exchange, call.flow, hasFields);
    const parts = partsOf(call, this.#sources.places) ?? [];
    // Of the calls made because of it; of most there are none.
    let records: Map<Call, EventRecord> | undefined;
    let sum = 0;
    const hops = parts.map((part) => {
      let record = event;
      if (part.call !== call) {
        records ??= new Map();
        record = this.#recordOf(part.call, records);
      }
      sum += part.duration;
      return this.#hop(part, record, hasWays);
    });
    const total = parts.length === 0 ? undefined : sum;
    const connect = call.connect === undefined ? undefined : connectRecord(call, call.connect, event, this.#connects);
    // The event's record was made for this alone: to copy its members would cost as much as the hops.
    const trace = event as unknown as { -readonly [Name in keyof TraceRecord]: TraceRecord[Name] };
    trace.kind = 'trace';
    trace.total = total;
    trace.hops = hops;
    trace.slowest = total === undefined ? undefined : this.#slowest(event.route ?? event.label, hops, total);
    trace.ambiguous = call.ambiguous === 0 ? undefined : call.ambiguous;
    trace.connect = connect;
    return trace;
  }

  #recordOf(call: Call, records: Map<Call, EventRecord>): EventRecord {
    let record = records.get(call);
    if (record === undefined) {
      record = this.#sources.recorder().event(call.exchange, call.flow, false);
      records.set(call, record);
    }
    return record;
  }

  /** @param record of the part's call */
  #hop(part: Part, record: EventRecord, hasWays: boolean): HopRecord {
    const { call, kind, at, to, depth, duration, lost, confidence, count } = part;
    const { dst } = record;
    const isCall = kind === 'network' || kind === 'mesh' || kind === 'beyond' || kind === 'attempt';
    const isServer = kind === 'server' || kind === 'proxy' || kind === 'calls';
    const called = isCall || isServer ? this.#sources.names.ofHost(at.serverHost, call.exchange.time, -1) : undefined;
    // A node's interface sees what the pods behind it take: the time is the pod's.
    const isPodOfNode =
      isServer && called?.pod !== undefined && this.#sources.names.ofInterface(at.interfaceId)?.pod === undefined;
    return {
      kind,
      from: (isPodOfNode ? called.text : this.#placeName(at)) ?? peerText(isServer ? dst : record.src),
      to: to !== undefined ? (this.#placeName(to) ?? peerText(dst)) : isCall ? peerText(dst) : undefined,
      service: !isCall ? undefined : called?.service !== undefined ? called.group : serviceName(dst),
      label: record.label,
      depth,
      latency: duration,
      oneWay:
        hasWays && kind === 'network' && to !== undefined
          ? this.#oneWay(at, to, call.exchange.time, duration)
          : undefined,
      lost,
      confidence,
      calls: count === 0 ? undefined : count,
      flow: call.flow.id,
    };
  }

  #oneWay(at: Vantage, to: Vantage, time: number, latency: number): OneWay | undefined {
    const found = this.#sources.clockOffset(at, to, time);
    if (found === undefined || at.requestEnd === undefined || to.requestEnd === undefined) return undefined;
    const { offset, error } = found;
    if (error > latency * CLOCK_SHARE) return undefined;
    const request = Math.min(latency, Math.max(0, to.requestEnd - at.requestEnd - offset));
    return { request, response: latency - request, offset, error };
  }

  /** The pod or node whose interface it is, or what the interface is called; undefined for one without a name. */
  #placeName({ interfaceId }: Vantage): string | undefined {
    return (
      this.#sources.names.ofInterface(interfaceId)?.text ?? (this.#sources.interfaceName(interfaceId) || undefined)
    );
  }

  /** The hop with the largest excess over what it usually takes, where that is a good part of the total. */
  #slowest(route: string, hops: readonly HopRecord[], total: number): number | undefined {
    let best: number | undefined;
    let most = 0;
    let positive = 0;
    const usual = this.#usual.get(route) ?? [];
    const isNew = usual.length === 0;
    for (let index = 0; index < hops.length; index += 1) {
      const hop = hops[index] as HopRecord;
      if (hop.latency > 0) positive += 1;
      const excess = this.#excess(usual, index, hop, Math.max(most, total * OUTSTANDING));
      if (excess > most) {
        most = excess;
        best = index;
      }
    }
    if (isNew && usual.length > 0) this.#usual.set(route, usual);
    return most >= total * OUTSTANDING && positive > 1 ? best : undefined;
  }

  /**
   * What a part took beyond what it usually took until now, ns: all of it while that is not known, and 0 where that cannot be `least`.
   * @param usual what the route's parts usually take: gets this one
   */
  #excess(usual: UsualParts, index: number, { kind, latency }: HopRecord, least: number): number {
    let histogram = usual[index]?.get(kind);
    if (histogram === undefined) {
      if (this.#usualParts >= TRACE_ROUTES) return latency;
      this.#usualParts += 1;
      histogram = new Histogram();
      const kinds = usual[index];
      if (kinds === undefined) usual[index] = new Map([[kind, histogram]]);
      else kinds.set(kind, histogram);
    }
    // To find the percentile takes longer than all the rest.
    const excess = latency < least ? 0 : histogram.count < USUAL_FROM ? latency : latency - histogram.percentile(0.5);
    histogram.record(latency);
    return excess;
  }
}
