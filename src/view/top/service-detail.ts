import type { CallerStats, ExchangeStats, PodStats, RouteStats, ServiceStats } from '../../analyze/summary/report.ts';
import { grouped } from '../units.ts';
import { headOf, placeColumns, rowOf, type TopColumn, timeColumn } from './columns.ts';
import type { Detail } from './detail-view.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { TopModel } from './model.ts';
import { sparkLine } from './spark.ts';

/** Rows of each table: the most frequent ones. */
const ROWS_MAXIMUM = 20;
const NAME = 14;
const COUNT = 9;

/** What the tables have in common. */
type Counted = Pick<ExchangeStats, 'count' | 'failed' | 'latency'>;

/** One Service and protocol: how much of it when, its statuses, routes, callers and pods, as `-o summary` has them. */
export function serviceDetail(model: TopModel, opened: ServiceStats): Detail {
  const isOwn = (row: { readonly service?: string | undefined; readonly protocol: string }) =>
    row.service === opened.service && row.protocol === opened.protocol;
  return (width) => {
    const { routes = [], callers = [], pods = [] } = model.report ?? {};
    const own = routes.filter(isOwn);
    return [
      line(span(opened.service, LOOK.strong), span(` ${model.titleOf(opened.protocol)}`)),
      ...activityLines(model, opened, width),
      ...statusLines(own),
      ...tableOf(
        'Routes',
        own,
        column<RouteStats>('ROUTE', ({ route }) => route),
        width,
      ),
      ...tableOf(
        'Callers',
        callers.filter(isOwn),
        column<CallerStats>('CLIENT', ({ client }) => client),
        width,
      ),
      ...tableOf(
        'Pods',
        pods.filter(isOwn),
        column<PodStats>('POD', ({ pod }) => pod),
        width,
      ),
    ];
  };
}

function activityLines(model: TopModel, { service, protocol }: ServiceStats, width: number): readonly Line[] {
  const activity = model.activity(service, protocol);
  if (activity === undefined || activity.counts.every((count) => count === 0)) return [];
  return [
    line(span('')),
    line(span('Last 5 minutes', LOOK.name)),
    line(span(sparkLine(activity.counts, Math.min(width, activity.counts.length)), LOOK.good)),
  ];
}

function statusLines(routes: readonly RouteStats[]): readonly Line[] {
  const counts = new Map<string, number>();
  for (const { statuses } of routes) {
    for (const [status, count] of Object.entries(statuses)) counts.set(status, (counts.get(status) ?? 0) + count);
  }
  if (counts.size === 0) return [];
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const rows = [...counts].sort(([, a], [, b]) => b - a).slice(0, ROWS_MAXIMUM);
  return [
    line(span('')),
    line(span('Statuses', LOOK.name)),
    ...rows.map(([status, count]) =>
      line(
        span(status.padEnd(NAME), LOOK.aside),
        span(`${grouped(count).padStart(COUNT)}  ${((count / total) * 100).toFixed(1).padStart(5)} %`),
      ),
    ),
  ];
}

function tableOf<Row extends Counted>(
  title: string,
  rows: readonly Row[],
  name: TopColumn<Row>,
  width: number,
): readonly Line[] {
  if (rows.length === 0) return [];
  const shown = rows.toSorted((a, b) => b.count - a.count).slice(0, ROWS_MAXIMUM);
  const placed = placeColumns([name, ...NUMBERS], width);
  const more = rows.length - shown.length;
  return [
    line(span('')),
    line(span(title, LOOK.name)),
    headOf(placed),
    ...shown.map((row) => rowOf(placed, row)),
    ...(more === 0 ? [] : [line(span(`${grouped(more)} more: -o summary shows them`, LOOK.aside))]),
  ];
}

function column<Row>(title: string, pick: (row: Row) => string): TopColumn<Row> {
  return { title, width: 20, grows: true, rank: 0, cell: (row) => span(pick(row)) };
}

const NUMBERS: readonly TopColumn<Counted>[] = [
  { title: 'COUNT', width: 9, right: true, rank: 0, cell: ({ count }) => span(grouped(count)) },
  {
    title: 'FAILED',
    width: 7,
    right: true,
    rank: 0,
    cell: ({ failed }) => span(grouped(failed), failed === 0 ? LOOK.plain : LOOK.failure),
  },
  timeColumn('P50', 2, ({ latency }) => latency?.p50),
  timeColumn('P99', 1, ({ latency }) => latency?.p99),
];
