import type { Finding } from '../findings/finding.ts';
import { CONNECTION, type ExchangeRow } from '../summary/exchange-rows.ts';
import type { TcpRow } from '../summary/tcp-health.ts';
import type { SummaryTotals } from '../summary/totals.ts';
import type { Area, Difference, DiffReport, SideTotals, Untimed } from './difference.ts';
import { isMedianKnown, percentilesDiffer, ratesDiffer, type Share, sharesDiffer } from './noise.ts';

/** One of the two that are compared. */
export interface Side {
  readonly summary: SummaryTotals;
  readonly findings: readonly Finding[];
  readonly totals: SideTotals;
}

const PERCENTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p99', 0.99],
] as const;

const BYTES_OF_RATE = 1e6;

/** What differs between two captures by more than noise (docs/diff.md says the rule). */
export function compared(a: Side, b: Side): DiffReport {
  const differences = [...routes(a, b), ...dns(a, b), ...tls(a, b), ...tcp(a, b)];
  const rank = ({ worse }: Difference) => (worse === true ? 0 : worse === undefined ? 1 : 2);
  const key = ({ code, subject }: Finding) => JSON.stringify([code, subject]);
  const [inA, inB] = [new Set(a.findings.map(key)), new Set(b.findings.map(key))];
  return {
    a: a.totals,
    b: b.totals,
    differences: differences.sort((one, two) => rank(one) - rank(two) || compareTexts(one.subject, two.subject)),
    untimed: untimed(a, b).sort((one, two) => compareTexts(one.subject, two.subject)),
    appeared: b.findings.filter((finding) => !inA.has(key(finding))),
    resolved: a.findings.filter((finding) => !inB.has(key(finding))),
  };
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a row is called in a difference. */
type Named = Pick<Difference, 'area' | 'subject' | 'detail'>;

/** Rows of both sides that have one name. */
function pairs<Row>(
  a: readonly (Named & { readonly row: Row })[],
  b: readonly (Named & { readonly row: Row })[],
): { readonly name: Named; readonly a: Row | undefined; readonly b: Row | undefined }[] {
  const all = new Map<string, { name: Named; a: Row | undefined; b: Row | undefined }>();
  const key = ({ area, subject, detail }: Named) => JSON.stringify([area, subject, detail]);
  for (const { row, ...name } of a) all.set(key(name), { name, a: row, b: undefined });
  for (const { row, ...name } of b) {
    const known = all.get(key(name));
    if (known === undefined) all.set(key(name), { name, a: undefined, b: row });
    else known.b = row;
  }
  return [...all.values()];
}

/** Latencies that one side has enough of, and the other would have if all its exchanges had one. */
function untimed(a: Side, b: Side): Untimed[] {
  const all = (side: Side) => [...namedRoutes(side), ...namedDns(side), ...namedTls(side)];
  return pairs(all(a), all(b)).flatMap(({ name, a: one, b: two }) => {
    if (one === undefined || two === undefined) return [];
    if (!isMedianKnown(one.count) || !isMedianKnown(two.count)) return [];
    if (isMedianKnown(one.latency.count) === isMedianKnown(two.latency.count)) return [];
    return [{ ...name, timedA: one.latency.count, ofA: one.count, timedB: two.latency.count, ofB: two.count }];
  });
}

function namedRoutes({ summary }: Side) {
  return summary.tables.routes
    .sorted()
    .filter(({ head: { protocol } }) => protocol !== 'dns' && protocol !== 'tls' && protocol !== CONNECTION)
    .map(({ head: { service, protocol, route }, row }) => ({
      area: 'route' as const,
      subject: service,
      detail: `${protocol} ${route}`,
      row,
    }));
}

function routes(a: Side, b: Side): Difference[] {
  const [one, two] = [namedRoutes(a), namedRoutes(b)];
  const ofService = (rows: readonly { readonly subject: string; readonly row: ExchangeRow }[]) => {
    const totals = new Map<string, number>();
    for (const { subject, row } of rows) totals.set(subject, (totals.get(subject) ?? 0) + row.count);
    return totals;
  };
  const [totalsA, totalsB] = [ofService(one), ofService(two)];
  return pairs(one, two).flatMap(({ name, a: rowA, b: rowB }) => {
    if (rowA !== undefined && rowB !== undefined) return exchanges(name, rowA, rowB);
    // A route that appeared or disappeared shows in its share of the Service's exchanges; a whole Service in its share of all.
    const ofA = totalsA.get(name.subject) ?? a.totals.exchanges;
    const ofB = totalsB.get(name.subject) ?? b.totals.exchanges;
    return shares(name, 'traffic', {
      a: { cases: rowA?.count ?? 0, of: ofA },
      b: { cases: rowB?.count ?? 0, of: ofB },
    });
  });
}

function namedDns({ summary }: Side) {
  return summary.tables.dns.sorted().map(({ head: { type, name }, row }) => ({
    area: 'dns' as const,
    subject: name,
    detail: type ?? '',
    row,
  }));
}

function dns(a: Side, b: Side): Difference[] {
  const [one, two] = [namedDns(a), namedDns(b)];
  const [ofA, ofB] = [sumOf(one, ({ count }) => count), sumOf(two, ({ count }) => count)];
  return pairs(one, two).flatMap(({ name, a: rowA, b: rowB }) =>
    rowA === undefined || rowB === undefined
      ? shares(name, 'traffic', { a: { cases: rowA?.count ?? 0, of: ofA }, b: { cases: rowB?.count ?? 0, of: ofB } })
      : exchanges(name, rowA, rowB),
  );
}

function namedTls({ summary }: Side) {
  return summary.tables.tls.sorted().map(({ head: { sni, version }, row }) => ({
    area: 'tls' as const,
    subject: sni ?? '-',
    detail: version ?? '-',
    row,
  }));
}

/** Versions of a server name by their share of its handshakes; failures and times of each. */
function tls(a: Side, b: Side): Difference[] {
  const [one, two] = [namedTls(a), namedTls(b)];
  const all = (rows: typeof one, sni: string) =>
    rows.filter(({ subject }) => subject === sni).reduce((sum, { row }) => sum + row.count, 0);
  return pairs(one, two).flatMap(({ name, a: rowA, b: rowB }) => {
    const version = shares(name, 'handshakes with this version', {
      a: { cases: rowA?.count ?? 0, of: all(one, name.subject) },
      b: { cases: rowB?.count ?? 0, of: all(two, name.subject) },
    });
    const same = rowA === undefined || rowB === undefined ? [] : exchanges(name, rowA, rowB);
    return [...version, ...same];
  });
}

function tcp(a: Side, b: Side): Difference[] {
  const named = ({ summary }: Side) =>
    summary.tables.tcp.sorted().map(({ head: { server, port }, row }) => ({
      area: 'tcp' as const,
      subject: server,
      detail: port === 0 ? '' : `port ${port}`,
      row,
    }));
  const [one, two] = [named(a), named(b)];
  const [ofA, ofB] = [sumOf(one, ({ connections: all }) => all), sumOf(two, ({ connections: all }) => all)];
  return pairs(one, two).flatMap(({ name, a: rowA, b: rowB }) =>
    rowA === undefined || rowB === undefined
      ? shares(name, 'traffic', {
          a: { cases: rowA?.connections ?? 0, of: ofA },
          b: { cases: rowB?.connections ?? 0, of: ofB },
        })
      : connections(name, rowA, rowB),
  );
}

function sumOf<Row>(rows: readonly { readonly row: Row }[], pick: (row: Row) => number): number {
  return rows.reduce((sum, { row }) => sum + pick(row), 0);
}

function connections(name: Named, a: TcpRow, b: TcpRow): Difference[] {
  const found = (
    [
      ['connections refused', 'refused'],
      ['connections without an answer', 'unanswered'],
      ['connections reset by the server', 'resetByServer'],
      ['connections reset by the client', 'resetByClient'],
    ] as const
  ).flatMap(([what, member]) =>
    shares(name, what, {
      a: { cases: a[member], of: a.connections },
      b: { cases: b[member], of: b.connections },
      isBad: true,
    }),
  );
  const [one, two] = [
    { events: a.retransmissions, bytes: a.bytes },
    { events: b.retransmissions, bytes: b.bytes },
  ];
  if (ratesDiffer(one, two)) {
    const per = ({ events, bytes }: typeof one) => (events / bytes) * BYTES_OF_RATE;
    const numbers = { a: per(one), b: per(two), ofA: one.bytes, ofB: two.bytes };
    found.push({ ...name, what: 'retransmissions per MB', unit: 'rate', ...numbers, worse: numbers.b > numbers.a });
  }
  return [...found, ...latencies({ ...name, area: 'tcp' }, 'setup ', a.handshake, b.handshake)];
}

function exchanges(name: Named, a: ExchangeRow, b: ExchangeRow): Difference[] {
  const failed = shares(name, 'failed', {
    a: { cases: a.failed, of: a.count },
    b: { cases: b.failed, of: b.count },
    isBad: true,
  });
  const [inA, inB] = [served(a.statuses()), served(b.statuses())];
  const statuses = [...new Set([...inA.counts.keys(), ...inB.counts.keys()])].flatMap((status) =>
    shares(name, `status ${status}`, {
      a: { cases: inA.counts.get(status) ?? 0, of: a.count - inA.unknown },
      b: { cases: inB.counts.get(status) ?? 0, of: b.count - inB.unknown },
    }),
  );
  return [...failed, ...statuses, ...latencies(name, '', a.latency, b.latency)];
}

/** What follows the code of a response of which a part is missing. */
const INCOMPLETE = ' (incomplete)';

/** Of exchanges without a status: what tells of the capture, not of the server. */
const OF_CAPTURE: ReadonlySet<string> = new Set([
  'capture ended',
  'request not captured',
  'response not captured',
  'unknown',
]);

interface Served {
  readonly counts: ReadonlyMap<string, number>;
  /** Exchanges of which it is not known what the server sent. */
  readonly unknown: number;
}

/** Statuses by what the server sent: how much of it was captured, or is proven, differs from capture to capture. */
function served(statuses: Readonly<Record<string, number>>): Served {
  const counts = new Map<string, number>();
  let unknown = 0;
  for (const [status, count] of Object.entries(statuses)) {
    if (OF_CAPTURE.has(status)) {
      unknown += count;
      continue;
    }
    const code = status.endsWith(INCOMPLETE) ? status.slice(0, -INCOMPLETE.length) : status;
    counts.set(code, (counts.get(code) ?? 0) + count);
  }
  return { counts, unknown };
}

function latencies(name: Named, prefix: string, a: ExchangeRow['latency'], b: ExchangeRow['latency']): Difference[] {
  return PERCENTILES.flatMap(([what, share]): Difference[] => {
    if (!percentilesDiffer(a, b, share)) return [];
    const numbers = { a: a.percentile(share), b: b.percentile(share), ofA: a.count, ofB: b.count };
    return [{ ...name, what: prefix + what, unit: 'ns', ...numbers, worse: numbers.b > numbers.a }];
  });
}

/** Both captures' shares of something. */
interface Shares {
  readonly a: Share;
  readonly b: Share;
  readonly isBad?: boolean;
}

function shares(name: Named, what: string, { a, b, isBad = false }: Shares): Difference[] {
  if (!sharesDiffer(a, b)) return [];
  const numbers = { a: a.cases / a.of, b: b.cases / b.of, ofA: a.of, ofB: b.of };
  const area: Area = name.area;
  const worse = isBad ? numbers.b > numbers.a : undefined;
  return [{ ...name, area, what, unit: 'share', ...numbers, worse }];
}
