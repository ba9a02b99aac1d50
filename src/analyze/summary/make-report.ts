import type { Identity } from '../identity/identity.ts';
import { workloadText } from '../identity/workload.ts';
import { RECORD_VERSION } from '../record/fields.ts';
import type { Recorder } from '../record/record.ts';
import { CallerRow, KUBELET } from './caller-rows.ts';
import { CONNECTION, ExchangeRow, OTHER, PROBE_ROUTE } from './exchange-rows.ts';
import { KEY_SEPARATOR } from './keyed-rows.ts';
import type {
  CallerStats,
  ExchangeStats,
  PodStats,
  RouteStats,
  ServiceStats,
  SummaryReport,
  TcpStats,
} from './report.ts';
import type { Client, Server, Summary } from './summary.ts';
import { TcpRow } from './tcp-health.ts';

const NANOSECONDS_PER_SECOND = 1e9;

/** Several rows added up under one key, with the key's parts. */
export interface Group<Head, Row> {
  readonly head: Head;
  readonly row: Row;
}

/** A row that takes in others of its kind. */
interface Addable<Row> {
  readonly count: number;
  merge(other: Row): void;
}

class Groups<Head, Row extends Addable<Row> = ExchangeRow> {
  readonly #groups = new Map<string, Group<Head, Row>>();
  readonly #make: () => Row;

  constructor(make: () => Row) {
    this.#make = make;
  }

  add(head: Head, row: Row): void {
    const key = JSON.stringify(head);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { head, row: this.#make() };
      this.#groups.set(key, group);
    }
    group.row.merge(row);
  }

  /** Most frequent first. */
  sorted(): Group<Head, Row>[] {
    return [...this.#groups.values()].sort((a, b) => b.row.count - a.row.count);
  }
}

const exchangeRow = () => new ExchangeRow();

/** The report of what a summary has added up. */
export function makeReport(
  summary: Summary,
  recorder: Recorder,
  span: { readonly first: number; readonly last: number } | undefined,
): SummaryReport {
  const duration = span === undefined ? 0 : span.last - span.first;
  const rate = (count: number) => (duration > 0 ? count / (duration / NANOSECONDS_PER_SECOND) : undefined);
  const stats = (row: ExchangeRow): ExchangeStats => ({
    count: row.count,
    rate: rate(row.count),
    failed: row.failed,
    incomplete: row.incomplete,
    requestBytes: row.requestBytes,
    responseBytes: row.responseBytes,
    latency: row.latency.percentiles(),
    ttfb: row.ttfb.percentiles(),
    serverTime: row.serverTime.percentiles(),
  });
  const services = new Groups<Pick<ServiceStats, 'service' | 'protocol'>>(exchangeRow);
  const pods = new Groups<Pick<PodStats, 'pod' | 'service' | 'protocol'>>(exchangeRow);
  const routes = new Groups<Pick<RouteStats, 'service' | 'protocol' | 'route'>>(exchangeRow);
  for (const { server: seen, protocol, route, row } of serverRows(summary)) {
    const server = seen === OTHER ? seen : summary.resolved(seen);
    const service = groupText(summary, server);
    services.add({ service, protocol }, row);
    routes.add({ service, protocol, route }, row);
    if (typeof server === 'object' && server.pod !== undefined) pods.add({ ...podHead(server), protocol }, row);
  }
  for (const { server, protocol, row } of summary.otherLegs.rows()) {
    if (typeof server === 'object' && server.pod !== undefined) pods.add({ ...podHead(server), protocol }, row);
  }
  // A pod without traffic is a row as well: that is what one looks for.
  for (const pod of summary.silentPods()) pods.add({ ...podHead(pod), protocol: '' }, new ExchangeRow());
  return {
    v: RECORD_VERSION,
    kind: 'summary',
    time: span === undefined ? undefined : recorder.timeText(span.first),
    duration,
    flows: { ...summary.flows },
    services: shownOf(services.sorted()).map(({ head, row }) => ({ ...head, ...stats(row) })),
    pods: shownOf(pods.sorted()).map(({ head, row }) => ({ ...head, ...stats(row) })),
    callers: callersOf(summary).map(({ head, row }) => ({
      ...head,
      count: row.count,
      rate: rate(row.count),
      failed: row.failed,
      requestBytes: row.requestBytes,
      responseBytes: row.responseBytes,
      latency: row.latency.percentiles(),
    })),
    routes: kubeletLast(shownOf(routes.sorted())).map(({ head, row }) => ({
      ...head,
      ...stats(row),
      statuses: row.statuses(),
    })),
    dns: dnsRows(summary).map(({ head, row }) => ({ ...head, ...stats(row), rcodes: row.statuses() })),
    tls: tlsRows(summary).map(({ head, row }) => ({ ...head, ...stats(row), statuses: row.statuses() })),
    grpc: routes
      .sorted()
      .filter(({ head }) => head.protocol === 'grpc')
      .map(({ head, row }) => ({
        service: head.service,
        method: head.route,
        ...stats(row),
        statuses: row.statuses(),
      })),
    messages: [...summary.messages].map(([protocol, row]) => ({ protocol, ...row })),
    events: [...summary.events.values()].sort((a, b) => b.count - a.count).map((row) => ({ ...row })),
    tcp: tcpReport(summary, recorder),
  };
}

/** Exchanges, and connections by what came of them. */
function* serverRows(summary: Summary): ReturnType<Summary['exchanges']['rows']> {
  yield* summary.exchanges.rows();
  yield* summary.connections.rows();
}

/** Connections are rows where some failed. */
function shownOf<Head extends { readonly protocol: string }, Row extends { readonly failed: number }>(
  groups: readonly Group<Head, Row>[],
): Group<Head, Row>[] {
  return groups.filter(({ head, row }) => head.protocol !== CONNECTION || row.failed > 0);
}

type RouteHead = Pick<RouteStats, 'service' | 'protocol' | 'route'>;

/** Routes of all servers, most frequent first; without connections. */
export function routeRows(summary: Summary): Group<RouteHead, ExchangeRow>[] {
  const routes = new Groups<RouteHead>(exchangeRow);
  for (const { server, protocol, route, row } of summary.exchanges.rows()) {
    const service = groupText(summary, server === OTHER ? server : summary.resolved(server));
    routes.add({ service, protocol, route }, row);
  }
  return routes.sorted();
}

/** DNS questions, most frequent first. */
export function dnsRows(
  summary: Summary,
): Group<{ readonly type: string | undefined; readonly name: string }, ExchangeRow>[] {
  const dns = new Groups<{ readonly type: string | undefined; readonly name: string }>(exchangeRow);
  for (const [label, row] of summary.dns.entries()) dns.add(questionOf(label), row);
  return dns.sorted();
}

/** TLS handshakes by server name and version, most frequent first. */
export function tlsRows(
  summary: Summary,
): Group<{ readonly sni: string | undefined; readonly version: string | undefined }, ExchangeRow>[] {
  const tls = new Groups<{ readonly sni: string | undefined; readonly version: string | undefined }>(exchangeRow);
  for (const [key, row] of summary.tls.entries()) {
    const [sni = '', version = ''] = key.split(KEY_SEPARATOR);
    tls.add({ sni: sni || undefined, version: version || undefined }, row);
  }
  return tls.sorted();
}

/** TCP connections by server and port. */
export function tcpRows(summary: Summary): { readonly server: string; readonly port: number; readonly row: TcpRow }[] {
  const servers = new Map<string, { server: string; port: number; row: TcpRow }>();
  for (const { server, port, row } of summary.tcp.rows()) {
    const name = groupText(summary, server === OTHER ? server : summary.resolved(server));
    const key = JSON.stringify([name, port]);
    const merged = servers.get(key) ?? { server: name, port, row: new TcpRow() };
    merged.row.merge(row);
    servers.set(key, merged);
  }
  return [...servers.values()].sort((a, b) => b.row.connections - a.row.connections);
}

type CallerHead = Pick<CallerStats, 'client' | 'service' | 'protocol'>;

/** Who called whom, most frequent first. */
function callersOf(summary: Summary): Group<CallerHead, CallerRow>[] {
  const callers = new Groups<CallerHead, CallerRow>(() => new CallerRow());
  for (const rows of [summary.callers, summary.connectionCallers]) {
    for (const { client, server, protocol, row } of rows.rows()) {
      const service = groupText(summary, server === OTHER ? server : summary.resolved(server));
      callers.add({ client: clientText(summary, client), service, protocol }, row);
    }
  }
  // Where one client's connections failed all clients' are rows, so that they add up to the Service's.
  const all = callers.sorted();
  const failing = new Set(shownOf(all).map(({ head }) => serviceKey(head.service, head.protocol)));
  return all.filter(({ head }) => failing.has(serviceKey(head.service, head.protocol)));
}

function clientText(summary: Summary, client: Client | typeof OTHER): string {
  if (client === OTHER || client === KUBELET) return client;
  const known = summary.resolved(client);
  return typeof known === 'object' ? workloadText(known) : groupText(summary, known);
}

function podHead(pod: Identity): Pick<PodStats, 'pod' | 'service'> {
  return { pod: pod.text, service: pod.service === undefined ? undefined : pod.group };
}

function kubeletLast<Head extends { readonly route: string }>(
  groups: readonly Group<Head, ExchangeRow>[],
): Group<Head, ExchangeRow>[] {
  const isProbe = ({ head }: Group<Head, ExchangeRow>) => head.route.endsWith(PROBE_ROUTE);
  return [...groups.filter((group) => !isProbe(group)), ...groups.filter(isProbe)];
}

/** Exchanges of each service so far, by `serviceKey`. */
export function serviceTotals(summary: Summary): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { server, protocol, row } of serverRows(summary)) {
    const name = groupText(summary, server === OTHER ? server : summary.resolved(server));
    const key = serviceKey(name, protocol);
    totals.set(key, (totals.get(key) ?? 0) + row.count);
  }
  return totals;
}

/** A row of `services`, by its key. */
export function serviceKey(service: string, protocol: string): string {
  return service + KEY_SEPARATOR + protocol;
}

function tcpReport(summary: Summary, recorder: Recorder): SummaryReport['tcp'] {
  const total = new TcpRow();
  const servers = tcpRows(summary);
  for (const { row } of servers) total.merge(row);
  return {
    ...tcpStats(total),
    servers: servers.map(({ server, port, row }) => ({ server, port, ...tcpStats(row) })),
    worst: summary.tcp.worst().map((flow) => recorder.flow(flow)),
  };
}

function tcpStats(row: TcpRow): TcpStats {
  const { handshake, ...counts } = row;
  return { ...counts, handshake: handshake.percentiles() };
}

/** `A web.shop` is type and name; what has no type is a name. */
function questionOf(label: string): { type: string | undefined; name: string } {
  const space = label.indexOf(' ');
  return space < 0 ? { type: undefined, name: label } : { type: label.slice(0, space), name: label.slice(space + 1) };
}

function groupText(summary: Summary, server: Server | typeof OTHER): string {
  if (server === OTHER) return OTHER;
  if (typeof server === 'object') return server.group;
  return server < 0 ? 'no address' : summary.hosts.label(server);
}
