import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS, type MetricName, prometheusName } from '../src/run/otlp/metric-table.ts';

const PAGE = join(import.meta.dirname, '../docs/opentelemetry.md');
const [BEGIN, END] = ['<!-- metrics -->', '<!-- end of metrics -->'];

/** docs/opentelemetry.md with the table of all metrics, which is made from the code. */
export function withMetricTable(page: string): string {
  const rows = Object.entries(METRICS).map(
    ([name, { kind, unit, about }]) =>
      `| \`${name}\` | ${kind}, \`${unit}\` | ${about} | \`${prometheusName(name as MetricName)}\` |`,
  );
  const table = ['| metric | | | in Prometheus |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const [before = '', rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1] ?? '';
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}

if (import.meta.main) writeFileSync(PAGE, withMetricTable(readFileSync(PAGE, 'utf8')));
