import type { AlikeExchanges, AlikeSums, AlikeTaker } from '../analyze/flow/alike.ts';
import type { FlowIdentity, FlowInfo } from '../analyze/flow/flow-facts.ts';
import type { FoundWriter } from '../analyze/found/found-writer.ts';
import { FINDING_EXAMPLES } from '../analyze/limits.ts';
import { RecentMap } from '../analyze/recent-map.ts';
import type { AnalysisEvent, Exchange } from '../analyze/record/event.ts';
import { fieldsIn } from '../analyze/record/field-values.ts';
import { CountedAlike } from '../analyze/summary/alike-exchanges.ts';
import { Histogram } from '../analyze/summary/histogram.ts';
import { LastLookups } from './last-lookups.ts';
import { DELTA_MS, identityOf } from './repeated-exchanges.ts';

/** Rows that wait; past them they are sent. */
const ROWS_MAXIMUM = 4_096;

/** Clients of which it is remembered which flows had a name that does not exist: the first FINDING_EXAMPLES are shown by findings. */
const MISSING_CLIENTS = 4_096;
const MISSING = 'NXDOMAIN';

/** Flows have the same hosts as long as the agent runs. */
const UNNAMED = { version: 0, ofHost: () => undefined };

/** Exchanges between two hosts that differ in their flows, times and bytes alone. */
interface Row {
  /** Of one that has travelled. */
  readonly flow: FlowIdentity;
  readonly exchange: Exchange;
  requestBytes: number;
  responseBytes: number;
  latencies: Histogram;
  /** When the latest request was sent, ns. */
  last: number;
}

/**
 * Adds up exchanges of DNS that are in order, of all flows between two hosts, and hands them on every few seconds. The first of each kind
 * travels alone, as CountedAlike has it. Only while no other agent is part of the capture: where a flow counts is decided by flow.
 */
export class RepeatedLookups implements AlikeExchanges {
  readonly #found: FoundWriter;
  readonly #now: () => number;
  readonly #counted = new CountedAlike(UNNAMED, (event, flow) => this.#takerOf(event, flow));
  /** Of which something waits. */
  readonly #rows = new Set<Row>();
  readonly #lasts = new LastLookups<Row>();
  /** By client: the first flows with a name that does not exist, which have travelled. */
  readonly #missing = new RecentMap<number, Set<number>>(MISSING_CLIENTS);
  #since = 0;
  /** When the earliest exchange that waits began, ns; Infinity where none does. */
  #began = Number.POSITIVE_INFINITY;

  /** @param now the monotonic clock, milliseconds */
  constructor(found: FoundWriter, now: () => number) {
    this.#found = found;
    this.#now = now;
  }

  /** When the earliest of what waits began, ns since the first packet, Infinity where nothing waits. */
  get since(): number {
    return this.#began;
  }

  add(
    kind: number,
    flow: FlowInfo,
    time: number,
    latency: number,
    requestBytes: number,
    responseBytes: number,
  ): boolean {
    if (!this.#counted.add(kind, flow, time, latency, requestBytes, responseBytes)) return false;
    if (this.#began === Number.POSITIVE_INFINITY) this.#since = this.#now();
    if (time < this.#began) this.#began = time;
    return true;
  }

  learn(kind: number, event: Exchange, flow: FlowInfo): void {
    this.#counted.learn(kind, event, flow);
  }

  /** An event of a flow travels next. */
  before(event: AnalysisEvent, flow: FlowIdentity): void {
    if (event.kind !== 'exchange' || event.protocol !== 'dns') return;
    // Whether a query was lost shows the one that was sent with it.
    if (event.incomplete !== undefined || fieldsIn(event.fields.dns)?.retransmissions !== undefined) {
      this.#counted.count();
      this.sendLast(flow);
    }
    this.#lasts.forget(flow.id);
  }

  /** Send the last exchange of a flow, which may be one that was added up: an event of the flow may come. */
  sendLast(flow: FlowIdentity): void {
    const last = this.#lasts.of(flow.id);
    if (last !== undefined) this.#found.lastOfFlow(exchangeOf(last.row, last.time, last.latency), flow);
  }

  /** Send what has waited for long enough. */
  tick(): void {
    if (this.#began !== Number.POSITIVE_INFINITY && this.#now() - this.#since >= DELTA_MS) this.flush();
  }

  /** Send all that waits. */
  flush(): void {
    this.#counted.count();
    this.#sendRows();
    this.#began = Number.POSITIVE_INFINITY;
  }

  #takerOf(event: Exchange, flow: FlowInfo): AlikeTaker | undefined {
    if (event.failed || event.incomplete !== undefined || event.protocol !== 'dns') return undefined;
    if (event.status === MISSING && !this.#areShown(flow)) return undefined;
    const row: Row = {
      flow: identityOf(flow),
      exchange: bare(event),
      requestBytes: 0,
      responseBytes: 0,
      latencies: new Histogram(),
      last: 0,
    };
    const counted = (sums: AlikeSums) => this.#add(row, sums);
    if (event.route !== 'A' && event.route !== 'AAAA') return { counted };
    return { counted, lastOfFlow: (id, time, latency) => this.#lasts.set(id, row, time, latency) };
  }

  #add(row: Row, sums: AlikeSums): void {
    if (this.#rows.size >= ROWS_MAXIMUM && !this.#rows.has(row)) this.#sendRows();
    this.#rows.add(row);
    row.requestBytes += sums.requestBytes;
    row.responseBytes += sums.responseBytes;
    row.latencies.recordAll(sums);
    row.last = sums.last;
  }

  /** Whether enough flows of a client have travelled with a name that does not exist: else this one does. */
  #areShown({ id, clientHost }: FlowIdentity): boolean {
    const flows = this.#missing.get(clientHost) ?? new Set();
    if (flows.size < FINDING_EXAMPLES) this.#missing.set(clientHost, flows.add(id));
    return flows.size >= FINDING_EXAMPLES;
  }

  #sendRows(): void {
    for (const row of this.#rows) this.#send(row);
    this.#rows.clear();
  }

  #send(row: Row): void {
    const { flow, latencies, requestBytes, responseBytes, last } = row;
    const exchange = exchangeOf(row, last, undefined);
    // What waits began then, at the earliest.
    const first = Math.min(this.#began, last);
    const times = { twoPackets: latencies.buckets() };
    const sums = { count: latencies.count, first, requestBytes, responseBytes, times, requestIds: [] };
    this.#found.lookups({ exchange, ...sums }, flow);
    row.requestBytes = 0;
    row.responseBytes = 0;
    row.latencies = new Histogram();
  }
}

/** @param time of its request @param latency from then to its response, ns; undefined for that of several */
function exchangeOf({ exchange }: Row, time: number, latency: number | undefined): Exchange {
  const responseEnd = latency === undefined ? undefined : time + latency;
  return { ...exchange, time, requestEnd: time, responseTime: responseEnd, responseEnd };
}

/** Without what differs: the addresses have travelled. */
function bare(exchange: Exchange): Exchange {
  const { name, type, rcode } = fieldsIn(exchange.fields.dns) ?? {};
  return { ...exchange, fields: { dns: { name, type, rcode } } };
}
