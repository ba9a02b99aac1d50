// promtool and Prometheus judge what is scraped, the dashboard's queries and the page's configuration.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { Histogram } from '../../../src/analyze/summary/histogram.ts';
import { completeEndpoint } from '../../../src/run/otlp/endpoint.ts';
import { Exporter } from '../../../src/run/otlp/exporter.ts';
import { METRICS, type MetricName } from '../../../src/run/otlp/metric-table.ts';
import { metricsRequest } from '../../../src/run/otlp/metrics-request.ts';
import type { Point } from '../../../src/run/otlp/points.ts';
import { prometheusText } from '../../../src/run/otlp/prometheus-text.ts';
import { ScrapeServer } from '../../../src/run/otlp/scrape-server.ts';
import { Telemetry } from '../../../src/run/otlp/telemetry.ts';
import { plainSettings } from '../../support/analysis-session.ts';
import { GO_BUILD_MS } from '../../support/go-program.ts';
import { PrometheusServer, promtool } from '../../support/prometheus.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
const CAPTURES = join(import.meta.dirname, '../analysis/captures');
const GENEROUS = { timeout: 120_000, interval: 500 };
/** An odd text as a label has it: of a route, or of a server's words. */
const ODD = 'a "b"\n\\ {c="d"} # é \u0000';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-promtool-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A point of every metric, of which `number` were counted. */
function everyMetric(service: string, number: number): Point[] {
  return (Object.keys(METRICS) as MetricName[]).map((metric) => {
    const durations = new Histogram();
    for (let each = 0; each < number; each += 1) durations.record(1e6);
    return {
      resource: { 'service.name': service },
      metric,
      attributes: { 'error.type': ODD, 'ksnoop.tcp.outcome': 'reset' },
      value: METRICS[metric].kind === 'histogram' ? durations : number,
    };
  });
}

/** What Prometheus gets of a capture. */
async function scraped(file: string): Promise<string> {
  const signals = ['metrics'] as const;
  const endpoint = completeEndpoint({
    url: undefined,
    headers: [],
    ca: undefined,
    signals,
    environment: {},
    optional: true,
  });
  const exporter = new Exporter({ endpoint, live: false, warn: () => undefined });
  const scrape = await ScrapeServer.listen({ host: '127.0.0.1', port: 0 });
  try {
    const settings = { exporter, spans: 'none', intervalMs: 10_000, resource: endpoint.resource, scrape } as const;
    const create = ({ session }: { session: AnalysisSession }) => new Telemetry(session, false, settings);
    const session = new AnalysisSession({ detail: true, packets: false, create }, plainSettings());
    session.push(readFileSync(file));
    session.end();
    return await (await fetch(`http://127.0.0.1:${scrape.port}/metrics`)).text();
  } finally {
    scrape.close();
  }
}

describe('promtool', { timeout: GO_BUILD_MS }, () => {
  it('finds nothing wrong with what is scraped', async () => {
    for (const name of ['wrong-service.pcapng', 'syn-unanswered.pcapng']) {
      const text = await scraped(join(CAPTURES, name));
      expect(text).toContain('# TYPE ksnoop_packets_total counter');
      expect(await promtool(['check', 'metrics'], text), name).toEqual({ code: 0, output: '' });
    }
    expect(await promtool(['check', 'metrics'], prometheusText(everyMetric('odd', 3)))).toEqual({
      code: 0,
      output: '',
    });
  });

  it('takes the configurations of the page', async () => {
    const page = readFileSync(join(DOCS, 'opentelemetry.md'), 'utf8');
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
    expect(blocks).toHaveLength(2);
    for (const text of blocks) {
      const file = join(directory, 'page.yml');
      writeFileSync(file, text);
      const { code, output } = await promtool(['check', 'config', file]);
      expect(code, output).toBe(0);
    }
  });
});

describe('the dashboard', () => {
  let prometheus: PrometheusServer | undefined;
  let scrape: ScrapeServer | undefined;
  let timer: NodeJS.Timeout | undefined;
  afterAll(() => {
    clearInterval(timer);
    prometheus?.kill();
    scrape?.close();
  });

  beforeAll(async () => {
    scrape = await ScrapeServer.listen({ host: '127.0.0.1', port: 0 });
    let scrapes = 0;
    scrape.serve(() => {
      scrapes += 1;
      return prometheusText(everyMetric('by-scrape', scrapes));
    });
    prometheus = await PrometheusServer.start(directory, scrape.port);
    const { url } = prometheus;
    const start = BigInt(Date.now()) * 1_000_000n;
    let posts = 0;
    timer = setInterval(async () => {
      const now = BigInt(Date.now()) * 1_000_000n;
      posts += 1;
      const body = JSON.stringify(metricsRequest(everyMetric('by-otlp', posts), { start, now }));
      const headers = { 'content-type': 'application/json' };
      await fetch(`${url}/api/v1/otlp/v1/metrics`, { method: 'POST', headers, body });
    }, 1000);
  }, GO_BUILD_MS);

  const { panels } = JSON.parse(readFileSync(join(DOCS, 'grafana/ksnoop-services.json'), 'utf8')) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

  describe.each(['by-scrape', 'by-otlp'])('%s', (job) => {
    it.each(queries)('$title: $expr', { timeout: GO_BUILD_MS }, async ({ expr }) => {
      const query = expr.replaceAll('$job', job).replaceAll(/\$__(rate_interval|range)/g, '1m');
      expect(query).not.toContain('$');
      await vi.waitFor(async () => {
        const { code, output } = await promtool(['query', 'instant', prometheus?.url ?? '', query]);
        expect(code, output).toBe(0);
        // A number, not a histogram: `{job="web"} => 1 @[1700000000.000]`.
        expect(output, query).toMatch(/=> [\d.e-]+ @\[/);
      }, GENEROUS);
    });
  });
});
