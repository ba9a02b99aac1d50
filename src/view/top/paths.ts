import type { PathHop, PathStats } from '../../analyze/trace/paths.ts';
import type { TraceRecord } from '../../analyze/trace/record.ts';
import { Colours } from '../colour.ts';
import { hopText, pathTable, traceLine, waterfall } from '../trace-lines.ts';
import { grouped, latencyText } from '../units.ts';
import type { TopColumn } from './columns.ts';
import { type Detail, DetailView } from './detail-view.ts';
import { type Line, LOOK, line, span } from './line.ts';
import { type TableOrder, TableView } from './table-view.ts';
import type { ViewKind } from './view.ts';

const PLAIN = new Colours(false);

/** Where the time of requests goes: their routes through Services, proxies and pods. */
export const paths: ViewKind = {
  name: 'paths',
  about: 'where the time of the last requests went: their routes through Services, proxies and pods',
  keys: [
    ['Enter', 'one route: its hops with their times, the slowest request and the last failed one hop by hop; Esc back'],
  ],
  create: (model) =>
    new DetailView(
      (open) =>
        new TableView<PathStats>({
          columns: COLUMNS,
          orders: ORDERS,
          rows: () => model.paths,
          keyOf,
          noun: 'routes',
          empty: model.packets.onNodes
            ? 'Routes are joined from packets, and with --edge those stay on their nodes.'
            : 'No requests yet. A request is listed some seconds after its end.',
          enter: (path) => open(pathDetail(path, () => model.paths)),
        }),
    ),
};

function keyOf({ protocol, service, route }: PathStats): string {
  return `${protocol} ${service ?? ''} ${route}`;
}

/** The hop that took most of the time. */
function largest({ hops }: PathStats): PathHop | undefined {
  return hops.reduce<PathHop | undefined>((most, hop) => (hop.share > (most?.share ?? 0) ? hop : most), undefined);
}

const lostOf = ({ hops }: PathStats) => hops.reduce((sum, { lost }) => sum + lost, 0);

const time = (value: number | undefined) => span(value === undefined ? '' : latencyText(value));

const COLUMNS: readonly TopColumn<PathStats>[] = [
  { title: 'SERVICE', width: 14, grows: true, rank: 1, cell: ({ service }) => span(service ?? '?', LOOK.name) },
  { title: 'ROUTE', width: 14, grows: true, rank: 0, cell: ({ route }) => span(route) },
  { title: 'COUNT', width: 6, right: true, rank: 0, cell: ({ count }) => span(grouped(count)) },
  {
    title: 'FAILED',
    width: 6,
    right: true,
    rank: 1,
    cell: ({ failed }) => span(failed === 0 ? '' : grouped(failed), LOOK.failure),
  },
  { title: 'P50', width: 7, right: true, rank: 2, cell: ({ total }) => time(total?.p50) },
  { title: 'P99', width: 7, right: true, rank: 0, cell: ({ total }) => time(total?.p99) },
  {
    title: 'LOST',
    width: 5,
    right: true,
    rank: 3,
    cell: (path) => span(lostOf(path) === 0 ? '' : grouped(lostOf(path)), LOOK.warning),
  },
  { title: 'MOST TIME IN', width: 20, grows: true, rank: 1, cell: mostTimeCell },
];

function mostTimeCell(path: PathStats) {
  const hop = largest(path);
  return span(hop === undefined ? '' : `${Math.round(hop.share * 100)} % ${hopText(hop)}`);
}

const byTime = (a: PathStats, b: PathStats) => (b.total?.p99 ?? 0) - (a.total?.p99 ?? 0);

const ORDERS: readonly TableOrder<PathStats>[] = [
  { name: 'p99', compare: byTime },
  { name: 'count', compare: (a, b) => b.count - a.count },
  { name: 'failed', compare: (a, b) => b.failed - a.failed || byTime(a, b) },
];

/** A route with its hops, the slowest request and the last failed one. It goes on as long as the route is listed. */
function pathDetail(opened: PathStats, all: () => readonly PathStats[]): Detail {
  const key = keyOf(opened);
  let path = opened;
  return (width) => {
    path = all().find((each) => keyOf(each) === key) ?? path;
    const style = { colours: PLAIN, utc: false, width };
    return [
      ...pathTable(path, style).map((text, index) => line(span(text, index === 0 ? LOOK.strong : LOOK.plain))),
      ...exampleLines('Slowest', path.slowest, width),
      ...(path.lastFailed === path.slowest ? [] : exampleLines('Last failed', path.lastFailed, width)),
    ];
  };
}

function exampleLines(title: string, trace: TraceRecord | undefined, width: number): readonly Line[] {
  if (trace === undefined) return [];
  const style = { colours: PLAIN, utc: false, width };
  return [
    line(span('')),
    line(span(title, LOOK.name)),
    line(span(traceLine(trace, style), trace.failed ? LOOK.failure : LOOK.plain)),
    ...waterfall(trace, style).map((text) => line(span(text))),
  ];
}
