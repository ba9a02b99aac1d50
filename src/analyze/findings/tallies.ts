import type { FlowFacts, FlowIdentity } from '../flow/flow-facts.ts';
import { FINDING_TALLIES } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import type { AnalysisEvent, Fields } from '../record/event.ts';
import { answererOf } from './answerer.ts';
import type { FindingBounds } from './cases.ts';
import { clientOf, type FindingContext, isOfSidecar, serverOf } from './detector.ts';

/** Flows whose last exchange is remembered, a power of two: a later flow takes the place of an earlier one. */
const FLOWS = 65_536;

/** An exchange that took so long may have waited for a retransmission timer, ns; of so many flows so many of them are remembered. */
const SLOW_NS = 200e6;
const SLOW_FLOWS = 4096;
const SLOW_EXCHANGES = 32;

const NO_FIELDS: Fields = {};

/** Ports of a server that have a count of their own, at most. */
const PORTS = 64;

/** What was counted of one server, whatever became of it: of these attempts the cases of a finding are a share. */
export class Tally {
  readonly subject: string;
  readonly index: number;
  /** TCP connections, and those of which the SYN was seen. */
  flows = 0;
  connections = 0;
  /** When a connection that succeeded last began, ns; -Infinity for none. */
  succeeded = Number.NEGATIVE_INFINITY;
  /** The same by port, of the first PORTS ports. */
  readonly succeededAt = new Map<number, number>();
  /** Exchanges; those of neither DNS nor TLS; those of HTTP. */
  exchanges = 0;
  requests = 0;
  http = 0;
  /** Messages and events. */
  others = 0;

  constructor(subject: string, index: number) {
    this.subject = subject;
    this.index = index;
  }
}

/**
 * Counts what every detector needs of what is in order, so that detectors need not look at it. Bounded: servers and clients
 * beyond FINDING_TALLIES are not judged.
 */
export class Tallies {
  readonly #context: FindingContext;
  readonly #bounds: FindingBounds;
  readonly #servers = new Map<string | number, Tally>();
  readonly #clients = new Map<string | number, Tally>();
  readonly #bySubject = new Map<string, Tally>();
  readonly #byClient = new Map<string, Tally>();
  /** By the numbers of a client and a server: their packets. */
  readonly #packets = new Map<number, number>();
  #lastKey: string | number = '';
  #last: Tally | undefined;
  readonly #flows = new Int32Array(FLOWS);
  readonly #ends = new Float64Array(FLOWS);
  readonly #troubled = new Int32Array(FLOWS);
  /** By flow: begin and end of its exchanges that took SLOW_NS, ns, one after the other. */
  readonly #slow = new RecentMap<number, number[]>(SLOW_FLOWS);
  /** Some connection was seen in both directions: without, answers may take a way that is not captured. */
  hasBothDirections = false;

  constructor(context: FindingContext, bounds: FindingBounds) {
    this.#context = context;
    this.#bounds = bounds;
  }

  /** The tally of a flow's server, with the event counted; undefined where there are too many servers. @param count exchanges alike */
  event(event: AnalysisEvent, flow: FlowIdentity, count = 1): Tally | undefined {
    const tally = this.#server(flow, event.time, event.fields);
    if (tally === undefined) return undefined;
    if (event.kind !== 'exchange') {
      tally.others += 1;
      return tally;
    }
    if (event.responseTime !== undefined) this.hasBothDirections = true;
    tally.exchanges += count;
    const { protocol } = event;
    if (protocol === 'dns' || protocol === 'tls') return tally;
    tally.requests += count;
    if (protocol === 'http') tally.http += count;
    return tally;
  }

  /** The tally of a flow's server, which an event of the flow was counted in. */
  ofServer({ time, fields }: AnalysisEvent, flow: FlowIdentity): Tally | undefined {
    return this.#server(flow, time, fields);
  }

  /**
   * As `event`, of a TCP connection that has ended.
   * @param count of so many alike, which were in order; the facts are then of all together, and begin with the last one
   */
  flow(facts: FlowFacts, count = 1): Tally | undefined {
    const { tcp, client, server, first } = facts;
    if (client.packets > 0 && server.packets > 0) this.hasBothDirections = true;
    const tally = this.#server(facts, first);
    if (tally === undefined || tcp === undefined) return undefined;
    tally.flows += count;
    if (!tcp.midstream) {
      // The other leg of one that did not come up is counted already.
      if (facts.sameAs === undefined) tally.connections += count;
      if (server.packets > 0 && tcp.state !== 'refused') {
        // Those that were added up beside an agent come later than others of their time.
        tally.succeeded = Math.max(tally.succeeded, first);
        const { succeededAt } = tally;
        const known = succeededAt.get(facts.serverPort);
        if (known !== undefined || succeededAt.size < PORTS)
          succeededAt.set(facts.serverPort, Math.max(known ?? first, first));
      }
    }
    const peer = this.#client(facts, first);
    if (peer === undefined) return tally;
    peer.flows += count;
    const pair = peer.index * FINDING_TALLIES + tally.index;
    const packets = this.#packets.get(pair);
    if (packets !== undefined || this.#packets.size < FINDING_TALLIES)
      this.#packets.set(pair, (packets ?? 0) + client.packets + server.packets);
    return tally;
  }

  /** A complete exchange of a flow began and ended at these times, ns. @param isOfRequests not of DNS or TLS */
  exchangeEnded(flow: number, begin: number, end: number, isOfRequests: boolean): void {
    const slot = flow & (FLOWS - 1);
    // Those that were added up beside an agent come later than others of their time.
    this.#ends[slot] = this.#flows[slot] === flow + 1 ? Math.max(this.#ends[slot] as number, end) : end;
    this.#flows[slot] = flow + 1;
    if (isOfRequests && end - begin >= SLOW_NS) this.#addSlow(flow, begin, end);
  }

  /** Whether a time between two moments was at least this share of a complete exchange of a flow. @param from, to ns */
  isShareOfExchange(flow: number, from: number, to: number, share: number): boolean {
    const slow = this.#slow.get(flow) ?? [];
    for (let at = 0; at < slow.length; at += 2) {
      const [begin, end] = [slow[at] as number, slow[at + 1] as number];
      if (Math.min(to, end) - Math.max(from, begin) >= (end - begin) * share) return true;
    }
    return false;
  }

  /** Whether a flow had a complete exchange. */
  hasExchange(flow: number): boolean {
    return this.#flows[flow & (FLOWS - 1)] === flow + 1;
  }

  /** A flow has ended: nothing of it is asked any more. */
  forget(flow: number): void {
    this.#slow.delete(flow);
  }

  /** When the last complete exchange of a flow ended, ns; NaN where none did or it is not remembered. */
  lastExchange(flow: number): number {
    const slot = flow & (FLOWS - 1);
    return this.#flows[slot] === flow + 1 ? (this.#ends[slot] as number) : Number.NaN;
  }

  /** Something in a flow is out of the ordinary: detectors look at its end. */
  trouble(flow: number): void {
    this.#troubled[flow & (FLOWS - 1)] = flow + 1;
  }

  isTroubled(flow: number): boolean {
    return this.#troubled[flow & (FLOWS - 1)] === flow + 1;
  }

  /** What was counted of a server. */
  of(subject: string): Tally | undefined {
    return this.#bySubject.get(subject);
  }

  /** Connections of which somebody is the client or the server. */
  flowsOf(name: string): number {
    return (this.#bySubject.get(name)?.flows ?? 0) + (this.#byClient.get(name)?.flows ?? 0);
  }

  /** Packets between a client and a server; 0 where they were not counted. */
  packetsBetween(client: string, server: string): number {
    const peer = this.#byClient.get(client);
    const tally = this.#bySubject.get(server);
    if (peer === undefined || tally === undefined) return 0;
    return this.#packets.get(peer.index * FINDING_TALLIES + tally.index) ?? 0;
  }

  #addSlow(flow: number, begin: number, end: number): void {
    const known = this.#slow.get(flow);
    if (known !== undefined) {
      if (known.length < SLOW_EXCHANGES * 2) known.push(begin, end);
      return;
    }
    // What has been open longest makes room.
    this.#slow.set(flow, [begin, end]);
  }

  /** @param fields of an event: they may show who answers behind the server */
  #server(flow: FlowIdentity, time: number, fields: Fields = NO_FIELDS): Tally | undefined {
    const { serverHost, serverPort, interfaceId } = flow;
    const { hosts, names } = this.#context;
    const known = names.ofHost(serverHost, time, interfaceId);
    const isBySidecar = isOfSidecar(hosts, flow);
    if (isBySidecar || 'connect' in fields || 'socks' in fields) {
      const answerer = answererOf(serverOf(this.#context, flow, time), fields, isBySidecar);
      if (answerer !== undefined)
        return this.#servers.get(answerer) ?? this.#addedAs(this.#servers, answerer, answerer);
    }
    const key = known?.group ?? serverHost * 65_536 + serverPort;
    // Exchanges of one server come in a row.
    if (key === this.#lastKey) return this.#last;
    this.#lastKey = key;
    this.#last = this.#servers.get(key) ?? this.#added(this.#servers, key, flow, time);
    return this.#last;
  }

  #client(flow: FlowFacts, time: number): Tally | undefined {
    const { clientHost, interfaceId } = flow;
    const key = this.#context.names.ofHost(clientHost, time, interfaceId)?.text ?? clientHost;
    return this.#clients.get(key) ?? this.#added(this.#clients, key, flow, time);
  }

  #added(to: Map<string | number, Tally>, key: string | number, flow: FlowIdentity, time: number): Tally | undefined {
    return this.#addedAs(to, key, (to === this.#servers ? serverOf : clientOf)(this.#context, flow, time));
  }

  #addedAs(to: Map<string | number, Tally>, key: string | number, subject: string): Tally | undefined {
    if (to.size >= FINDING_TALLIES) {
      this.#bounds.areReached = true;
      return undefined;
    }
    const isServer = to === this.#servers;
    const tally = new Tally(subject, to.size);
    to.set(key, tally);
    (isServer ? this.#bySubject : this.#byClient).set(subject, tally);
    return tally;
  }
}
