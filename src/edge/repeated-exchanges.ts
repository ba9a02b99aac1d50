import { isNotableFlow } from '../analyze/findings/notable.ts';
import type { AnalysisSink, FlowFacts, FlowIdentity, FlowInfo } from '../analyze/flow/flow-facts.ts';
import { type FoundWriter, isSameFlow } from '../analyze/found/found-writer.ts';
import type { PacketView } from '../analyze/packet/packet.ts';
import { observedAddresses } from '../analyze/protocols/dns/index.ts';
import { RecentMap } from '../analyze/recent-map.ts';
import type { AnalysisEvent, Exchange } from '../analyze/record/event.ts';
import { fieldsIn } from '../analyze/record/field-values.ts';
import { COLD_NS, LATE_NS, REPEATED_NS, requestIdHash, requestIdOf } from '../analyze/record/repeated-exchanges.ts';
import { ExchangeRow } from '../analyze/summary/exchange-rows.ts';

/** What was added up is sent at the latest so long after it began, milliseconds. */
export const DELTA_MS = 10_000;

/** Rows that wait, of all flows and of one; past them they are sent. Exchanges of one row: the hashes of their ids fit into a block. */
const ROWS_MAXIMUM = 4_096;
const ROWS_OF_FLOW_MAXIMUM = 32;
const COUNT_MAXIMUM = 4_096;

/** Rows of which one exchange has travelled, and servers whose first exchange is known; names that DNS gave to addresses. */
const SEEN_MAXIMUM = 16_384;

/** Protocols whose exchanges are looked at one by one: they name hosts, or have tables of their own. */
const SINGLE: ReadonlySet<string> = new Set('dns mdns llmnr tls quic icmp icmpv6 tcp udp sctp proxy socks'.split(' '));

/** Exchanges of one flow that differ in their times and bytes alone. */
interface Row {
  /** What all have in common, and the times of the last one. */
  last: Exchange;
  readonly class: number;
  /** Undefined as long as there is one alone. */
  row: ExchangeRow | undefined;
  readonly first: number;
  readonly ids: number[];
}

/** Rows of one flow that wait to be sent. */
interface Waiting {
  readonly flow: FlowIdentity;
  readonly rows: Row[];
}

/**
 * Adds up exchanges that are in order, by flow, and hands them on every few seconds; everything else at once, where it matters behind
 * what was added up of its flow. Of each kind of exchange between two hosts the first one travels alone, so that the client's rows are in the order of
 * the packets. Bounded: where much waits, all of it is sent.
 */
export class RepeatedSink implements AnalysisSink {
  readonly #found: FoundWriter;
  readonly #now: () => number;
  readonly #waiting = new Map<number, Waiting>();
  #rows = 0;
  #since = 0;
  /** When the earliest exchange of them began, ns. */
  #began = Number.POSITIVE_INFINITY;
  readonly #seen = new RecentMap<string, true>(SEEN_MAXIMUM);
  /** By server: when its first exchange began, ns. */
  readonly #servers = new RecentMap<number, number>(SEEN_MAXIMUM);
  readonly #names = new RecentMap<string, true>(SEEN_MAXIMUM);
  /** Called before an answer of DNS gives an address a name that it had not. */
  beforeNames: (() => void) | undefined;

  /** @param now the monotonic clock, milliseconds */
  constructor(found: FoundWriter, now: () => number) {
    this.#found = found;
    this.#now = now;
  }

  /** When the earliest of what waits began, at the latest; ns since the first packet, Infinity where nothing waits. */
  get since(): number {
    return this.#rows === 0 ? Number.POSITIVE_INFINITY : this.#began;
  }

  event(event: AnalysisEvent, flow: FlowIdentity): void {
    if (isInOrder(event) && this.#add(event, flow)) return;
    if (event.protocol === 'dns' && this.#isNewName(event)) {
      this.beforeNames?.();
      this.flush();
    } else if (needsEarlier(event)) this.flushFlow(flow.id);
    this.#found.event(event, flow);
  }

  /** Whether an exchange of a flow is in order, and not the first of its kind: it would be added to others. */
  isAddedUp(exchange: Exchange, flow: FlowIdentity): boolean {
    return isInOrder(exchange) && this.#seen.get(kindOf(exchange, flow, this.#classOf(exchange, flow))) === true;
  }

  flowEnded(flow: FlowInfo): void {
    this.flushFlow(flow.id);
    const facts = withoutUnused(flow.facts());
    this.#found.flowEnded({ ...identityOf(flow), facts: () => facts });
  }

  legJoined(flow: FlowInfo): void {
    this.flushFlow(flow.id);
    this.#found.legJoined(flow);
  }

  flowBegan(packet: PacketView): void {
    this.#found.flowBegan(packet);
  }

  leftAt(packet: PacketView): void {
    this.#found.leftAt(packet);
  }

  legShown(...shown: Parameters<FoundWriter['legShown']>): void {
    this.#found.legShown(...shown);
  }

  notOpened(...shown: Parameters<FoundWriter['notOpened']>): void {
    this.#found.notOpened(...shown);
  }

  /** Send what has waited for long enough. */
  tick(): void {
    if (this.#rows > 0 && this.#now() - this.#since >= DELTA_MS) this.flush();
  }

  /** Send all that waits. */
  flush(): void {
    for (const waiting of this.#waiting.values()) this.#send(waiting);
    this.#waiting.clear();
    this.#rows = 0;
  }

  /** Send what waits of a flow. */
  flushFlow(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    this.#rows -= waiting.rows.length;
    this.#send(waiting);
  }

  /** @returns whether the exchange waits now */
  #add(exchange: Exchange, flow: FlowIdentity): boolean {
    const requestId = requestIdOf(exchange);
    const kind = this.#classOf(exchange, flow);
    let waiting = this.#waiting.get(flow.id);
    if (waiting !== undefined && !isSameFlow(waiting.flow, flow)) {
      this.flushFlow(flow.id);
      waiting = undefined;
    }
    let row = waiting?.rows.find((one) => one.class === kind && isAlike(one.last, exchange));
    if (row === undefined) {
      if (!this.#hasTravelled(exchange, flow, kind)) return false;
      if ((waiting?.rows.length ?? 0) >= ROWS_OF_FLOW_MAXIMUM) {
        this.flushFlow(flow.id);
        waiting = undefined;
      }
      if (this.#rows >= ROWS_MAXIMUM) {
        this.flush();
        waiting = undefined;
      }
      if (this.#rows === 0) {
        this.#since = this.#now();
        this.#began = exchange.time;
      }
      row = { last: exchange, class: kind, row: undefined, first: exchange.time, ids: [] };
      if (waiting === undefined) {
        waiting = { flow: identityOf(flow), rows: [] };
        this.#waiting.set(flow.id, waiting);
      }
      waiting.rows.push(row);
      this.#rows += 1;
    } else {
      if (row.row === undefined) {
        row.row = new ExchangeRow();
        row.row.add(row.last);
      }
      row.row.add(exchange);
    }
    this.#began = Math.min(this.#began, exchange.time);
    // One alone travels as it is, with its id.
    row.last = bare(exchange, row.row === undefined ? requestId : '');
    if (requestId !== '') row.ids.push(requestIdHash(requestId));
    if ((row.row?.count ?? 0) >= COUNT_MAXIMUM) this.flushFlow(flow.id);
    return true;
  }

  /** Exchanges of different classes are not added up: late ones, and those of a server that has just begun. */
  #classOf({ time, requestEnd, responseTime = requestEnd }: Exchange, { serverHost }: FlowIdentity): number {
    const began = this.#servers.get(serverHost) ?? time;
    return (responseTime - requestEnd >= LATE_NS ? 1 : 0) + (time - began > COLD_NS ? 2 : 0);
  }

  /** Whether one exchange of its kind has travelled alone before; else it does now. */
  #hasTravelled(exchange: Exchange, flow: FlowIdentity, kind: number): boolean {
    const { serverHost } = flow;
    if (this.#servers.get(serverHost) === undefined) this.#servers.set(serverHost, exchange.time);
    const key = kindOf(exchange, flow, kind);
    if (this.#seen.get(key) === true) return true;
    this.#seen.set(key, true);
    return false;
  }

  /** Whether an answer of DNS gives an address a name that it had not: what came before is to be counted under the earlier one. */
  #isNewName(event: AnalysisEvent): boolean {
    let isNew = false;
    for (const { address, name } of observedAddresses(event)) {
      const key = `${address} ${name}`;
      if (this.#names.get(key) === true) continue;
      this.#names.set(key, true);
      isNew = true;
    }
    return isNew;
  }

  #send({ flow, rows }: Waiting): void {
    for (const { last, row, first, ids } of rows) {
      if (row === undefined) {
        this.#found.event(last, flow);
        continue;
      }
      const { counts, times } = row.state();
      const { count = 1, requestBytes = 0, responseBytes = 0 } = counts;
      this.#found.repeated({ exchange: last, count, first, requestBytes, responseBytes, times, requestIds: ids }, flow);
    }
  }
}

/** By which exchanges are of one kind. */
function kindOf(exchange: Exchange, { clientHost, serverHost, interfaceId }: FlowIdentity, kind: number): string {
  const { protocol, route, status, requester, probe } = exchange;
  return `${clientHost} ${serverHost} ${interfaceId} ${kind} ${requester} ${probe} ${protocol} ${status} ${route}`;
}

/**
 * Whether what came before it in its flow has to be known: how long a connection was idle before a request that got no response, and
 * whether an attempt of a request that failed is the first one.
 */
function needsEarlier(event: AnalysisEvent): boolean {
  if (event.kind !== 'exchange' || event.incomplete !== undefined) return true;
  return (event.failed || event.status === '429') && requestIdOf(event) !== '';
}

/** Complete, not failed or refused, soon over, and its four times in their order. */
function isInOrder(event: AnalysisEvent): event is Exchange {
  if (event.kind !== 'exchange' || event.failed || event.incomplete !== undefined) return false;
  if (event.status.charCodeAt(0) === 0x34 || SINGLE.has(event.protocol)) return false;
  const { time, requestEnd, responseTime, responseEnd, fields } = event;
  if (responseTime === undefined || responseEnd === undefined) return false;
  if (requestEnd < time || responseTime < requestEnd || responseEnd < responseTime) return false;
  // What leads through a proxy is counted where it leads to.
  return responseEnd - time < REPEATED_NS && fields.connect === undefined && fields.socks === undefined;
}

function isAlike(one: Exchange, other: Exchange): boolean {
  return (
    one.route === other.route &&
    one.status === other.status &&
    one.protocol === other.protocol &&
    one.probe === other.probe &&
    one.requester === other.requester
  );
}

/** Without what no count looks at. */
function bare(exchange: Exchange, requestId: string): Exchange {
  const { kind, protocol, requester, status, failed, route, probe } = exchange;
  const { time, requestEnd, responseTime, responseEnd, requestBytes, responseBytes } = exchange;
  const version = fieldsIn(exchange.fields.http)?.version;
  const http = { ...(version === undefined ? {} : { version }), ...(requestId === '' ? {} : { requestId }) };
  return {
    kind,
    protocol,
    label: '',
    route,
    status,
    failed,
    ...(requester === undefined ? {} : { requester }),
    ...(probe === undefined ? {} : { probe }),
    time,
    requestEnd,
    responseTime,
    responseEnd,
    requestBytes,
    responseBytes,
    fields: Object.keys(http).length === 0 ? {} : { http },
  };
}

/** Round trips are looked at where a connection is out of the ordinary, or one of the worst; setup, packets and bytes always. */
function withoutUnused(facts: FlowFacts): FlowFacts {
  const { tcp } = facts;
  if (tcp === undefined || isNotableFlow(facts) || tcp.client.windowFull + tcp.server.windowFull > 0) return facts;
  return { ...facts, tcp: { ...tcp, handshakeRtt: undefined, rtt: { client: undefined, server: undefined } } };
}

/** What a flow's view shows now, to be kept. */
export function identityOf(flow: FlowIdentity): FlowIdentity {
  const { id, transport, continued, clientHost, serverHost, clientPort, serverPort, interfaceId, sameAs, redirect } =
    flow;
  return { id, transport, continued, clientHost, serverHost, clientPort, serverPort, interfaceId, sameAs, redirect };
}
