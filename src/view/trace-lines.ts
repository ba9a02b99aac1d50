import type { Between, ConnectRecord } from '../analyze/trace/connect-record.ts';
import type { PathHop, PathStats } from '../analyze/trace/paths.ts';
import type { HopRecord, OneWay, TraceRecord } from '../analyze/trace/record.ts';
import type { Colours } from './colour.ts';
import { incompleteText } from './event-line.ts';
import { addressOf, peerName } from './peer-text.ts';
import { sanitise } from './sanitise.ts';
import { tableLines } from './table.ts';
import { cellWidth, cutMiddle, cutToCells } from './text-width.ts';
import { clockText } from './time-text.ts';
import { counted, grouped, latencyText } from './units.ts';

export interface TraceStyle {
  readonly colours: Colours;
  /** Times are UTC; local unless set. */
  readonly utc: boolean;
  /** Cells of a line; undefined for any number. */
  readonly width: number | undefined;
}

const LABEL_WIDTH = 120;
/** Cells of a bar, and of the names before it. */
const BAR = 20;
const NAMES_WIDTH = 60;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

export const HOP_KINDS: Readonly<Record<HopRecord['kind'], string>> = {
  request: 'request',
  network: 'network',
  mesh: 'sidecars and network',
  proxy: 'proxy',
  server: 'server',
  beyond: 'network and server',
  calls: 'calls',
  attempt: 'no response',
  response: 'response',
};

/** `14:03:07.123456 GET /cart 200 shop/client-1 → edge → web-2 312 ms, slowest: edge → web-2 network 202 ms (65 %)`. */
export function traceLine(trace: TraceRecord, { colours, utc }: TraceStyle): string {
  const { total, hops, slowest, status, failed, ambiguous, connect } = trace;
  const red = (text: string) => (failed ? colours.failure(text) : text);
  let line = `${clockText(trace.time, utc)} ${cutToCells(sanitise(trace.label), LABEL_WIDTH)}`;
  if (status !== undefined) line += ` ${red(sanitise(status))}`;
  const missing = trace.incomplete === undefined ? '' : incompleteText({ ...trace, kind: 'exchange' });
  if (missing !== '') line += ` ${red(`[${missing}]`)}`;
  line += ` ${routeText(trace)}`;
  if (total !== undefined) line += ` ${latencyText(total)}`;
  const culprit = slowest === undefined ? undefined : hops[slowest];
  if (culprit !== undefined && total !== undefined) {
    const { latency } = culprit;
    line += ` slowest: ${hopNames(culprit)} ${HOP_KINDS[culprit.kind]} ${latencyText(latency)} (${percent(latency, total)})`;
  }
  if (connect !== undefined) line += ` ${red(connectText(connect))}`;
  let lost = 0;
  for (const hop of hops) if (hop.lost.length > 0) for (const { count } of hop.lost) lost += count;
  if (lost > 0) line += ` ${red(`${counted(lost, 'segment')} lost`)}`;
  if (ambiguous !== undefined) {
    line += ` ${colours.aside(`${counted(ambiguous, 'call')} may belong to another request`)}`;
  }
  return line;
}

/** `3 SYNs in 3.01 s, last seen at node1/eth0, not seen at shop/web-1`. */
export function connectText(connect: ConnectRecord): string {
  const { outcome, syns, span, lastSeen, notSeen, between, answerSeen, rejection } = connect;
  const texts = [syns > 1 ? `${counted(syns, 'SYN')} in ${latencyText(span)}` : '1 SYN'];
  if (outcome === 'unanswered') texts.push(`last seen at ${sanitise(lastSeen)}`);
  if (notSeen.length > 0) texts.push(`not seen at ${notSeen.map(sanitise).join(', ')}`);
  const way = between === undefined ? '' : betweenText(between);
  if (way !== '') texts.push(`between them: ${way}`);
  if (outcome === 'refused' && answerSeen !== undefined) texts.push(`RST first seen at ${sanitise(answerSeen)}`);
  if (outcome === 'answer not delivered' && answerSeen !== undefined) {
    texts.push(`SYN-ACK last seen at ${sanitise(answerSeen)}`);
  }
  if (rejection !== undefined) texts.push(sanitise(rejection));
  return texts.join(', ');
}

/** `node1 → node2, the Service's address is not translated yet`. */
function betweenText({ fromNode, toNode, translated, tunnel, proxyMode, policies }: Between): string {
  const texts: string[] = [];
  if (fromNode !== undefined && toNode !== undefined) {
    texts.push(fromNode === toNode ? sanitise(fromNode) : `${sanitise(fromNode)} → ${sanitise(toNode)}`);
  }
  if (translated === false) texts.push("the Service's address not translated yet");
  if (translated === true) texts.push("the Service's address translated");
  if (proxyMode !== undefined) texts.push(`kube-proxy mode ${sanitise(proxyMode)}`);
  if (tunnel !== undefined) texts.push(`in a ${tunnel.kind} tunnel ${sanitise(tunnel.from)} → ${sanitise(tunnel.to)}`);
  if (policies !== undefined) texts.push(policiesText(policies));
  return texts.join(', ');
}

/** `denied by NetworkPolicy shop/deny-all`. */
function policiesText({ names, verdict }: NonNullable<Between['policies']>): string {
  const named = `${names.length === 1 ? 'NetworkPolicy' : 'NetworkPolicies'} ${names.map(sanitise).join(', ')}`;
  if (verdict === 'denied') return `denied by ${named}`;
  return verdict === 'allowed' ? `allowed by ${named}` : `${named} may deny it`;
}

/** Connections that did not come up with what the kernel counted at their places; none where it counted nothing. */
export function connectLines(traces: readonly TraceRecord[], { colours }: TraceStyle): string[] {
  const lines = traces.flatMap((trace) => {
    const { counters } = trace.connect ?? {};
    if (counters === undefined) return [];
    const texts = counters.map(({ place, counter, change }) => `${counter} +${grouped(change)} at ${sanitise(place)}`);
    return [`  ${routeText(trace)} ${trace.connect?.outcome}: ${texts.join(', ')}`];
  });
  if (lines.length === 0) return [];
  return ['', colours.heading('Connections that did not come up, and what the kernel counted meanwhile'), ...lines];
}

/** The hops below one another, each with its time and its share as a bar. */
export function waterfall(trace: TraceRecord, { colours, width }: TraceStyle): string[] {
  const { hops, total, connect } = trace;
  if (total === undefined && connect !== undefined) return [];
  if (total === undefined)
    return ['  where the time went is not known: the request or its response is not complete here'];
  const rows = hops
    .filter(({ latency, kind }) => latency > 0 || kind === 'network')
    .map((hop) => ({ hop, names: `${'  '.repeat(hop.depth)}${hopNames(hop)}` }));
  const room = Math.max(20, Math.min(NAMES_WIDTH, (width ?? 200) - 50));
  const widest = Math.min(
    room,
    rows.reduce((most, { names }) => Math.max(most, cellWidth(names)), 0),
  );
  const kinds = rows.reduce((most, { hop }) => Math.max(most, kindText(hop).length), 0);
  return rows.map(({ hop, names }) => {
    const shown = cutMiddle(names, widest);
    const text = [
      `  ${shown}${' '.repeat(Math.max(0, widest - cellWidth(shown)))}`,
      kindText(hop).padEnd(kinds),
      latencyText(hop.latency).padStart(7),
      bar(hop.latency, total),
      ...remarks(hop),
    ].join('  ');
    return hop === hops[trace.slowest ?? -1] ? colours.heading(text.trimEnd()) : text.trimEnd();
  });
}

/** Where the time of all requests went, by route. */
export function pathTables(paths: readonly PathStats[], style: TraceStyle): string[] {
  return paths.flatMap((path) => ['', ...pathTable(path, style), ...exampleLines(path, style)]);
}

/** The slowest request of a route, and the last one that failed. */
function exampleLines({ count, slowest, lastFailed }: PathStats, style: TraceStyle): string[] {
  const lines = count > 1 && slowest !== undefined ? [`  slowest: ${traceLine(slowest, style)}`] : [];
  if (count > 1 && lastFailed !== undefined && lastFailed !== slowest) {
    lines.push(`  last failed: ${traceLine(lastFailed, style)}`);
  }
  return lines;
}

/** Where the time of a route's requests went, hop by hop. */
export function pathTable(path: PathStats, { colours, width }: TraceStyle): string[] {
  const { total } = path;
  const head = `${sanitise(path.service ?? '?')} ${sanitise(path.route)}: ${counted(path.count, 'request')}, ${grouped(path.failed)} failed`;
  const times = total === undefined ? '' : `, p50 ${latencyText(total.p50)}, p99 ${latencyText(total.p99)}`;
  const shown = path.hops.filter(({ kind, latency }) => kind === 'network' || (latency?.max ?? 0) > 0);
  if (shown.length === 0) return [colours.heading(head + times)];
  const columns = [
    { title: 'HOP', shrinks: 'middle' as const },
    { title: 'KIND' },
    { title: 'COUNT', right: true },
    { title: 'P50', right: true },
    { title: 'P90', right: true, rank: 2 },
    { title: 'P99', right: true },
    { title: 'SHARE', right: true },
    { title: 'LOST', right: true, rank: 1 },
    { title: 'SLOWEST IN', right: true, rank: 3 },
  ];
  return [colours.heading(head + times), ...tableLines(columns, shown.map(hopCells), width, colours)];
}

function hopCells(hop: PathHop): string[] {
  const { latency, lost, slowest } = hop;
  const time = (value: number | undefined) => (value === undefined ? '' : latencyText(value));
  return [
    `${'  '.repeat(hop.depth)}${hopNames(hop)}`,
    HOP_KINDS[hop.kind],
    grouped(latency?.count ?? 0),
    time(latency?.p50),
    time(latency?.p90),
    time(latency?.p99),
    `${Math.round(hop.share * 100)} %`,
    lost === 0 ? '' : grouped(lost),
    slowest === 0 ? '' : grouped(slowest),
  ];
}

/** `shop/web-1 → shop/api-1 network`. */
export function hopText(hop: Pick<HopRecord, 'from' | 'to' | 'kind'>): string {
  return `${hopNames(hop)} ${HOP_KINDS[hop.kind]}`;
}

function hopNames({ from, to }: Pick<HopRecord, 'from' | 'to'>): string {
  return to === undefined ? sanitise(from) : `${sanitise(from)} → ${sanitise(to)}`;
}

function kindText({ kind, calls }: HopRecord): string {
  return kind === 'calls' ? counted(calls ?? 0, 'call') : HOP_KINDS[kind];
}

/** All that the request passed: `shop/client-1 → ingress/edge → shop/web-2`. */
function routeText({ src, dst, hops }: TraceRecord): string {
  const client = peerText(src);
  // Requests to one server often pass the same, and the server has the time in the middle.
  const middle = hops[hops.length >> 1];
  if (middle === undefined) return stopsText([client, peerText(dst)]);
  const known = routes.get(middle.from);
  if (known !== undefined && client === known.client && isSameWay(hops, known.hops)) return known.text;
  const text = stopsText(stopsOf(client, hops));
  if (routes.size >= ROUTES_KEPT) routes.clear();
  routes.set(middle.from, { client, hops, text });
  return text;
}

/** By where the hop in the middle begins: the route that had it last. */
const routes = new Map<
  string,
  { readonly client: string; readonly hops: readonly HopRecord[]; readonly text: string }
>();
const ROUTES_KEPT = 256;

/** Whether hops lead through the same places. */
function isSameWay(some: readonly HopRecord[], others: readonly HopRecord[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index += 1) {
    const { from, to, depth } = some[index] as HopRecord;
    const other = others[index] as HopRecord;
    if (from !== other.from || to !== other.to || depth !== other.depth) return false;
  }
  return true;
}

/** The places that a client's request passed, each once. */
function stopsOf(client: string, hops: readonly HopRecord[]): string[] {
  const stops: string[] = [];
  // A node that puts its own address in place of the client's is passed later.
  const isPassedLater = hops[0]?.from !== client && hops.some(({ depth, to }) => depth === 0 && to === client);
  if (!isPassedLater) stops.push(client);
  for (const { from, to } of hops) {
    if (!stops.includes(from)) stops.push(from);
    if (to !== undefined && !stops.includes(to)) stops.push(to);
  }
  return stops;
}

function stopsText(stops: readonly string[]): string {
  return stops.map(sanitise).join(' → ');
}

function peerText(peer: TraceRecord['src']): string {
  return peer === undefined ? '?' : (peerName(peer) ?? addressOf(peer));
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.round((part / whole) * 100)} %`;
}

function bar(part: number, whole: number): string {
  const eighths = whole === 0 ? 0 : Math.round((part / whole) * BAR * 8);
  return '█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? '') || (part > 0 ? '▏' : '');
}

/** `→ 1.2 ms ← 0.8 ms ± 10 µs`: request and response of a network hop. */
export function waysText({ request, response, error }: OneWay): string {
  const within = error > 0 ? ` ± ${latencyText(error)}` : '';
  return `→ ${latencyText(request)} ← ${latencyText(response)}${within}`;
}

function remarks({ lost, oneWay, service, confidence, label, depth, kind }: HopRecord): string[] {
  const texts = lost.map(
    ({ count, of, after }) =>
      `${counted(count, 'segment')} of the ${of} lost, retransmitted after ${latencyText(after)}`,
  );
  if (oneWay !== undefined) texts.unshift(waysText(oneWay));
  if (kind === 'request' && depth > 0) texts.push(cutToCells(sanitise(label), 60));
  if (service !== undefined) texts.push(`through ${sanitise(service)}`);
  if (confidence === 'likely' && kind === 'request') texts.push('[likely]');
  return texts;
}
