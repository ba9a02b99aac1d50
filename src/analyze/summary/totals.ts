import type { Transport } from '../flow/flow-facts.ts';
import { CallerRow } from './caller-rows.ts';
import { ExchangeRow, OTHER } from './exchange-rows.ts';
import { type Addable, Groups } from './groups.ts';
import type {
  CallerStats,
  DnsStats,
  PodStats,
  RouteStats,
  ServiceStats,
  TcpServerStats,
  TlsStats,
  WorstFlow,
} from './report.ts';
import { TcpRow, WORST_FLOWS } from './tcp-health.ts';
import { compareTexts } from './texts.ts';

/** Rows of each table of totals that were added up from several; past it the least frequent are added to the row `other`. */
export const TOTALS_ROWS = 8192;
/** Pods of which it is known that they were captured, and that they had a flow, of several totals. */
export const TOTALS_PODS = 16_384;
/** Codes of events, and protocols of messages. */
export const TOTALS_CODES = 1024;

export type ServiceHead = Pick<ServiceStats, 'service' | 'protocol'>;
export type RouteHead = Pick<RouteStats, 'service' | 'protocol' | 'route'>;
export type PodHead = Pick<PodStats, 'pod' | 'service' | 'protocol'>;
export type CallerHead = Pick<CallerStats, 'client' | 'service' | 'protocol'>;
export type DnsHead = Pick<DnsStats, 'type' | 'name'>;
export type TlsHead = Pick<TlsStats, 'sni' | 'version'>;
export type TcpHead = Pick<TcpServerStats, 'server' | 'port'>;

/** A connection with trouble, and how much. */
export interface TroubledFlow {
  readonly trouble: number;
  readonly record: WorstFlow;
}

const exchangeRow = () => new ExchangeRow();

/** The tables of totals: rows by the names that people are shown. @param maximum rows of each; the rest goes into rows of all others */
function tablesOfTotals(maximum: number) {
  const other = <Head>(head: Head) => ({ maximum, other: head });
  return {
    services: new Groups<ServiceHead, ExchangeRow>(exchangeRow, other({ service: OTHER, protocol: OTHER })),
    /** Connections are routes of the protocol `tcp`. */
    routes: new Groups<RouteHead, ExchangeRow>(exchangeRow, other({ service: OTHER, protocol: OTHER, route: OTHER })),
    pods: new Groups<PodHead, ExchangeRow>(exchangeRow, other({ pod: OTHER, service: undefined, protocol: OTHER })),
    callers: new Groups<CallerHead, CallerRow>(
      () => new CallerRow(),
      other({ client: OTHER, service: OTHER, protocol: OTHER }),
    ),
    dns: new Groups<DnsHead, ExchangeRow>(exchangeRow, other({ type: undefined, name: OTHER })),
    tls: new Groups<TlsHead, ExchangeRow>(exchangeRow, other({ sni: OTHER, version: undefined })),
    tcp: new Groups<TcpHead, TcpRow>(() => new TcpRow(), other({ server: OTHER, port: 0 })),
  } as const;
}

export type TotalsTables = ReturnType<typeof tablesOfTotals>;

/**
 * What summaries have counted, by names in place of addresses: totals of several captures add up to those of one analysis that reads
 * all of them, in any order, as long as no bound is reached.
 */
export class SummaryTotals {
  /** Times of the first and the last packet, ns since 1970; undefined when there was none. */
  span: { readonly first: bigint; readonly last: bigint } | undefined;
  readonly flows = new Map<Transport, number>();
  readonly tables: TotalsTables;
  readonly messages = new Map<string, { count: number; bytes: number }>();
  readonly events = new Map<string, { protocol: string; code: string; failed: boolean; count: number }>();
  /** Captured pods and their Services, and pods that had a flow. */
  readonly captured = new Map<string, string | undefined>();
  readonly active = new Set<string>();
  #worst: TroubledFlow[] = [];

  /** @param rows of each table at most: a summary's own rows are bounded already */
  constructor(rows = TOTALS_ROWS) {
    this.tables = tablesOfTotals(rows);
  }

  /** Worst first. */
  get worst(): readonly TroubledFlow[] {
    return this.#worst;
  }

  addSpan(span: { readonly first: bigint; readonly last: bigint } | undefined): void {
    if (span === undefined) return;
    const { first, last } = this.span ?? span;
    this.span = { first: span.first < first ? span.first : first, last: span.last > last ? span.last : last };
  }

  addFlows(transport: Transport, count: number): void {
    this.flows.set(transport, (this.flows.get(transport) ?? 0) + count);
  }

  addMessages(protocol: string, count: number, bytes: number): void {
    const name = this.messages.has(protocol) || this.messages.size < TOTALS_CODES ? protocol : OTHER;
    const row = this.messages.get(name) ?? { count: 0, bytes: 0 };
    this.messages.set(name, { count: row.count + count, bytes: row.bytes + bytes });
  }

  /** @param event how often it happened since what was added before */
  addEvent({ protocol, code, failed, count }: SummaryEvent): void {
    const name = this.events.has(code) || this.events.size < TOTALS_CODES ? code : OTHER;
    const row = this.events.get(name) ?? { protocol, code: name, failed: false, count: 0 };
    row.count += count;
    if (failed) row.failed = true;
    if (row.count > 0) this.events.set(name, row);
    else this.events.delete(name);
  }

  addWorst(flows: readonly TroubledFlow[]): void {
    this.#worst = [...this.#worst, ...flows].sort(byTrouble).slice(0, WORST_FLOWS);
  }

  addPods(captured: Iterable<readonly [pod: string, service: string | undefined]>, active: Iterable<string>): void {
    for (const [pod, service] of captured) {
      // A Service that is known only in another part.
      if (this.captured.size < TOTALS_PODS || this.captured.has(pod)) {
        this.captured.set(pod, largerText(this.captured.get(pod), service));
      }
    }
    for (const pod of active) if (this.active.size < TOTALS_PODS) this.active.add(pod);
  }

  /** Add what others have counted. */
  merge(other: SummaryTotals): void {
    this.addSpan(other.span);
    for (const [transport, count] of other.flows) this.addFlows(transport, count);
    mergeGroups(this.tables.services, other.tables.services);
    mergeGroups(this.tables.routes, other.tables.routes);
    mergeGroups(this.tables.pods, other.tables.pods);
    mergeGroups(this.tables.callers, other.tables.callers);
    mergeGroups(this.tables.dns, other.tables.dns);
    mergeGroups(this.tables.tls, other.tables.tls);
    mergeGroups(this.tables.tcp, other.tables.tcp);
    for (const [protocol, { count, bytes }] of other.messages) this.addMessages(protocol, count, bytes);
    for (const event of other.events.values()) this.addEvent(event);
    this.addWorst(other.worst);
    this.addPods(other.captured, other.active);
  }
}

export interface SummaryEvent {
  readonly protocol: string;
  readonly code: string;
  readonly failed: boolean;
  readonly count: number;
}

function mergeGroups<Head, Row extends Addable<Row>>(to: Groups<Head, Row>, from: Groups<Head, Row>): void {
  const incoming = Array.from(from.values(), ({ head, row, missed }) => ({
    head,
    missed,
    addTo: (own: Row) => own.merge(row),
  }));
  to.take(incoming, from.floor);
}

/** The same in whatever order two texts come. */
function largerText(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

/** An order that does not depend on the order in which flows came. */
function byTrouble(a: TroubledFlow, b: TroubledFlow): number {
  const [one, two] = [a.record, b.record];
  return (
    b.trouble - a.trouble ||
    compareTexts(one.time, two.time) ||
    (one.src?.port ?? 0) - (two.src?.port ?? 0) ||
    (one.dst?.port ?? 0) - (two.dst?.port ?? 0) ||
    compareTexts(JSON.stringify(one), JSON.stringify(two))
  );
}
