import type { FlowFacts, FlowIdentity, TcpFacts, Transport } from '../flow/flow-facts.ts';
import type { Redirect } from '../flow/redirects.ts';
import type { Hosts } from '../identity/hosts.ts';
import type { Identity } from '../identity/identity.ts';
import type { Names } from '../identity/names.ts';
import type { PacketView } from '../packet/packet.ts';
import { describePacket } from './describe.ts';
import type { AnalysisEvent, Exchange, Fields, Incomplete, Side } from './event.ts';
import { otherSide, SIDE } from './event.ts';
import { RECORD_VERSION } from './fields.ts';
import { wholeFields } from './late-fields.ts';
import { absoluteTimeText, nanosecondsOf, TimeTexts } from './time-text.ts';

/** A peer in a record. Members that are undefined are not in the JSON. */
export interface PeerRecord {
  readonly ip: string | undefined;
  readonly port: number | undefined;
  readonly mac: string | undefined;
  readonly pod: string | undefined;
  readonly service: string | undefined;
  readonly namespace: string | undefined;
  readonly node: string | undefined;
  readonly name: string | undefined;
  /** The context of its cluster, in a capture of several. */
  readonly cluster: string | undefined;
}

interface RecordBase {
  readonly v: typeof RECORD_VERSION;
  /** RFC 3339, UTC, nine digits. */
  readonly time: string;
  readonly protocol: string;
  readonly src: PeerRecord | undefined;
  readonly dst: PeerRecord | undefined;
  readonly interface: string | undefined;
}

/** An exchange, a message or an event, with the protocol's own fields under their key. Durations: ns. */
export interface EventRecord extends RecordBase {
  readonly kind: AnalysisEvent['kind'];
  readonly latency: number | undefined;
  readonly ttfb: number | undefined;
  readonly requestTime: number | undefined;
  readonly serverTime: number | undefined;
  readonly transferTime: number | undefined;
  readonly requestBytes: number | undefined;
  readonly responseBytes: number | undefined;
  readonly declaredBytes: number | undefined;
  readonly status: string | undefined;
  readonly failed: boolean;
  readonly incomplete: Incomplete | undefined;
  readonly endedBy: 'client' | 'server' | undefined;
  readonly label: string;
  readonly route: string | undefined;
  readonly code: string | undefined;
  /** Of an event: who did it. `src` of an event is the client, `dst` the server. */
  readonly by: 'client' | 'server' | undefined;
  readonly position: number | undefined;
  readonly flow: number;
  /** The flow that is the same connection before or behind NAT, and counts. */
  readonly sameAs: number | undefined;
  readonly sample: number | undefined;
}

export interface FlowRecord extends RecordBase {
  readonly kind: 'flow';
  readonly flow: number;
  readonly sameAs: number | undefined;
  /** The proxy on the client's own machine that took the connection: `127.0.0.1:15001`. */
  readonly redirectedTo: string | undefined;
  readonly transport: Transport;
  readonly duration: number;
  readonly client: FlowFacts['client'];
  readonly server: FlowFacts['server'];
  readonly tcp: TcpFacts | undefined;
  readonly sightings: FlowFacts['sightings'];
  readonly sample: number | undefined;
}

export interface PacketRecord extends RecordBase {
  readonly kind: 'packet';
  readonly label: string;
  readonly info: string | undefined;
  readonly direction: 'in' | 'out' | undefined;
  readonly length: number;
  readonly captured: number;
  readonly stopped: string | undefined;
}

export type JsonRecord = EventRecord | FlowRecord | PacketRecord;

export interface RecordSources {
  readonly hosts: Hosts;
  readonly names: Names;
  /** The name of an interface of the analysis; undefined or empty where it has none. */
  interfaceName(id: number): string | undefined;
  /** What a packet alone shows above TCP or UDP: `HTTP GET /cart HTTP/1.1`. */
  packetInfo?(packet: PacketView): string | undefined;
}

/** How long the parts of an exchange took, ns; each undefined unless both its ends were seen. Never negative. */
export interface Timings {
  /** First byte of the request to last byte of the response. */
  readonly latency: number | undefined;
  /** First byte of the request to first byte of the response. */
  readonly ttfb: number | undefined;
  /** First to last byte of the request. */
  readonly requestTime: number | undefined;
  /** Last byte of the request to first byte of the response; undefined where the response began first. */
  readonly serverTime: number | undefined;
  /** First to last byte of the response. */
  readonly transferTime: number | undefined;
}

export function timingsOf(exchange: Exchange): Timings {
  const { incomplete, time, requestEnd, responseTime, responseEnd, requestBytes } = exchange;
  // An answer of which it is not known whose it is has no request either.
  const hasRequest = incomplete !== 'request not seen' && !(incomplete === 'unknown' && requestBytes === 0);
  const hasRequestEnd = hasRequest && incomplete !== 'request not captured';
  return {
    latency: hasRequest ? between(time, responseEnd) : undefined,
    ttfb: hasRequest ? between(time, responseTime) : undefined,
    requestTime: hasRequestEnd ? between(time, requestEnd) : undefined,
    serverTime: hasRequestEnd ? between(requestEnd, responseTime) : undefined,
    transferTime: between(responseTime, responseEnd),
  };
}

function between(from: number | undefined, to: number | undefined): number | undefined {
  return from !== undefined && to !== undefined && to >= from ? to - from : undefined;
}

const NO_TIMINGS: Timings = {
  latency: undefined,
  ttfb: undefined,
  requestTime: undefined,
  serverTime: undefined,
  transferTime: undefined,
};

/** Makes the records of the JSON output, which `--where` and the text output read as well (docs/json.md). */
export class Recorder {
  readonly #sources: RecordSources;
  readonly #base: bigint;
  /** The second that it is in, and the nanoseconds within that. */
  readonly #baseSecond: number;
  readonly #baseNanoseconds: number;
  readonly #times = new TimeTexts();

  /** @param base the time of the analysis' first packet: ns since 1970 */
  constructor(sources: RecordSources, base: bigint) {
    this.#sources = sources;
    this.#base = base;
    const nanoseconds = nanosecondsOf(base);
    this.#baseNanoseconds = Number(nanoseconds);
    this.#baseSecond = Number((base - nanoseconds) / 1_000_000_000n);
  }

  /** @param hasFields with the protocol's own members: `http`, `dns` */
  event(event: AnalysisEvent, flow: FlowIdentity, hasFields = true): EventRecord {
    const isExchange = event.kind === 'exchange';
    const from = isExchange ? event.requester : event.kind === 'message' ? event.from : undefined;
    const source = from ?? SIDE.client;
    const timings = isExchange ? timingsOf(event) : NO_TIMINGS;
    const proxied = proxiedClient(event.fields);
    const dst = this.#peer(flow, otherSide(source), event.time, proxied);
    const src = this.#peer(flow, source, event.time, proxied);
    const own = {
      v: RECORD_VERSION,
      time: this.timeText(event.time),
      kind: event.kind,
      protocol: event.protocol,
      src: isExchange && event.probe === true ? kubelet(src, dst) : src,
      dst,
      latency: timings.latency,
      ttfb: timings.ttfb,
      requestTime: timings.requestTime,
      serverTime: timings.serverTime,
      transferTime: timings.transferTime,
      requestBytes: isExchange ? event.requestBytes : event.kind === 'message' ? event.bytes : undefined,
      responseBytes: isExchange ? event.responseBytes : undefined,
      declaredBytes: isExchange ? event.declaredBytes : undefined,
      status: isExchange && event.status !== '' ? event.status : undefined,
      failed: event.kind === 'message' ? false : event.failed,
      incomplete: isExchange ? event.incomplete : undefined,
      endedBy: isExchange ? sideName(event.endedBy) : undefined,
      label: event.label,
      route: isExchange ? event.route : undefined,
      code: event.kind === 'event' ? event.code : undefined,
      by: event.kind === 'event' ? sideName(event.from) : undefined,
      position: event.kind === 'event' ? event.position : undefined,
      flow: flow.id,
      sameAs: flow.sameAs?.id,
      sample: flow.sample,
      interface: this.#interfaceName(flow.interfaceId),
    } as const;
    return hasFields ? { ...own, ...ownFields(wholeFields(event.fields), own) } : own;
  }

  flow(facts: FlowFacts): FlowRecord {
    return {
      v: RECORD_VERSION,
      time: this.timeText(facts.first),
      kind: 'flow',
      protocol: facts.protocol ?? facts.transport,
      src: this.#peer(facts, SIDE.client, facts.first),
      dst: this.#peer(facts, SIDE.server, facts.first),
      flow: facts.id,
      sameAs: facts.sameAs?.id,
      redirectedTo: facts.redirect === undefined ? undefined : this.#socketText(facts.redirect),
      interface: this.#interfaceName(facts.interfaceId),
      transport: facts.transport,
      duration: facts.last - facts.first,
      client: facts.client,
      server: facts.server,
      tcp: facts.tcp,
      sightings: facts.sightings,
      sample: facts.sample,
    };
  }

  /** @param packet decoded; @param interfaceId of the analysis */
  packet(packet: PacketView, interfaceId: number): PacketRecord {
    const described = describePacket(packet);
    const time = Number(described.time - this.#base);
    const isIp = packet.sourceAddress >= 0;
    const cluster = this.#sources.names.clusterOfInterface(interfaceId);
    const named = this.#sources.hosts.clusters.name(cluster) || undefined;
    const peer = (end: (typeof described)['source']) =>
      end === undefined
        ? undefined
        : isIp
          ? this.#peerOf(end.address, end.port, this.#sources.names.ofAddress(end.address, time, cluster), named)
          : { ...this.#peerOf(undefined, undefined, undefined, named), mac: end.address };
    return {
      v: RECORD_VERSION,
      time: this.timeText(time),
      kind: 'packet',
      protocol: described.protocol.toLowerCase(),
      src: peer(described.source),
      dst: peer(described.destination),
      interface: this.#interfaceName(interfaceId),
      label: described.words.map((word) => (typeof word === 'string' ? word : word.address)).join(' '),
      info: this.#sources.packetInfo?.(packet),
      direction: described.direction,
      length: described.length,
      captured: described.captured,
      stopped: described.stopped,
    };
  }

  /** RFC 3339 in UTC with nine digits. @param time ns since the first packet */
  timeText(time: number): string {
    const since = Math.round(time) + this.#baseNanoseconds;
    // Whole numbers are exact up to 2^53: 104 days.
    if (!Number.isSafeInteger(since)) return absoluteTimeText(this.absolute(time));
    const seconds = Math.floor(since / 1e9);
    return this.#times.of(this.#baseSecond + seconds, since - seconds * 1e9);
  }

  /** Nanoseconds since 1970. @param time ns since the first packet */
  absolute(time: number): bigint {
    return this.#base + BigInt(Math.round(time));
  }

  /** @param proxied the client for which the flow's own client connected, where that is known */
  #peer(flow: FlowIdentity, side: 0 | 1, time: number, proxied?: string): PeerRecord | undefined {
    const host = side === SIDE.client ? flow.clientHost : flow.serverHost;
    if (host < 0) return undefined;
    const port = side === SIDE.client ? flow.clientPort : flow.serverPort;
    const { hosts, names } = this.#sources;
    const known = names.ofHost(host, time, flow.interfaceId);
    const identity =
      side === SIDE.server && flow.sameAs !== undefined
        ? names.serving(known, names.ofHost(flow.sameAs.serverHost, time, -1))
        : known;
    const peer = this.#peerOf(hosts.text(host), port === 0 ? undefined : port, identity, hosts.clusterOf(host));
    return side === SIDE.client && proxied !== undefined ? { ...peer, name: peer.name ?? proxied } : peer;
  }

  #peerOf(
    ip: string | undefined,
    port: number | undefined,
    identity: Identity | undefined,
    cluster: string | undefined,
  ): PeerRecord {
    return {
      ip,
      port,
      mac: undefined,
      pod: identity?.pod,
      service: identity?.service,
      namespace: identity?.namespace,
      node: identity?.node,
      name: identity?.name,
      cluster,
    };
  }

  #socketText({ host, port }: Redirect): string {
    const address = this.#sources.hosts.text(host);
    return `${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  #interfaceName(id: number): string | undefined {
    const name = this.#sources.interfaceName(id);
    return name === '' ? undefined : name;
  }
}

/** Who sends kubelet's probes, where the address has no name: kubelet runs on the pod's node. */
function kubelet(src: PeerRecord | undefined, dst: PeerRecord | undefined): PeerRecord | undefined {
  if (src === undefined || (src.pod ?? src.service ?? src.node ?? src.name) !== undefined) return src;
  return { ...src, node: dst?.node, name: dst?.node === undefined ? 'kubelet' : `kubelet@${dst.node}` };
}

/** The client that a proxy named at the connection's beginning (protocols/proxy-protocol.ts). */
function proxiedClient({ proxy }: Fields): string | undefined {
  const client = typeof proxy === 'object' && proxy !== null && 'client' in proxy ? proxy.client : undefined;
  return typeof client === 'string' ? client : undefined;
}

function sideName(side: Side | undefined): 'client' | 'server' | undefined {
  return side === undefined ? undefined : side === SIDE.client ? 'client' : 'server';
}

/** The protocol's members come last, and none takes the place of the record's own. */
function ownFields(fields: Fields, own: object): Fields {
  for (const name in fields) {
    if (name in own) return Object.fromEntries(Object.entries(fields).filter(([key]) => !(key in own)));
  }
  return fields;
}
