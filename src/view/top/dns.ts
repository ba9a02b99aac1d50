import type { DnsStats } from '../../analyze/summary/report.ts';
import { grouped } from '../units.ts';
import { type TopColumn, timeColumn } from './columns.ts';
import { DetailView } from './detail-view.ts';
import { dnsDetail } from './dns-detail.ts';
import { LOOK, type Span, span } from './line.ts';
import { type TableOrder, TableView } from './table-view.ts';
import type { ViewKind } from './view.ts';

/** Queried names, as the DNS table of `-o summary` has them. */
export const dns: ViewKind = {
  name: 'dns',
  about: 'DNS names: queries, answers, latency',
  keys: [['Enter', 'one name: its answers, latencies and last lookups; Esc back']],
  create: (model) =>
    new DetailView(
      (open) =>
        new TableView<DnsStats>({
          columns: COLUMNS,
          orders: ORDERS,
          rows: () => model.report?.dns ?? NONE,
          keyOf: ({ name, type }) => `${type ?? ''} ${name}`,
          noun: 'names',
          empty: 'No DNS queries yet.',
          enter: (row) => open(dnsDetail(model, row)),
        }),
    ),
};

const NONE: readonly DnsStats[] = [];

const COLUMNS: readonly TopColumn<DnsStats>[] = [
  { title: 'NAME', width: 25, grows: true, rank: 0, cell: ({ name }) => span(name, LOOK.name) },
  { title: 'TYPE', width: 6, rank: 1, cell: ({ type }) => span(type ?? '') },
  { title: 'COUNT', width: 7, right: true, rank: 0, cell: ({ count }) => span(grouped(count)) },
  { title: 'FAILED', width: 6, right: true, rank: 0, cell: failures },
  { title: 'ANSWERS', width: 12, grows: true, rank: 2, cell: answers },
  timeColumn('P50', 3, ({ latency: times }) => times?.p50),
  timeColumn('P90', 4, ({ latency: times }) => times?.p90),
  timeColumn('P99', 3, ({ latency: times }) => times?.p99),
  timeColumn('MAX', 5, ({ latency: times }) => times?.max),
];

function failures({ failed }: DnsStats): Span {
  return failed === 0 ? span('0') : span(grouped(failed), LOOK.failure);
}

/** `NOERROR 5, NXDOMAIN 2, no response 1`. */
function answers({ rcodes }: DnsStats): Span {
  const counts = Object.entries(rcodes)
    .sort(([, a], [, b]) => b - a)
    .map(([rcode, count]) => `${rcode} ${grouped(count)}`);
  const isGood = Object.keys(rcodes).every((rcode) => rcode === 'NOERROR');
  return span(counts.join(', '), isGood ? LOOK.plain : LOOK.warning);
}

const byName = (a: DnsStats, b: DnsStats) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const down = (name: string, pick: (row: DnsStats) => number): TableOrder<DnsStats> => ({
  name,
  compare: (a, b) => pick(b) - pick(a) || byName(a, b),
});

const ORDERS: readonly TableOrder<DnsStats>[] = [
  down('count', ({ count }) => count),
  down('failed', ({ failed }) => failed),
  down('p99', ({ latency: times }) => times?.p99 ?? -1),
  { name: 'name', compare: byName },
];
