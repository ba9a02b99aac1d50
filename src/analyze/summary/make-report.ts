import { RECORD_VERSION } from '../record/fields.ts';
import { absoluteTimeText } from '../record/time-text.ts';
import { CONNECTION, ExchangeRow, PROBE_ROUTE } from './exchange-rows.ts';
import type { Group } from './groups.ts';
import type { ExchangeStats, SummaryReport, TcpStats } from './report.ts';
import { TcpRow } from './tcp-health.ts';
import { compareTexts } from './texts.ts';
import type { SummaryTotals } from './totals.ts';

const NANOSECONDS_PER_SECOND = 1e9;

/** The report of totals: most frequent first, and of the same count by name. */
export function makeReport(totals: SummaryTotals): SummaryReport {
  const { span, tables } = totals;
  const duration = span === undefined ? 0 : Number(span.last - span.first);
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
  const routes = tables.routes.sorted();
  return {
    v: RECORD_VERSION,
    kind: 'summary',
    time: span === undefined ? undefined : absoluteTimeText(span.first),
    duration,
    flows: Object.fromEntries([...totals.flows].sort(([a, one], [b, two]) => two - one || compareTexts(a, b))),
    services: shownOf(tables.services.sorted()).map(({ head, row, missed }) => ({
      ...head,
      ...stats(row),
      ...unlessNone(missed),
    })),
    pods: [...shownOf(tables.pods.sorted()), ...silentPods(totals)].map(({ head, row }) => ({
      ...head,
      ...stats(row),
    })),
    callers: callersOf(totals).map(({ head, row, missed }) => ({
      ...head,
      count: row.count,
      rate: rate(row.count),
      failed: row.failed,
      requestBytes: row.requestBytes,
      responseBytes: row.responseBytes,
      latency: row.latency.percentiles(),
      ...unlessNone(missed),
    })),
    routes: kubeletLast(shownOf(routes)).map(({ head, row, missed }) => ({
      ...head,
      ...stats(row),
      ...unlessNone(missed),
      statuses: row.statuses(),
    })),
    dns: tables.dns
      .sorted()
      .map(({ head, row, missed }) => ({ ...head, ...stats(row), ...unlessNone(missed), rcodes: row.statuses() })),
    tls: tables.tls
      .sorted()
      .map(({ head, row, missed }) => ({ ...head, ...stats(row), ...unlessNone(missed), statuses: row.statuses() })),
    grpc: routes
      .filter(({ head }) => head.protocol === 'grpc')
      .map(({ head, row, missed }) => ({
        service: head.service,
        method: head.route,
        ...stats(row),
        ...unlessNone(missed),
        statuses: row.statuses(),
      })),
    messages: [...totals.messages]
      .map(([protocol, row]) => ({ protocol, ...row }))
      .sort((a, b) => b.count - a.count || compareTexts(a.protocol, b.protocol)),
    events: [...totals.events.values()]
      .sort((a, b) => b.count - a.count || compareTexts(a.code, b.code))
      .map((row) => ({ ...row })),
    tcp: tcpReport(totals),
  };
}

/** Only rows of totals that reached a bound have the member. */
function unlessNone(missed: number): { readonly missed?: number } {
  return missed === 0 ? {} : { missed };
}

/** Connections are rows where some failed. */
function shownOf<Head extends { readonly protocol: string }, Row extends { readonly failed: number }>(
  groups: readonly Group<Head, Row>[],
): Group<Head, Row>[] {
  return groups.filter(({ head, row }) => head.protocol !== CONNECTION || row.failed > 0);
}

/** A pod without traffic is a row as well: that is what one looks for. */
function silentPods({ captured, active }: SummaryTotals) {
  return [...captured]
    .filter(([pod]) => !active.has(pod))
    .sort(([a], [b]) => compareTexts(a, b))
    .map(([pod, service]) => ({ head: { pod, service, protocol: '' }, row: new ExchangeRow(), missed: 0 }));
}

/** Who called whom, most frequent first. */
function callersOf({ tables }: SummaryTotals) {
  // Where one client's connections failed all clients' are rows, so that they add up to the Service's.
  const all = tables.callers.sorted();
  const keyOf = ({ service, protocol }: { readonly service: string; readonly protocol: string }) =>
    JSON.stringify([service, protocol]);
  const failing = new Set(shownOf(all).map(({ head }) => keyOf(head)));
  return all.filter(({ head }) => failing.has(keyOf(head)));
}

function kubeletLast<Head extends { readonly route: string }>(
  groups: readonly Group<Head, ExchangeRow>[],
): Group<Head, ExchangeRow>[] {
  const isProbe = ({ head }: Group<Head, ExchangeRow>) => head.route.endsWith(PROBE_ROUTE);
  return [...groups.filter((group) => !isProbe(group)), ...groups.filter(isProbe)];
}

function tcpReport({ tables, worst }: SummaryTotals): SummaryReport['tcp'] {
  const total = new TcpRow();
  const servers = tables.tcp.sorted();
  for (const { row } of servers) total.merge(row);
  return {
    ...tcpStats(total),
    servers: servers.map(({ head, row, missed }) => ({ ...head, ...tcpStats(row), ...unlessNone(missed) })),
    worst: worst.map(({ record }) => record),
  };
}

function tcpStats(row: TcpRow): TcpStats {
  const { handshake, ...counts } = row;
  return { ...counts, handshake: handshake.percentiles() };
}
