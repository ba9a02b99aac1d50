import type { ExchangeStats, SummaryReport } from '../../analyze/summary/report.ts';
import { Colours } from '../colour.ts';
import { flowLine } from '../flow-table.ts';
import { rateText, tcpTotals } from '../summary-tables.ts';
import { byteSize, grouped, latencyText } from '../units.ts';
import { type Html, html } from './html.ts';
import { type Cell, type Column, tableHtml } from './table.ts';

const PLAIN = new Colours(false);

type Counted = Pick<ExchangeStats, 'count' | 'rate' | 'failed' | 'latency' | 'requestBytes' | 'responseBytes'>;

interface SectionStyle {
  readonly utc: boolean;
  /** A protocol's name for people. */
  titleOf(protocol: string): string;
}

/** The tables of the summary, with all numbers that the JSON has of them in short form. */
export function summarySection(report: SummaryReport, { utc, titleOf }: SectionStyle): Html {
  const { services, pods, callers, routes, dns, tls, grpc, messages, events, tcp } = report;
  const protocol = {
    title: 'Protocol',
    isWord: true,
    cell: (row: { readonly protocol: string }) => titleOf(row.protocol),
  };
  const service = { title: 'Service', cell: (row: { readonly service: string | undefined }) => row.service ?? '' };
  return html`
<section aria-labelledby="h-tables"><h2 id="h-tables">Services, routes, DNS, TLS, TCP</h2>
<p class="dim">Timed: how many have a time that the packets prove; p50 to Max are of these.</p>
${tableHtml('services', 'Services', [service, protocol, ...STATS], services)}
${tableHtml('callers', 'Callers', [{ title: 'Client', cell: ({ client }) => client }, service, protocol, ...STATS], callers)}
${tableHtml('pods', 'Pods', [{ title: 'Pod', cell: ({ pod }) => pod }, service, protocol, ...STATS], pods)}
${tableHtml(
  'routes',
  'Routes',
  [service, protocol, { title: 'Route', cell: ({ route }) => route }, statuses('Status'), ...STATS],
  routes.filter((row) => row.protocol !== 'dns' && row.protocol !== 'tls' && row.protocol !== 'grpc'),
)}
${tableHtml('grpc', 'gRPC', [service, { title: 'Method', cell: ({ method }) => method }, statuses('Status'), ...STATS], grpc)}
${tableHtml('dns', 'DNS', [{ title: 'Name', cell: ({ name }) => name }, { title: 'Type', isWord: true, cell: ({ type }) => type ?? '' }, { title: 'Rcode', cell: ({ rcodes }) => countsText(rcodes) }, ...STATS], dns)}
${tableHtml('tls', 'TLS', [{ title: 'Server name', cell: ({ sni }) => sni ?? '-' }, { title: 'Version', isWord: true, cell: ({ version }) => version ?? '-' }, statuses('Result'), ...STATS], tls)}
${tableHtml('messages', 'Messages', [protocol, { title: 'Count', cell: ({ count }) => plain(count) }, { title: 'Bytes', cell: ({ bytes }) => size(bytes) }], messages)}
${tableHtml('events', 'Events', [protocol, { title: 'Code', cell: ({ code }) => code }, { title: 'Count', cell: ({ count, failed }) => (failed ? trouble(count) : plain(count)) }], events)}
${tableHtml('tcp', 'TCP', TCP, tcp.servers)}
${tcp.connections === 0 ? undefined : tcpTotals(tcp).map((text) => html`<p>${text}.</p>`)}
${tcp.worst.length === 0 ? undefined : html`<h3>TCP connections with the most trouble</h3><ul class="mono">${tcp.worst.map((flow) => html`<li>${flowLine(flow, { colours: PLAIN, utc, titleOf })}</li>`)}</ul>`}
</section>`;
}

function plain(value: number): Cell {
  return { value, text: grouped(value) };
}

function trouble(value: number): Cell {
  return { value, text: grouped(value), bad: value > 0 };
}

function time(value: number | undefined): Cell {
  return { value, text: value === undefined ? '-' : latencyText(value) };
}

function size(value: number): Cell {
  return { value, text: byteSize(value) };
}

type Counts = Readonly<Record<string, number>>;

function statuses(title: string): Column<{ readonly statuses: Counts }> {
  return { title, cell: (row) => countsText(row.statuses) };
}

function countsText(counts: Counts): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${what}: ${grouped(count)}`)
    .join(', ');
}

const STATS: readonly Column<Counted>[] = [
  { title: 'Count', cell: ({ count }) => plain(count) },
  { title: 'Rate', cell: ({ rate }) => ({ value: rate, text: rateText(rate) }) },
  { title: 'Failed', cell: ({ failed }) => trouble(failed) },
  { title: 'Failed %', cell: ({ failed, count }) => share(failed, count) },
  { title: 'Timed', cell: ({ latency }) => plain(latency?.count ?? 0) },
  { title: 'p50', cell: ({ latency }) => time(latency?.p50) },
  { title: 'p90', cell: ({ latency }) => time(latency?.p90) },
  { title: 'p99', cell: ({ latency }) => time(latency?.p99) },
  { title: 'Max', cell: ({ latency }) => time(latency?.max) },
  { title: 'Sent', cell: ({ requestBytes }) => size(requestBytes) },
  { title: 'Received', cell: ({ responseBytes }) => size(responseBytes) },
];

function share(failed: number, count: number): Cell {
  const percent = count === 0 ? 0 : (failed / count) * 100;
  return { value: percent, text: failed === 0 ? '' : `${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %` };
}

const TCP: readonly Column<SummaryReport['tcp']['servers'][number]>[] = [
  { title: 'Server', cell: ({ server }) => server },
  { title: 'Port', cell: ({ port }) => ({ value: port, text: port === 0 ? '' : String(port) }) },
  { title: 'Connections', cell: ({ connections }) => plain(connections) },
  { title: 'Refused', cell: ({ refused }) => trouble(refused) },
  { title: 'No answer', cell: ({ unanswered }) => trouble(unanswered) },
  { title: 'Reset by client', cell: ({ resetByClient }) => trouble(resetByClient) },
  { title: 'Reset by server', cell: ({ resetByServer }) => trouble(resetByServer) },
  { title: 'Retransmissions', cell: ({ retransmissions }) => trouble(retransmissions) },
  { title: 'Zero windows', cell: ({ zeroWindows }) => trouble(zeroWindows) },
  { title: 'Setup p50', cell: ({ handshake }) => time(handshake?.p50) },
  { title: 'Setup p99', cell: ({ handshake }) => time(handshake?.p99) },
  { title: 'Bytes', cell: ({ bytes }) => size(bytes) },
];
