import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withMetricTable } from '../../../scripts/metric-docs.ts';
import { METRICS, type MetricName, prometheusName } from '../../../src/run/otlp/metric-table.ts';

const DOCS = join(import.meta.dirname, '../../../docs');

/** What PromQL has besides metrics and labels in the dashboard. */
const WORDS = new Set(
  'sum max by or rate histogram_quantile histogram_count job label_values error_type network_protocol_name'.split(' '),
);

it('the page has all metrics (node scripts/metric-docs.ts)', () => {
  const page = readFileSync(join(DOCS, 'opentelemetry.md'), 'utf8');
  expect(withMetricTable(page)).toBe(page);
});

it('the dashboard queries only metrics that are exported', () => {
  const names = new Set(
    (Object.keys(METRICS) as MetricName[]).flatMap((name) => {
      const own = prometheusName(name);
      // Scraped histograms have series of their own for buckets and counts.
      return METRICS[name].kind === 'histogram' ? [own, `${own}_bucket`, `${own}_count`] : [own];
    }),
  );
  const text = readFileSync(join(DOCS, 'grafana/ksnoop-services.json'), 'utf8');
  const dashboard = JSON.parse(text) as {
    panels: { targets: { expr: string }[] }[];
    templating: { list: { query: string }[] };
  };
  const queries = [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.map(({ query }) => query),
  ];
  const used = new Set<string>();
  for (const query of queries.filter((each) => each !== 'prometheus')) {
    // Without label lists, ranges and texts.
    const plain = query.replace(/\{[^}]*\}|\[[^\]]*\]|\([a-z_, ]+\) \(/g, ' ');
    for (const [word] of plain.matchAll(/[a-z][a-z0-9_]*/g)) {
      if (WORDS.has(word)) continue;
      expect(names, query).toContain(word);
      used.add(word);
    }
  }
  expect(used.size).toBeGreaterThan(8);
});
