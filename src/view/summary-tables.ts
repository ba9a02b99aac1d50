import type {
  CallerStats,
  ExchangeStats,
  ServiceStats,
  SummaryReport,
  TcpStats,
  TlsStats,
} from '../analyze/summary/report.ts';
import type { Colours } from './colour.ts';
import { flowLine } from './flow-table.ts';
import { wrapped } from './help-text.ts';
import { sampleText } from './sample-text.ts';
import { sanitise } from './sanitise.ts';
import { type Cell, type Column, tableLines } from './table.ts';
import { byteSize, counted, grouped, latencyText, timeSpan } from './units.ts';

/** Rows shown of a table; the JSON has all. */
const ROWS_SHOWN = 25;

export interface SummaryStyle {
  readonly colours: Colours;
  /** Characters of a line; undefined without a terminal: nothing is cut then. */
  readonly width: number | undefined;
  /** A protocol's name for people: `http` is `HTTP`. */
  titleOf(protocol: string): string | undefined;
}

/** The protocol of rows of connections. */
const CONNECTION = 'tcp';

/** The summary for people: a headline, then tables of requests, latency and failures, and of the health of TCP. */
export function summaryTables(report: SummaryReport, style: SummaryStyle): string[] {
  const title = (protocol: string) => sanitise(style.titleOf(protocol) ?? protocol.toUpperCase());
  const exchanges = (head: string, columns: readonly Column[], rows: readonly Row[]) =>
    section(head, [...columns, ...STATS], rows, style);
  const name = (text: string | undefined) => sanitise(text ?? '');
  return [
    ...sentence(summaryHeadline(report), style),
    ...(report.sample === undefined ? [] : sentence(sampleText(report.sample, true), style)),
    ...exchanges(
      'Services',
      [NAME('SERVICE'), LEFT('PROTOCOL')],
      report.services.map((row) => [name(row.service), title(row.protocol), ...stats(row, style.colours)]),
    ),
    ...exchanges(
      'Pods',
      [NAME('POD'), NAME('SERVICE'), LEFT('PROTOCOL')],
      report.pods.map((row) => [name(row.pod), name(row.service), title(row.protocol), ...stats(row, style.colours)]),
    ),
    ...section(
      'Callers',
      [NAME('CLIENT'), NAME('SERVICE'), LEFT('PROTOCOL'), ...CALLER_STATS],
      report.callers.map((row) => [
        name(row.client),
        name(row.service),
        title(row.protocol),
        ...callerStats(row, style.colours),
      ]),
      style,
    ),
    ...exchanges(
      'Routes',
      [NAME('SERVICE'), LEFT('PROTOCOL'), NAME('ROUTE'), COUNTS('STATUS')],
      report.routes
        .filter(({ protocol }) => !OWN_TABLE.has(protocol))
        .map((row) => [
          name(row.service),
          title(row.protocol),
          name(row.route),
          countsText(row.statuses),
          ...stats(row, style.colours),
        ]),
    ),
    ...exchanges(
      'gRPC by method and status',
      [NAME('SERVICE'), NAME('METHOD'), COUNTS('STATUS')],
      report.grpc.map((row) => [
        name(row.service),
        name(row.method),
        countsText(row.statuses),
        ...stats(row, style.colours),
      ]),
    ),
    ...exchanges(
      'DNS by name and rcode',
      [NAME('NAME'), LEFT('TYPE'), COUNTS('RCODE')],
      report.dns.map((row) => [name(row.name), name(row.type), countsText(row.rcodes), ...stats(row, style.colours)]),
    ),
    ...exchanges(
      'TLS by server name',
      [NAME('SNI'), LEFT('VERSION'), COUNTS('FAILURES')],
      report.tls.map((row) => [
        name(row.sni ?? '-'),
        name(row.version ?? '-'),
        failuresOf(row),
        ...stats(row, style.colours),
      ]),
    ),
    ...section(
      'Messages',
      [LEFT('PROTOCOL'), RIGHT('COUNT'), RIGHT('BYTES')],
      report.messages.map((row) => [title(row.protocol), number(row.count), byteSize(row.bytes)]),
      style,
    ),
    ...section(
      'Events',
      [LEFT('PROTOCOL'), LEFT('CODE'), RIGHT('COUNT')],
      report.events.map((row) => [
        title(row.protocol),
        row.failed ? { text: name(row.code), paint: (text) => style.colours.failure(text) } : name(row.code),
        number(row.count),
      ]),
      style,
    ),
    ...tcpSection(report, style),
  ];
}

/** Protocols that have a separate table. */
const OWN_TABLE: ReadonlySet<string> = new Set(['dns', 'tls', 'grpc']);

type Row = readonly Cell[];

const LEFT = (title: string): Column => ({ title });
const RIGHT = (title: string): Column => ({ title, right: true });
/** The column that identifies a row. */
const NAME = (title: string): Column => ({ title, shrinks: 'middle' });
const COUNTS = (title: string): Column => ({ title, shrinks: 'end', rank: 1 });

/** A row's time to the first byte, or in the server, is worth a column where it is less than this share of the whole. */
const DIFFERS = 0.8;

/** Shown where sending took a good part of some exchange's time: the times without it. */
const PART_COLUMNS: readonly Column[] = [
  { ...RIGHT('TTFB P99'), rank: 5 },
  { ...RIGHT('SERVER P99'), rank: 5 },
];

function partCells({ latency, ttfb, serverTime }: ExchangeStats): Cell[] {
  const differs = (time: number | undefined) =>
    time !== undefined && latency !== undefined && time < latency.p99 * DIFFERS;
  const cell = (time: number | undefined) => (time !== undefined && differs(time) ? latencyText(time) : '');
  return [cell(ttfb?.p99), cell(serverTime?.p99)];
}

/** Where fewer than this share of the exchanges have a latency, how many these are is worth a column. */
const TIMED_SHARE = 0.5;

/** Columns of an ExchangeStats, with the order in which they give way on a narrow terminal. */
const STATS: readonly Column[] = [
  RIGHT('COUNT'),
  { ...RIGHT('RATE'), rank: 2 },
  RIGHT('FAILED'),
  { ...RIGHT('TIMED'), rank: 1 },
  { ...RIGHT('P50'), rank: 1 },
  { ...RIGHT('P90'), rank: 3 },
  RIGHT('P99'),
  { ...RIGHT('MAX'), rank: 3 },
  ...PART_COLUMNS,
  { ...RIGHT('SENT'), rank: 4 },
  { ...RIGHT('RECEIVED'), rank: 4 },
];

function stats(row: ExchangeStats, colours: Colours): Cell[] {
  return [
    ...countsAndTimes(row, colours),
    ...partCells(row),
    row.count === 0 ? '-' : byteSize(row.requestBytes),
    row.count === 0 ? '-' : byteSize(row.responseBytes),
  ];
}

/** Columns of a CallerStats. */
const CALLER_STATS = STATS.filter((column) => !PART_COLUMNS.includes(column));

function callerStats(row: CallerStats, colours: Colours): Cell[] {
  return [...countsAndTimes(row, colours), byteSize(row.requestBytes), byteSize(row.responseBytes)];
}

/** Of a sum that reached a bound some may be counted in the row `other`. */
function atLeast(count: number, missed = 0): Cell {
  return missed === 0 ? number(count) : `≥ ${number(count)}`;
}

/** The cells that both have: how many, how often, how many failed, and their latency. */
function countsAndTimes(row: ExchangeStats | CallerStats, colours: Colours): Cell[] {
  const { latency } = row;
  const time = (value: number | undefined) => (value === undefined ? '-' : latencyText(value));
  return [
    atLeast(row.count, row.missed),
    rateText(row.rate),
    failures(row, colours),
    latency !== undefined && latency.count < row.count * TIMED_SHARE ? number(latency.count) : '',
    ...[latency?.p50, latency?.p90, latency?.p99, latency?.max].map(time),
  ];
}

export function rateText(rate: number | undefined): string {
  if (rate === undefined || rate === 0) return '-';
  if (rate < 0.001) return '<0.001/s';
  return `${number(rate < 100 ? Number(rate.toPrecision(3)) : Math.round(rate))}/s`;
}

function failures({ failed, count }: Pick<ExchangeStats, 'failed' | 'count'>, colours: Colours): Cell {
  if (failed === 0) return '0';
  const share = (failed / count) * 100;
  const text = `${number(failed)} (${share < 10 ? share.toFixed(1) : share.toFixed(0)} %)`;
  return { text, paint: (cell) => colours.failure(cell) };
}

/** Why handshakes failed: `unknown_ca: 3`. */
function failuresOf({ statuses, version }: TlsStats): string {
  return countsText(Object.fromEntries(Object.entries(statuses).filter(([status]) => status !== version)));
}

/** `200: 12, 503: 1`. */
function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${sanitise(what)}: ${number(count)}`)
    .join(', ');
}

function number(value: number): string {
  return grouped(value);
}

/** When, for how long, and how much of what: `2026-07-02T14:03:07.123456789Z, 6.0 s: 30 exchanges, 3 failed, 12 tcp flows`. */
export function summaryHeadline({ time, duration, flows, services, tcp }: SummaryReport): string {
  if (time === undefined) return 'No packets.';
  const sum = (rows: readonly ServiceStats[], pick: (row: ServiceStats) => number) =>
    rows.reduce((all, row) => all + pick(row), 0);
  const exchanges = services.filter(({ protocol }) => protocol !== CONNECTION);
  const connections = services.filter(({ protocol }) => protocol === CONNECTION);
  const parts = [
    counted(
      sum(exchanges, ({ count }) => count),
      'exchange',
    ),
    `${number(sum(exchanges, ({ failed }) => failed))} failed`,
  ];
  const broken = sum(connections, ({ failed }) => failed);
  if (broken > 0) parts.push(`${number(broken)} of ${counted(tcp.connections, 'connection')} failed`);
  const kinds = Object.entries(flows).map(([transport, number]) => counted(number, `${transport} flow`));
  return `${time}, ${timeSpan(duration / 1e6)}: ${[...parts, ...kinds].join(', ')}`;
}

/** A sentence in lines that fit the terminal. */
function sentence(text: string, { width }: SummaryStyle): string[] {
  return width === undefined ? [text] : wrapped(text, width);
}

function section(head: string, columns: readonly Column[], rows: readonly Row[], style: SummaryStyle): string[] {
  if (rows.length === 0) return [];
  const shown = tableLines(columns, rows.slice(0, ROWS_SHOWN), style.width, style.colours);
  const more = rows.length - ROWS_SHOWN;
  const rest = more > 0 ? [style.colours.aside(`and ${counted(more, 'row')} more (all with --json)`)] : [];
  return ['', style.colours.heading(head), ...shown, ...rest];
}

function tcpSection({ tcp }: SummaryReport, style: SummaryStyle): string[] {
  if (tcp.connections === 0) return [];
  const red = (count: number): Cell =>
    count === 0 ? '0' : { text: number(count), paint: (text) => style.colours.failure(text) };
  const columns: readonly Column[] = [
    NAME('SERVER'),
    RIGHT('PORT'),
    RIGHT('CONNS'),
    RIGHT('REFUSED'),
    RIGHT('NO ANSWER'),
    { ...RIGHT('RST CLIENT'), rank: 3 },
    RIGHT('RST SERVER'),
    RIGHT('RETRANS'),
    { ...RIGHT('ZEROWIN'), rank: 2 },
    { ...RIGHT('SETUP P50'), rank: 4 },
    { ...RIGHT('SETUP P99'), rank: 1 },
    { ...RIGHT('BYTES'), rank: 5 },
  ];
  const rows = tcp.servers.map(
    (row): Row => [
      sanitise(row.server),
      row.port === 0 ? '' : String(row.port),
      atLeast(row.connections, row.missed),
      ...[row.refused, row.unanswered, row.resetByClient, row.resetByServer, row.retransmissions].map(red),
      red(row.zeroWindows),
      row.handshake === undefined ? '-' : latencyText(row.handshake.p50),
      row.handshake === undefined ? '-' : latencyText(row.handshake.p99),
      byteSize(row.bytes),
    ],
  );
  const worst = tcp.worst.map((flow) => flowLine(flow, style));
  return [
    ...section('TCP', columns, rows, style),
    ...tcpTotals(tcp).flatMap((text) => sentence(text, style)),
    ...(worst.length === 0 ? [] : ['', style.colours.heading('TCP connections with the most trouble'), ...worst]),
  ];
}

/** The health of all TCP connections together, two sentences. */
export function tcpTotals(tcp: TcpStats): string[] {
  const handshake =
    tcp.handshake === undefined
      ? []
      : [
          `setup p50 ${latencyText(tcp.handshake.p50)}, p90 ${latencyText(tcp.handshake.p90)}, p99 ${latencyText(tcp.handshake.p99)}`,
        ];
  const connections = [
    counted(tcp.connections, 'connection'),
    `${number(tcp.midstream)} started before the capture`,
    `${number(tcp.refused)} refused`,
    `${number(tcp.unanswered)} unanswered`,
    `${number(tcp.resetByClient)} reset by clients`,
    `${number(tcp.resetByServer)} by servers`,
  ];
  const segments = [
    `${counted(tcp.retransmissions, 'segment')} retransmitted (${number(tcp.fastRetransmissions)} fast, ${number(tcp.timeoutRetransmissions)} after timeout, ${number(tcp.spuriousRetransmissions)} spurious)`,
    `${number(tcp.outOfOrder)} out of order`,
    counted(tcp.duplicateAcks, 'duplicate ACK'),
    counted(tcp.keepAlives, 'keep-alive'),
    counted(tcp.zeroWindows, 'zero window'),
    counted(tcp.windowFull, 'full window'),
  ];
  const lost = tcp.lost > 0 ? [`${byteSize(tcp.lost)} not captured`] : [];
  return [[...connections, ...handshake].join(', '), [...segments, ...lost].join(', ')];
}
