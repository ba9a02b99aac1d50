import type { Difference, DiffReport, SideTotals, Untimed } from '../analyze/diff/difference.ts';
import type { Finding } from '../analyze/findings/finding.ts';
import type { Colours } from './colour.ts';
import { sanitise } from './sanitise.ts';
import { tableLines } from './table.ts';
import { byteSize, counted, grouped, latencyText, timeSpan } from './units.ts';

export interface DiffStyle {
  readonly colours: Colours;
  /** Cells of a line; undefined for any number. */
  readonly width: number | undefined;
  /** What both sides are called. */
  readonly names: readonly [a: string, b: string];
}

/** A comparison for people: what is compared, then what differs. */
export function diffLines(report: DiffReport, { colours, width, names }: DiffStyle): string[] {
  const { a, b, differences, untimed, appeared, resolved } = report;
  const head = [`A ${sanitise(names[0])}: ${totalsText(a)}`, `B ${sanitise(names[1])}: ${totalsText(b)}`];
  const unknown = untimedText(untimed, width, colours);
  if (differences.length + appeared.length + resolved.length === 0)
    return [...head, 'No difference beyond noise.', ...unknown];
  const rows = differences.map((difference) => [
    mark(difference, colours),
    sanitise(difference.subject),
    sanitise(difference.detail),
    sanitise(difference.what),
    valueText(difference, 'a'),
    valueText(difference, 'b'),
    factorText(difference),
    ofText(difference),
  ]);
  const columns = [
    { title: '' },
    { title: 'SUBJECT', shrinks: 'middle' as const },
    { title: 'ROUTE', shrinks: 'middle' as const },
    { title: 'WHAT', shrinks: 'end' as const },
    { title: 'A', right: true },
    { title: 'B', right: true },
    { title: 'CHANGE', right: true, rank: 1 },
    { title: 'OF', right: true, rank: 2 },
  ];
  const table =
    rows.length === 0
      ? []
      : ['', colours.heading('Differences beyond noise'), ...tableLines(columns, rows, width, colours)];
  return [
    ...head,
    ...table,
    ...unknown,
    ...findingsText('Findings only in B', appeared, colours),
    ...findingsText('Findings only in A', resolved, colours),
  ];
}

function totalsText({ exchanges, connections, duration }: SideTotals): string {
  return `${counted(exchanges, 'exchange')} and ${counted(connections, 'TCP connection')} in ${timeSpan(duration / 1e6)}`;
}

function mark({ worse }: Difference, colours: Colours) {
  if (worse === undefined) return '';
  return worse ? { text: 'worse', paint: (text: string) => colours.failure(text) } : 'better';
}

function valueText(difference: Difference, side: 'a' | 'b'): string {
  const value = difference[side];
  if (difference.unit === 'ns') return latencyText(value);
  if (difference.unit === 'rate') return grouped(value);
  const percent = value * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

function factorText({ a, b }: Difference): string {
  if (a === 0) return 'new';
  if (b === 0) return 'gone';
  const factor = b / a;
  return `${factor < 10 ? factor.toPrecision(2) : Math.round(factor)}x`;
}

function ofText({ unit, ofA, ofB }: Difference): string {
  return unit === 'rate' ? `${byteSize(ofA)}, ${byteSize(ofB)}` : `${grouped(ofA)}, ${grouped(ofB)}`;
}

function untimedText(untimed: readonly Untimed[], width: number | undefined, colours: Colours): string[] {
  if (untimed.length === 0) return [];
  const columns = [
    { title: 'SUBJECT', shrinks: 'middle' as const },
    { title: 'ROUTE', shrinks: 'middle' as const },
    { title: 'TIMED A', right: true },
    { title: 'TIMED B', right: true },
  ];
  const rows = untimed.map(({ subject, detail, timedA, ofA, timedB, ofB }) => [
    sanitise(subject),
    sanitise(detail),
    `${grouped(timedA)} of ${grouped(ofA)}`,
    `${grouped(timedB)} of ${grouped(ofB)}`,
  ]);
  const title = 'Latencies not compared, because one capture has too few';
  return ['', colours.heading(title), ...tableLines(columns, rows, width, colours)];
}

function findingsText(title: string, findings: readonly Finding[], colours: Colours): string[] {
  if (findings.length === 0) return [];
  const lines = findings.map(({ severity, message, code }) => {
    const word = severity === 'error' ? colours.failure('ERROR') : severity === 'warning' ? 'WARNING' : 'INFO';
    return `${word} ${sanitise(message)} ${colours.aside(`[${code}]`)}`;
  });
  return ['', colours.heading(title), ...lines];
}
