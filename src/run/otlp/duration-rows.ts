import type { Identity } from '../../analyze/identity/identity.ts';
import type { Exchange } from '../../analyze/record/event.ts';
import { Histogram } from '../../analyze/summary/histogram.ts';
import { statusCode } from '../../analyze/summary/status-code.ts';
import { OTHER } from './series.ts';

/** Who an exchange is with: an identity, or the number of a host without one. */
export type Host = Identity | number;

/** Rows in all; what comes later is counted in rows of `other`. */
export const DURATION_ROWS = 8192;

/** Exchanges that have everything in common but their times. */
export interface DurationRow {
  readonly server: Host;
  readonly client: Host;
  readonly protocol: string;
  readonly route: string;
  /** The status' code, or why there is none: `200`, `NOT_FOUND`, `reset by server`. */
  readonly status: string;
  readonly failed: boolean;
  /** A probe of kubelet's. */
  readonly probe: boolean;
  /** Of these it is counted which were complete, and so have a duration. */
  count: number;
  requestBytes: number;
  responseBytes: number;
  readonly durations: Histogram;
}

/** The level below a level. */
type Level<Key, Value> = Map<Key, Value>;
type Statuses = Level<string, DurationRow>;

/**
 * Exchanges by server, client, protocol, route and status. The client counts only where the protocol's metrics are those of a client.
 * Finding a row allocates nothing.
 */
export class DurationRows {
  readonly #rows: DurationRow[] = [];
  readonly #hosts: Level<Host, Level<Host, Level<string, Level<string, Statuses>>>> = new Map();

  add(server: Host, client: Host, exchange: Exchange): void {
    const { protocol, route, failed, incomplete, time, responseEnd, probe = false } = exchange;
    const status = statusCode(exchange);
    // A probe's rows are apart: their keys begin with a character that no status begins with.
    const key = probe ? `\n${status}` : status;
    const row =
      this.#hosts.get(server)?.get(client)?.get(protocol)?.get(route)?.get(key) ??
      this.#make({ server, client, protocol, route, status, failed, probe }, key);
    row.count += 1;
    row.requestBytes += exchange.requestBytes;
    row.responseBytes += exchange.responseBytes;
    if (incomplete === undefined && responseEnd !== undefined && responseEnd >= time) {
      row.durations.record(responseEnd - time);
    }
  }

  rows(): readonly DurationRow[] {
    return this.#rows;
  }

  #make(
    head: Pick<DurationRow, 'server' | 'client' | 'protocol' | 'route' | 'status' | 'failed' | 'probe'>,
    key: string,
  ): DurationRow {
    if (this.#rows.length >= DURATION_ROWS && head.route !== OTHER) {
      const status = head.failed ? FAILED : '';
      const rest = { ...head, server: NO_HOST, client: NO_HOST, route: OTHER, status };
      const known = this.#hosts.get(NO_HOST)?.get(NO_HOST)?.get(head.protocol)?.get(OTHER)?.get(status);
      return known ?? this.#make(rest, status);
    }
    const clients = below(this.#hosts, head.server);
    const routes = below(below(clients, head.client), head.protocol);
    const row = { ...head, count: 0, requestBytes: 0, responseBytes: 0, durations: new Histogram() };
    below(routes, head.route).set(key, row);
    this.#rows.push(row);
    return row;
  }
}

/** The status of failures in rows of `other`. */
const FAILED = 'error';

/** In place of hosts in rows of `other`, and of a client that does not count. */
export const NO_HOST = -1;

function below<Key, Under, Value>(level: Level<Key, Level<Under, Value>>, key: Key): Level<Under, Value> {
  let found = level.get(key);
  if (found === undefined) {
    found = new Map();
    level.set(key, found);
  }
  return found;
}
