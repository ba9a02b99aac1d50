import type { AlikeSums } from '../flow/alike.ts';
import type { Exchange } from '../record/event.ts';
import { type ExchangeRow, OTHER } from './exchange-rows.ts';
import { Histogram } from './histogram.ts';
import { addTimes, type RowState, timesState } from './row-state.ts';

/** Rows by client, server and protocol; past it exchanges are counted in the row `other`. */
export const CALLER_ROWS_MAXIMUM = 4096;

/** Who sends kubelet's probes. */
export const KUBELET = 'kubelet';

/** What a row's state may have. */
export const CALLER_COUNTS = ['count', 'failed', 'requestBytes', 'responseBytes'] as const;
export const CALLER_TIMES = ['latency'] as const;

/** What was counted of one client's exchanges with one server. */
export class CallerRow {
  count = 0;
  failed = 0;
  requestBytes = 0;
  responseBytes = 0;
  /** Of complete exchanges. */
  readonly latency = new Histogram();

  add({ failed, requestBytes, responseBytes, incomplete, time, responseEnd }: Exchange): void {
    this.count += 1;
    if (failed) this.failed += 1;
    this.requestBytes += requestBytes;
    this.responseBytes += responseBytes;
    if (incomplete === undefined && responseEnd !== undefined && responseEnd >= time) {
      this.latency.record(responseEnd - time);
    }
  }

  /** Add complete exchanges that are as another one. */
  addAll({ failed }: Exchange, sums: AlikeSums): void {
    this.count += sums.count;
    if (failed) this.failed += sums.count;
    this.requestBytes += sums.requestBytes;
    this.responseBytes += sums.responseBytes;
    this.latency.recordAll(sums);
  }

  merge(other: CallerRow | ExchangeRow): void {
    this.count += other.count;
    this.failed += other.failed;
    this.requestBytes += other.requestBytes;
    this.responseBytes += other.responseBytes;
    this.latency.merge(other.latency);
  }

  /** What was counted, for another one to add. */
  state(): RowState {
    const { count, failed, requestBytes, responseBytes, latency } = this;
    return { counts: { count, failed, requestBytes, responseBytes }, times: timesState({ latency }), statuses: [] };
  }

  /** Add what another one has counted, or a delta of it. @param state validated */
  addState({ counts, times }: RowState): void {
    this.count += counts.count ?? 0;
    this.failed += counts.failed ?? 0;
    this.requestBytes += counts.requestBytes ?? 0;
    this.responseBytes += counts.responseBytes ?? 0;
    addTimes({ latency: this.latency }, times);
  }
}

/** Exchanges by client, server and protocol. Finding a row allocates nothing. */
export class CallerRows<Client, Server> {
  #rows = 0;
  readonly #clients = new Map<Client | typeof OTHER, Map<Server | typeof OTHER, Map<string, CallerRow>>>();

  /** Those of the exchange before: most often it is the same client again. */
  #lastClient: Client | undefined;
  #lastServer: Server | undefined;
  #lastProtocol = '';
  #last: CallerRow | undefined;

  add(client: Client, server: Server, exchange: Exchange): void {
    this.of(client, server, exchange).add(exchange);
  }

  /** Add what was counted of exchanges of one protocol. */
  addRow(client: Client, server: Server, protocol: string, row: ExchangeRow): void {
    this.of(client, server, { protocol }).merge(row);
  }

  /** The row of an exchange; one that there is already stays its row. */
  of(client: Client, server: Server, { protocol }: Pick<Exchange, 'protocol'>): CallerRow {
    let row = this.#last;
    if (
      row === undefined ||
      client !== this.#lastClient ||
      server !== this.#lastServer ||
      protocol !== this.#lastProtocol
    ) {
      row = this.#clients.get(client)?.get(server)?.get(protocol) ?? this.#make(client, server, protocol);
      this.#lastClient = client;
      this.#lastServer = server;
      this.#lastProtocol = protocol;
      this.#last = row;
    }
    return row;
  }

  /** Every row; client and server are `other` where the bound was reached. */
  *rows(): Generator<{
    client: Client | typeof OTHER;
    server: Server | typeof OTHER;
    protocol: string;
    row: CallerRow;
  }> {
    for (const [client, servers] of this.#clients) {
      for (const [server, protocols] of servers) {
        for (const [protocol, row] of protocols) yield { client, server, protocol, row };
      }
    }
  }

  #make(client: Client | typeof OTHER, server: Server | typeof OTHER, protocol: string): CallerRow {
    if (this.#rows >= CALLER_ROWS_MAXIMUM - 1 && client !== OTHER) {
      return this.#clients.get(OTHER)?.get(OTHER)?.get(protocol) ?? this.#make(OTHER, OTHER, protocol);
    }
    const servers = this.#clients.get(client) ?? new Map<Server | typeof OTHER, Map<string, CallerRow>>();
    this.#clients.set(client, servers);
    const protocols = servers.get(server) ?? new Map<string, CallerRow>();
    servers.set(server, protocols);
    const row = new CallerRow();
    protocols.set(protocol, row);
    this.#rows += 1;
    return row;
  }
}
