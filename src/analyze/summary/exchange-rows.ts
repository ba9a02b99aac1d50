import type { AlikeSums } from '../flow/alike.ts';
import type { Exchange } from '../record/event.ts';
import { REPEATED_TIMES, type RepeatedExchanges } from '../record/repeated-exchanges.ts';
import { Histogram } from './histogram.ts';
import { addTimes, type RowState, timesState } from './row-state.ts';
import { statusCode } from './status-code.ts';
import { compareTexts } from './texts.ts';

/** Rows by server, protocol and route; past it exchanges are counted in the row `other`. */
export const ROWS_MAXIMUM = 4096;
/** Rows of one server and protocol. */
export const ROUTES_PER_SERVER = 256;
/** Statuses of one row, and characters of each. */
export const STATUSES_PER_ROW = 16;
export const STATUS_WIDTH = 80;

/** What rows beyond a bound are called. */
export const OTHER = 'other';

/** The protocol of rows of connections: shown where some failed before any exchange. */
export const CONNECTION = 'tcp';

/** What stands behind the route of kubelet's probes: they have rows of their own, the last ones. */
export const PROBE_ROUTE = ' (kubelet)';

interface StatusCount {
  readonly status: string;
  count: number;
}

/** What a row's state may have. */
export const EXCHANGE_COUNTS = ['count', 'failed', 'incomplete', 'requestBytes', 'responseBytes'] as const;
export const EXCHANGE_TIMES = REPEATED_TIMES;
type ExchangeTime = (typeof EXCHANGE_TIMES)[number];

/** What was counted of one route of one server, or of several together. */
export class ExchangeRow {
  count = 0;
  failed = 0;
  incomplete = 0;
  requestBytes = 0;
  responseBytes = 0;
  /** Of complete exchanges: the whole, to the response's first byte, from the request's last byte to that. */
  readonly #latency = new Histogram();
  /** Of requests that came in one packet: from that to the response's first byte, which is both of the others. */
  readonly #firstByte = new Histogram();
  readonly #ttfb = new Histogram();
  readonly #serverTime = new Histogram();
  /** Of exchanges of two packets, one each way: all three of these times are one. */
  readonly #twoPackets = new Histogram();
  readonly #statuses = new Map<string, StatusCount>();
  #last: StatusCount = { status: '', count: 0 };

  /** Exchanges that were added up elsewhere. */
  static of({ exchange, count, requestBytes, responseBytes, times }: RepeatedExchanges): ExchangeRow {
    const row = new ExchangeRow();
    const statuses = [[statusCode(exchange), count]] as const;
    row.addState({ counts: { count, requestBytes, responseBytes }, times, statuses });
    return row;
  }

  get latency(): Histogram {
    return together(this.#latency, this.#twoPackets);
  }

  get ttfb(): Histogram {
    return together(together(this.#ttfb, this.#firstByte), this.#twoPackets);
  }

  get serverTime(): Histogram {
    return together(together(this.#serverTime, this.#firstByte), this.#twoPackets);
  }

  add(exchange: Exchange): void {
    this.count += 1;
    if (exchange.failed) this.failed += 1;
    this.requestBytes += exchange.requestBytes;
    this.responseBytes += exchange.responseBytes;
    if (exchange.incomplete !== undefined) this.incomplete += 1;
    if (exchange.incomplete === undefined) this.#addTimes(exchange);
    if (exchange.incomplete === undefined && exchange.status === this.#last.status) this.#last.count += 1;
    else this.#addStatus(statusCode(exchange), 1);
  }

  /** Add complete exchanges of two packets, one each way, that are as another one. */
  addAll(other: Exchange, sums: AlikeSums): void {
    this.count += sums.count;
    if (other.failed) this.failed += sums.count;
    this.requestBytes += sums.requestBytes;
    this.responseBytes += sums.responseBytes;
    this.#twoPackets.recordAll(sums);
    this.#addStatus(statusCode(other), sums.count);
  }

  merge(other: ExchangeRow): void {
    this.count += other.count;
    this.failed += other.failed;
    this.incomplete += other.incomplete;
    this.requestBytes += other.requestBytes;
    this.responseBytes += other.responseBytes;
    this.#latency.merge(other.#latency);
    this.#twoPackets.merge(other.#twoPackets);
    this.#firstByte.merge(other.#firstByte);
    this.#ttfb.merge(other.#ttfb);
    this.#serverTime.merge(other.#serverTime);
    for (const { status, count } of other.#statuses.values()) this.#addStatus(status, count);
  }

  /** How often which status came, most frequent first; without those that had none. */
  statuses(): Record<string, number> {
    const counts = [...this.#statuses.values()].filter(({ status, count }) => status !== '' && count > 0);
    counts.sort((a, b) => b.count - a.count || compareTexts(a.status, b.status));
    return Object.fromEntries(counts.map(({ status, count }) => [status, count]));
  }

  /** What was counted, for another one to add. */
  state(): RowState {
    const { count, failed, incomplete, requestBytes, responseBytes } = this;
    return {
      counts: { count, failed, incomplete, requestBytes, responseBytes },
      times: timesState(this.#times()),
      statuses: [...this.#statuses.values()].flatMap(({ status, count: times }) =>
        status === '' || times === 0 ? [] : [[status, times] as const],
      ),
    };
  }

  /** Add what another one has counted, or a delta of it. @param state validated */
  addState({ counts, times, statuses }: RowState): void {
    this.count += counts.count ?? 0;
    this.failed += counts.failed ?? 0;
    this.incomplete += counts.incomplete ?? 0;
    this.requestBytes += counts.requestBytes ?? 0;
    this.responseBytes += counts.responseBytes ?? 0;
    addTimes(this.#times(), times);
    for (const [status, count] of statuses) this.#addStatus(status, count);
  }

  /** By the names that they have in a state. */
  #times(): Readonly<Record<ExchangeTime, Histogram>> {
    return {
      latency: this.#latency,
      ttfb: this.#ttfb,
      serverTime: this.#serverTime,
      firstByte: this.#firstByte,
      twoPackets: this.#twoPackets,
    };
  }

  #addTimes({ time, requestEnd, responseTime, responseEnd }: Exchange): void {
    if (responseEnd !== undefined && responseEnd >= time) {
      if (responseEnd === responseTime && requestEnd === time) {
        this.#twoPackets.record(responseEnd - time);
        return;
      }
      this.#latency.record(responseEnd - time);
    }
    if (responseTime === undefined || responseTime < time) return;
    if (requestEnd === time) this.#firstByte.record(responseTime - time);
    else {
      this.#ttfb.record(responseTime - time);
      if (responseTime >= requestEnd) this.#serverTime.record(responseTime - requestEnd);
    }
  }

  #addStatus(status: string, count: number): void {
    let found = this.#statuses.get(status);
    if (found === undefined) {
      let name = status.slice(0, STATUS_WIDTH);
      if (this.#statuses.size >= STATUSES_PER_ROW) name = OTHER;
      found = this.#statuses.get(name) ?? { status: name, count: 0 };
      this.#statuses.set(name, found);
    }
    found.count += count;
    this.#last = found;
  }
}

function together(some: Histogram, others: Histogram): Histogram {
  if (others.count === 0) return some;
  if (some.count === 0) return others;
  const all = new Histogram();
  all.merge(some);
  all.merge(others);
  return all;
}

/** Exchanges by server, protocol and route, in the order in which they first came. Finding a row allocates nothing. */
export class ExchangeRows<Server> {
  #rows = 0;
  readonly #servers = new Map<Server | typeof OTHER, Map<string, Map<string, ExchangeRow>>>();
  /** Those of the exchange before: most often it is the same server again. */
  #lastServer: Server | undefined;
  #lastProtocol = '';
  #lastRoutes: Map<string, ExchangeRow> | undefined;

  add(server: Server, exchange: Exchange): void {
    this.of(server, exchange).add(exchange);
  }

  /** Add what was counted of exchanges of one protocol and route. */
  addRow(server: Server, of: Pick<Exchange, 'protocol' | 'route'>, row: ExchangeRow): void {
    this.of(server, of).merge(row);
  }

  /** The row of an exchange; one that there is already stays its row. */
  of(server: Server, { protocol, route }: Pick<Exchange, 'protocol' | 'route'>): ExchangeRow {
    let routes = this.#lastRoutes;
    if (routes === undefined || server !== this.#lastServer || protocol !== this.#lastProtocol) {
      routes = this.#servers.get(server)?.get(protocol);
      this.#lastServer = server;
      this.#lastProtocol = protocol;
      this.#lastRoutes = routes;
    }
    return routes?.get(route) ?? this.#make(server, protocol, route);
  }

  /** Every row; `other` for a server or route where a bound was reached. */
  *rows(): Generator<{ server: Server | typeof OTHER; protocol: string; route: string; row: ExchangeRow }> {
    for (const [server, protocols] of this.#servers) {
      for (const [protocol, routes] of protocols) {
        for (const [route, row] of routes) yield { server, protocol, route, row };
      }
    }
  }

  #make(server: Server | typeof OTHER, protocol: string, route: string): ExchangeRow {
    const full = this.#rows >= ROWS_MAXIMUM;
    const routes = this.#servers.get(server)?.get(protocol);
    const collected = routes?.get(OTHER);
    if (collected !== undefined && (full || routes === undefined || routes.size >= ROUTES_PER_SERVER)) return collected;
    if (full && server !== OTHER) return this.#make(OTHER, protocol, OTHER);
    const name = (routes?.size ?? 0) >= ROUTES_PER_SERVER - 1 ? OTHER : route;
    const protocols = this.#servers.get(server) ?? new Map<string, Map<string, ExchangeRow>>();
    this.#servers.set(server, protocols);
    const all = protocols.get(protocol) ?? new Map<string, ExchangeRow>();
    protocols.set(protocol, all);
    const row = all.get(name) ?? new ExchangeRow();
    if (!all.has(name)) {
      all.set(name, row);
      this.#rows += 1;
    }
    return row;
  }
}
