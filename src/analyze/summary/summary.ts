import type { AlikeTaker } from '../flow/alike.ts';
import type { AnalysisSink, FlowFacts, FlowIdentity, FlowInfo, Transport } from '../flow/flow-facts.ts';
import type { RepeatedConnections } from '../flow/repeated-connections.ts';
import type { Hosts } from '../identity/hosts.ts';
import type { Identity } from '../identity/identity.ts';
import type { Names } from '../identity/names.ts';
import { isSidecarAddress } from '../identity/sidecar-address.ts';
import { type AnalysisEvent, type Exchange, SIDE } from '../record/event.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import type { Recorder } from '../record/record.ts';
import type { RepeatedExchanges } from '../record/repeated-exchanges.ts';
import { CallerRows, KUBELET } from './caller-rows.ts';
import { connectionAsExchange, connectionFailure } from './connection-exchange.ts';
import { CONNECTION, ExchangeRow, ExchangeRows, PROBE_ROUTE } from './exchange-rows.ts';
import { KEY_SEPARATOR, KeyedRows } from './keyed-rows.ts';
import { makeReport } from './make-report.ts';
import type { SummaryReport } from './report.ts';
import { TcpHealth } from './tcp-health.ts';
import type { SummaryTotals } from './totals.ts';
import { totalsOf } from './totals-of-summary.ts';

/** A server: its identity, or the number of a host that has no name. */
export type Server = Identity | number;

/** Who asks: as a server, or kubelet with its probes, whose address has no name. */
export type Client = Server | typeof KUBELET;

/** Servers whose first sighting is remembered, and pods; twice what has rows. */
const SIGHTED_MAXIMUM = 8192;

/** The code of a refused connection. */
const REFUSED = 'TCP_REFUSED';

/** Open flows of which it is remembered that they were refused, or that kubelet uses them. */
const FLOWS_MAXIMUM = 65_536;

/** A host of the analysis at a time, ns, on an interface. */
interface Sighted {
  readonly host: number;
  readonly time: number;
  readonly interfaceId: number;
}

/** Adds up what the analysis finds. Its memory is bounded by the number of rows, whatever comes. */
export class Summary implements AnalysisSink {
  readonly exchanges = new ExchangeRows<Server>();
  /** Of connections that are the other leg of one that is in `exchanges`: a pod's own, and counted nowhere else. */
  readonly otherLegs = new ExchangeRows<Server>();
  /** Who called whom: the same exchanges as `exchanges`. */
  readonly callers = new CallerRows<Client, Server>();
  /** Connections, those that failed before any exchange and all others of the same server: of how many they are. */
  readonly connections = new ExchangeRows<Server>();
  readonly connectionCallers = new CallerRows<Client, Server>();
  /** By label: `A web.shop.svc.cluster.local`. */
  readonly dns = new KeyedRows();
  /** By server name and version. */
  readonly tls = new KeyedRows();
  readonly tcp = new TcpHealth<Server>();
  readonly messages = new Map<string, { count: number; bytes: number }>();
  readonly events = new Map<
    string,
    { readonly protocol: string; readonly code: string; failed: boolean; count: number }
  >();
  readonly flows: Partial<Record<Transport, number>> = {};
  readonly hosts: Hosts;
  readonly #names: Names;
  /** Where each server was first seen, so that it can be named by what is known of it in the end. */
  readonly #seen = new Map<Server, Sighted>();
  /** The last two that were looked up: a client and its server, most often. */
  #lastIdentified: Server = -1;
  #identifiedBefore: Server = -1;
  /** Numbers of open flows whose refusal was counted. */
  readonly #refusals = new Set<number>();
  /** Numbers of open flows that had a probe of kubelet's. */
  readonly #probes = new Set<number>();
  /** Pods that had a flow: `shop/web-1`. */
  readonly #active = new Set<string>();

  constructor(hosts: Hosts, names: Names) {
    this.hosts = hosts;
    this.#names = names;
  }

  event(event: AnalysisEvent, flow: FlowIdentity): void {
    if (event.kind === 'exchange') {
      if (flow.sameAs !== undefined) {
        this.otherLegs.add(this.serverOf(event, flow), event);
        return;
      }
      const server = this.serverOf(event, flow);
      if (event.probe === true && flow.transport === 'tcp') remember(this.#probes, flow.id);
      this.exchanges.add(server, event.probe === true ? ofKubelet(event) : event);
      this.callers.add(this.clientOf(event, flow), server, event);
      if (event.protocol === 'dns') this.dns.add(event.label, event);
      else if (event.protocol === 'tls') this.tls.add(tlsKey(event), event);
      return;
    }
    // Before and behind a Service the same is seen twice.
    if (flow.sameAs !== undefined) return;
    if (event.kind === 'message') {
      let row = this.messages.get(event.protocol);
      if (row === undefined) {
        row = { count: 0, bytes: 0 };
        this.messages.set(event.protocol, row);
      }
      row.count += 1;
      row.bytes += event.bytes;
      return;
    }
    let row = this.events.get(event.code);
    if (row === undefined) {
      row = { protocol: event.protocol, code: event.code, failed: false, count: 0 };
      this.events.set(event.code, row);
    }
    row.count += 1;
    if (event.failed) row.failed = true;
    if (event.code === REFUSED) remember(this.#refusals, flow.id);
  }

  /** Exchanges that an analysis beside an agent has added up, of any protocol but TLS. */
  repeated(repeated: RepeatedExchanges, flow: FlowIdentity): void {
    const { exchange } = repeated;
    const row = ExchangeRow.of(repeated);
    const server = this.serverOf(exchange, flow);
    if (flow.sameAs !== undefined) {
      this.otherLegs.addRow(server, exchange, row);
      return;
    }
    if (exchange.probe === true && flow.transport === 'tcp') remember(this.#probes, flow.id);
    this.exchanges.addRow(server, exchange.probe === true ? ofKubelet(exchange) : exchange, row);
    this.callers.addRow(this.clientOf(exchange, flow), server, exchange.protocol, row);
    if (exchange.protocol === 'dns') this.dns.of(exchange.label).merge(row);
  }

  /** Adds further exchanges to what one was added to. */
  takerOf(event: Exchange, flow: FlowIdentity): AlikeTaker | undefined {
    if (event.protocol !== 'dns' || event.probe === true || flow.sameAs !== undefined) return undefined;
    const server = this.serverOf(event, flow);
    const row = this.exchanges.of(server, event);
    const caller = this.callers.of(this.clientOf(event, flow), server, event);
    const name = this.dns.of(event.label);
    return {
      counted: (sums) => {
        row.addAll(event, sums);
        caller.addAll(event, sums);
        name.addAll(event, sums);
      },
    };
  }

  /** A server's RST is seen behind a Service first, and before the Service later: only then are both known to be one connection. */
  #forgetRefusal({ id, sameAs }: FlowIdentity): void {
    if (!this.#refusals.delete(id) || sameAs === undefined) return;
    const row = this.events.get(REFUSED);
    if (row === undefined) return;
    row.count -= 1;
    if (row.count === 0) this.events.delete(REFUSED);
  }

  flowEnded(flow: FlowInfo): void {
    this.#forgetRefusal(flow);
    if (flow.continued) return;
    this.#count(flow.transport);
    this.#sawPods(flow);
    if (flow.transport === 'tcp') this.#connectionEnded(flow.facts());
  }

  /** As flowEnded, of so many flows of datagrams that an analysis beside an agent has added up. */
  flowsEnded(count: number, flow: FlowIdentity): void {
    this.#count(flow.transport, count);
    this.#sawPods(flow);
  }

  /** The same of facts that were kept. */
  factsEnded(facts: FlowFacts): void {
    this.#forgetRefusal(facts);
    if (facts.continued) return;
    this.#count(facts.transport);
    this.#sawPods(facts);
    this.#connectionEnded(facts);
  }

  /** As flowEnded, of connections in order that an analysis beside an agent has added up. */
  connectionsEnded({ opened }: RepeatedConnections, flow: FlowInfo): void {
    this.#count(flow.transport, opened.count);
    this.#sawPods(flow);
    const isProbe = this.#probes.delete(flow.id);
    if (flow.sameAs !== undefined) return;
    const facts = flow.facts();
    const row = ExchangeRow.of(opened);
    const server = this.#answering(this.#identified(facts.serverHost, facts.first, facts.interfaceId), facts);
    this.tcp.addInOrder(server, facts, opened.count, row.latency);
    this.connections.addRow(server, opened.exchange, row);
    const client = isProbe ? KUBELET : this.#identified(facts.clientHost, facts.first, facts.interfaceId);
    this.connectionCallers.addRow(client, server, CONNECTION, row);
  }

  #count(transport: Transport, count = 1): void {
    this.flows[transport] = (this.flows[transport] ?? 0) + count;
  }

  #connectionEnded(facts: FlowFacts): void {
    const isProbe = this.#probes.delete(facts.id);
    if (facts.tcp === undefined || facts.sameAs !== undefined) return;
    const server = this.#answering(this.#identified(facts.serverHost, facts.first, facts.interfaceId), facts);
    this.tcp.add(server, facts, facts.tcp);
    const failure = connectionFailure(facts, facts.tcp);
    if (failure === undefined && facts.tcp.midstream) return;
    const connection = connectionAsExchange(facts, facts.tcp, failure);
    this.connections.add(server, connection);
    const client = isProbe ? KUBELET : this.#identified(facts.clientHost, facts.first, facts.interfaceId);
    this.connectionCallers.add(client, server, connection);
  }

  /**
   * What was found so far.
   * @param span of the analysis' packets: ns since the first one; undefined when there was none
   */
  report(recorder: Recorder, span: { readonly first: number; readonly last: number } | undefined): SummaryReport {
    return makeReport(this.totals(recorder, span));
  }

  /** What was found so far, by the names that are known now: to be reported, saved or added to other totals. @param span as for `report` */
  totals(recorder: Recorder, span: { readonly first: number; readonly last: number } | undefined): SummaryTotals {
    return totalsOf(this, recorder, span);
  }

  /** Who answers, as rows have it. */
  serverOf(exchange: Exchange, flow: FlowIdentity): Server {
    const host = exchange.requester === SIDE.server ? flow.clientHost : flow.serverHost;
    const server = this.#answering(this.#identified(host, exchange.time, flow.interfaceId), flow);
    if (flow.sameAs === undefined || exchange.requester === SIDE.server || typeof server !== 'object') return server;
    return this.#names.serving(server, this.#names.ofHost(flow.sameAs.serverHost, exchange.time, -1)) ?? server;
  }

  /** What a pod's own sidecar requests of its program was requested of the pod before: it is counted apart. */
  #answering(server: Server, { clientHost }: FlowIdentity): Server {
    const isBySidecar = clientHost >= 0 && isSidecarAddress(this.hosts.text(clientHost));
    return isBySidecar && typeof server === 'object' ? this.#names.programOf(server) : server;
  }

  /** Who asks. */
  clientOf(exchange: Exchange, flow: FlowIdentity): Client {
    if (exchange.probe === true) return KUBELET;
    const host = exchange.requester === SIDE.server ? flow.serverHost : flow.clientHost;
    return this.#identified(host, exchange.time, flow.interfaceId);
  }

  #identified(host: number, time: number, interfaceId: number): Server {
    const server = this.#names.ofHost(host, time, interfaceId) ?? host;
    if (server !== this.#lastIdentified && server !== this.#identifiedBefore) {
      this.#identifiedBefore = this.#lastIdentified;
      this.#lastIdentified = server;
      if (this.#seen.size < SIGHTED_MAXIMUM && !this.#seen.has(server)) {
        this.#seen.set(server, { host, time, interfaceId });
      }
    }
    return server;
  }

  /**
   * A server by what is known of it now: an address that got its name, or a pod of which the Service became known, only
   * after its first exchanges has one name in all rows.
   */
  resolved(server: Server): Server {
    const pod = typeof server === 'object' ? this.#names.podOfProgram(server) : undefined;
    if (pod !== undefined) {
      const known = this.resolved(pod);
      return typeof known === 'object' ? this.#names.programOf(known) : server;
    }
    const seen = this.#seen.get(server);
    return seen === undefined ? server : (this.#names.ofHost(seen.host, seen.time, seen.interfaceId) ?? server);
  }

  /** Pods that are captured. */
  capturedPods(): Identity[] {
    return this.#names.capturedPods();
  }

  /** Pods that had a flow: `shop/web-1`. */
  get activePods(): ReadonlySet<string> {
    return this.#active;
  }

  #sawPods({ clientHost, serverHost, interfaceId }: FlowIdentity): void {
    for (const identity of [
      this.#names.ofHost(clientHost, Number.POSITIVE_INFINITY, interfaceId),
      this.#names.ofHost(serverHost, Number.POSITIVE_INFINITY, interfaceId),
      this.#names.ofInterface(interfaceId),
    ]) {
      if (identity?.pod !== undefined && this.#active.size < SIGHTED_MAXIMUM) this.#active.add(identity.text);
    }
  }
}

/** Adds the number of a flow; where there are too many, the oldest is forgotten. */
function remember(flows: Set<number>, id: number): void {
  flows.add(id);
  if (flows.size <= FLOWS_MAXIMUM) return;
  const [oldest] = flows;
  if (oldest !== undefined) flows.delete(oldest);
}

function ofKubelet(exchange: Exchange): Exchange {
  return { ...exchange, route: exchange.route + PROBE_ROUTE };
}

/** Once per connection: a text may be made. */
function tlsKey(event: Exchange): string {
  const tls = fieldsIn(event.fields.tls);
  return textIn(tls?.sni) + KEY_SEPARATOR + textIn(tls?.version);
}
