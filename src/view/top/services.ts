import type { ServiceStats } from '../../analyze/summary/report.ts';
import { byteSize, grouped } from '../units.ts';
import { type TopColumn, timeColumn } from './columns.ts';
import { DetailView } from './detail-view.ts';
import { LOOK, span } from './line.ts';
import type { TopModel } from './model.ts';
import { serviceDetail } from './service-detail.ts';
import { sparkLine } from './spark.ts';
import { type TableOrder, TableView } from './table-view.ts';
import type { ViewKind } from './view.ts';

/** Bars are worth their place from so many on. */
const SPARK_WIDTH = 10;

/** Services, as the first table of `-o summary` has them, with the rate of the last minutes. */
export const services: ViewKind = {
  name: 'services',
  about: 'services: requests, latency and failures',
  keys: [['Enter', 'one service: its statuses, routes, callers and pods; Esc back']],
  create: (model) =>
    new DetailView(
      (open) =>
        new TableView<ServiceStats>({
          columns: columns(model),
          orders: orders(model),
          rows: () => model.report?.services ?? NONE,
          keyOf: ({ service, protocol }) => `${service} ${protocol}`,
          noun: 'services',
          empty: 'No exchanges yet.',
          enter: (row) => open(serviceDetail(model, row)),
        }),
    ),
};

const NONE: readonly ServiceStats[] = [];

const rateOf = (model: TopModel, { service, protocol }: ServiceStats) => model.activity(service, protocol)?.rate ?? 0;

function columns(model: TopModel): TopColumn<ServiceStats>[] {
  const size = (title: string, pick: (row: ServiceStats) => number) => ({
    title,
    width: 8,
    right: true,
    rank: 5,
    cell: (row: ServiceStats) => span(byteSize(pick(row))),
  });
  return [
    { title: 'SERVICE', width: 16, grows: true, rank: 0, cell: ({ service }) => span(service, LOOK.name) },
    { title: 'PROTO', width: 8, rank: 1, cell: ({ protocol }) => span(model.titleOf(protocol)) },
    { title: 'COUNT', width: 9, right: true, rank: 2, cell: ({ count }) => span(grouped(count)) },
    { title: 'RATE', width: 8, right: true, rank: 0, cell: (row) => span(rateText(rateOf(model, row))) },
    { title: 'FAILED', width: 7, right: true, rank: 0, cell: ({ failed }) => failures(failed) },
    { title: '%', width: 4, right: true, rank: 3, cell: (row) => share(row) },
    timeColumn('P50', 1, ({ latency }) => latency?.p50),
    timeColumn('P90', 4, ({ latency }) => latency?.p90),
    timeColumn('P99', 0, ({ latency }) => latency?.p99),
    size('SENT', ({ requestBytes }) => requestBytes),
    size('RECEIVED', ({ responseBytes }) => responseBytes),
    {
      title: 'LAST 5 MIN',
      width: SPARK_WIDTH,
      grows: true,
      rank: 2,
      cell: ({ service, protocol }, width) =>
        span(sparkLine(model.activity(service, protocol)?.counts ?? [], width), LOOK.good),
    },
  ];
}

function orders(model: TopModel): TableOrder<ServiceStats>[] {
  const byName = (a: ServiceStats, b: ServiceStats) =>
    a.service === b.service ? order(a.protocol, b.protocol) : order(a.service, b.service);
  const down = (name: string, pick: (row: ServiceStats) => number): TableOrder<ServiceStats> => ({
    name,
    compare: (a, b) => pick(b) - pick(a) || byName(a, b),
  });
  return [
    down('count', ({ count }) => count),
    down('rate', (row) => rateOf(model, row)),
    down('failed', ({ failed }) => failed),
    down('p99', ({ latency }) => latency?.p99 ?? -1),
    down('bytes', ({ requestBytes, responseBytes }) => requestBytes + responseBytes),
    { name: 'name', compare: byName },
  ];
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rateText(rate: number): string {
  return `${rate >= 100 ? grouped(Math.round(rate)) : Number(rate.toPrecision(2))}/s`;
}

function failures(failed: number) {
  return failed === 0 ? span('0') : span(grouped(failed), LOOK.failure);
}

function share({ failed, count }: ServiceStats) {
  if (failed === 0) return span('');
  const percent = (failed / count) * 100;
  return span(percent < 10 ? percent.toFixed(1) : percent.toFixed(0), LOOK.failure);
}
