import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import type { SummaryReport } from '../../analyze/summary/report.ts';
import { SUMMARY_FIELDS } from '../../analyze/summary/report-fields.ts';
import { csvRow } from '../../view/csv.ts';
import { CSV_TABLES, type CsvTable, isCsvTable } from '../../view/csv-tables.ts';
import { sanitise } from '../../view/sanitise.ts';
import { summingOutput } from './summing.ts';

/** A table of the summary with a column for each member of its rows, named as in the JSON (docs/exports.md). */
export const csv: AnalysisOutputKind = {
  detail: false,
  packets: false,
  counts: true,
  create: ({ session, line, argument }) => {
    const table = isCsvTable(argument) ? argument : 'services';
    return summingOutput(session, (sums) => {
      const report = { ...sums.report(session.recorder, session.span), sample: session.sample };
      for (const text of csvLines(report, table)) line(text);
    });
  },
};

/** A table of a summary. Of a sample it has one more column: the share of the packets that was analysed. */
export function csvLines(report: SummaryReport, table: CsvTable): string[] {
  const columns = columnsOf(table);
  const { sample } = report;
  const [header, share] = sample === undefined ? [[], []] : [['sample.share'], [sample.share]];
  const rows = rowsOf(report, table).map((row) => [...columns.map((column) => cellOf(row, column)), ...share]);
  return [[...columns, ...header], ...rows].map((row) => csvRow(row));
}

function columnsOf(table: CsvTable): string[] {
  const prefix = `${CSV_TABLES[table]}[].`;
  return Object.keys(SUMMARY_FIELDS)
    .filter((member) => member.startsWith(prefix))
    .map((member) => member.slice(prefix.length));
}

function rowsOf(report: SummaryReport, table: CsvTable): readonly object[] {
  return table === 'tcp' ? report.tcp.servers : report[table];
}

/** The member at a path of a row; a map is a JSON text. */
function cellOf(row: object, path: string): string | number | boolean | undefined {
  const value = path
    .split('.')
    .reduce<unknown>((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), row);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return sanitise(value);
  return value === undefined || value === null ? undefined : sanitise(JSON.stringify(value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
