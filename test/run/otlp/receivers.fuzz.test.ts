// Programs of others take what ksnoop exports: Prometheus and an OpenTelemetry Collector, built from their Go modules.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Histogram } from '../../../src/analyze/summary/histogram.ts';
import { observeCommand } from '../../../src/cli/observe/command.ts';
import { summary } from '../../../src/run/analysis/summary.ts';
import { METRICS, prometheusName } from '../../../src/run/otlp/metric-table.ts';
import type { Point } from '../../../src/run/otlp/points.ts';
import { prometheusText } from '../../../src/run/otlp/prometheus-text.ts';
import { ScrapeServer } from '../../../src/run/otlp/scrape-server.ts';
import { analysed } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtPcap } from '../../support/built-capture.ts';
import { GO_BUILD_MS, goProgram } from '../../support/go-program.ts';
import { freePort, PrometheusServer } from '../../support/prometheus.ts';
import { Random } from '../../support/random.ts';

const WRONG_SERVICE = join(import.meta.dirname, '../analysis/captures/wrong-service.pcapng');
const MESH = join(import.meta.dirname, '../../analyze/trace/captures/mesh');
/** An odd number: at no percentile that is asked is the rank between two exchanges. */
const EXCHANGES = 1001;
const GENEROUS = { timeout: 120_000, interval: 200 };

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-otlp-'));
const processes: ChildProcess[] = [];
afterAll(() => {
  for (const process of processes) process.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function started(program: string, ...words: string[]): { output(): string } {
  const child = spawn(program, words, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  processes.push(child);
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(String(chunk)));
  return { output: () => chunks.join('') };
}

function observe(file: string, otlp: string, signals: string): Promise<number> {
  const options = {
    otlp,
    signals,
    otlpHeader: [],
    spans: 'all',
    interval: '10s',
    interface: 'any',
    quiet: true,
  } as const;
  return observeCommand([file], options);
}

/** A connection of many requests whose latencies are spread over five powers of ten. */
function manyRequests(): string {
  const random = new Random(7);
  const request = 'GET /cart HTTP/1.1\r\nHost: web\r\n\r\n';
  const response = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const segments: BuiltSegment[] = [
    { side: 0, sequence: 0, flags: 'S', at: 0 },
    { side: 1, sequence: 0, acknowledgment: 1, flags: 'S.', at: 0.1 },
    { side: 0, sequence: 1, acknowledgment: 1, at: 0.2 },
  ];
  let [at, sent, received] = [1, 1, 1];
  for (let number = 0; number < EXCHANGES; number += 1) {
    segments.push({ side: 0, sequence: sent, acknowledgment: received, payload: request, at });
    sent += request.length;
    at += 10 ** (random.below(50_000) / 10_000 - 2);
    segments.push({ side: 1, sequence: received, acknowledgment: sent, payload: response, at });
    received += response.length;
    at += 1;
  }
  const file = join(directory, 'many.pcap');
  writeFileSync(file, builtPcap(segments));
  return file;
}

/** What is scraped: a counter whose label has all that is escaped, and a histogram. */
const POINTS: readonly Point[] = [
  {
    resource: { 'service.name': 'scraped' },
    metric: 'ksnoop.exchanges',
    attributes: { 'error.type': 'a "b"\n\\' },
    value: 7,
  },
  {
    resource: { 'service.name': 'scraped' },
    metric: 'dns.lookup.duration',
    attributes: {},
    value: durations(900, 100),
  },
];

/** So many durations of 1 ms and of 1 s. */
function durations(short: number, long: number): Histogram {
  const made = new Histogram();
  for (let number = 0; number < short + long; number += 1) made.record(number < short ? 1e6 : 1e9);
  return made;
}

describe('Prometheus', () => {
  let prometheus: PrometheusServer | undefined;
  let scrape: ScrapeServer | undefined;
  afterAll(() => {
    prometheus?.kill();
    scrape?.close();
  });

  beforeAll(async () => {
    scrape = await ScrapeServer.listen({ host: '127.0.0.1', port: 0 });
    scrape.serve(() => prometheusText(POINTS));
    prometheus = await PrometheusServer.start(directory, scrape.port);
  }, GO_BUILD_MS);

  const value = async (query: string, time: number) => (await prometheus?.value(query, time)) ?? Number.NaN;

  it('has the counts and, within 1.1 %, the percentiles of the summary', async () => {
    const file = manyRequests();
    expect(await observe(file, `${prometheus?.url}/api/v1/otlp`, 'metrics')).toBe(0);
    const { lines, session } = analysed(summary, readFileSync(file), { json: true });
    const report = JSON.parse(lines[0] ?? '') as { services: { latency: Record<string, number> }[] };
    const latency = report.services[0]?.latency ?? {};
    const end = Number(session.capture.analysis.clock.absolute(session.span?.last ?? 0)) / 1e9 + 1;
    const name = prometheusName('http.server.request.duration');
    expect(await value(`histogram_count(${name})`, end)).toBe(EXCHANGES);
    for (const [member, share] of [
      ['p50', 0.5],
      ['p90', 0.9],
      ['p99', 0.99],
    ] as const) {
      const theirs = (await value(`histogram_quantile(${share}, ${name})`, end)) * 1e9;
      const ours = latency[member] ?? Number.NaN;
      expect(Math.abs(theirs - ours) / ours, `${member}: ${theirs} and ${ours} ns`).toBeLessThanOrEqual(0.0111);
    }
  });

  it('scrapes what --prometheus-listen answers', async () => {
    const now = () => Date.now() / 1000;
    await vi.waitFor(async () => expect(await value('up{job="ksnoop"}', now())).toBe(1), GENEROUS);
    const counter = 'ksnoop_exchanges_total{job="scraped",error_type="a \\"b\\"\\n\\\\"}';
    await vi.waitFor(async () => expect(await value(counter, now())).toBe(7), GENEROUS);
    const name = `${prometheusName('dns.lookup.duration')}`;
    expect(await value(`${name}_count{job="scraped"}`, now())).toBe(1000);
    expect(await value(`${name}_sum{job="scraped"}`, now())).toBeCloseTo(100.9, 6);
    // Buckets end at powers of two.
    const median = await value(`histogram_quantile(0.5, ${name}_bucket{job="scraped"})`, now());
    expect(median).toBeGreaterThan(2 ** -11);
    expect(median).toBeLessThanOrEqual(2 ** -9);
  });

  it('calls the metrics as the page and the dashboard do', async () => {
    expect(await observe(WRONG_SERVICE, `${prometheus?.url}/api/v1/otlp`, 'metrics')).toBe(0);
    const asked = await fetch(`${prometheus?.url}/api/v1/label/__name__/values`);
    const { data } = (await asked.json()) as { data: string[] };
    const known = Object.keys(METRICS).map((name) => prometheusName(name as keyof typeof METRICS));
    // Of Prometheus itself, of a scrape, and of histograms in the text format.
    const others = /^(target_info|up|scrape_.*|.*_(bucket|sum|count))$/;
    expect(data.filter((name) => !others.test(name) && !known.includes(name))).toEqual([]);
    expect(data.length).toBeGreaterThan(8);
  });
});

describe('an OpenTelemetry Collector', { timeout: GO_BUILD_MS }, () => {
  /** One that prints what it takes. */
  async function collector(): Promise<{ readonly url: string; output(): string }> {
    const program = await goProgram('collector');
    const port = await freePort();
    const config = join(directory, `collector-${port}.yaml`);
    const pipeline = '{ receivers: [otlp], exporters: [debug] }';
    writeFileSync(
      config,
      `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { debug: { verbosity: detailed } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { metrics: ${pipeline}, traces: ${pipeline}, logs: ${pipeline} }
`,
    );
    const { output } = started(program, '--config', config);
    await vi.waitFor(() => expect(output()).toContain('Everything is ready'), GENEROUS);
    return { url: `http://127.0.0.1:${port}`, output };
  }

  it('takes metrics, spans and log records', async () => {
    const { url, output } = await collector();
    expect(await observe(WRONG_SERVICE, url, 'metrics,traces,logs')).toBe(0);
    await vi.waitFor(() => expect(output().match(/^ +Trace ID +: [0-9a-f]{32}$/gm)).toHaveLength(66), GENEROUS);
    await vi.waitFor(() => expect(output()).toContain('EventName: ksnoop.finding'), GENEROUS);
    await vi.waitFor(() => expect(output()).toContain('-> Name: http.server.request.duration'), GENEROUS);
    const text = output();
    expect(text).toContain('DataType: ExponentialHistogram');
    expect(text).toContain('AggregationTemporality: Cumulative');
    expect(text).toContain('k8s.pod.name: Str(web-7997b97dcc-4wwvv)');
    expect(text).not.toMatch(/\terror\t/);
  });

  it.each([
    ['http2', 'parents'],
    ['http1', 'links'],
  ])('takes the spans of %s through sidecars with their %s', async (name, kind) => {
    const { url, output } = await collector();
    expect(await observe(join(MESH, `${name}.pcapng`), url, 'traces')).toBe(0);
    const spans = () =>
      [
        ...output().matchAll(
          /^ +Trace ID +: (\w{32})\n +Parent ID +: (\w*)\n +ID +: (\w{16})\n +Name +: (.*)\n(?:(?!Span #|Resource).*\n)*/gm,
        ),
      ].map(([text, trace, parent = '', id, label]) => {
        const link =
          / -> Trace ID: (\w{32})\n +-> ID: (\w{16})(?:\n.*)*?ksnoop\.joined: Str\(likely\)/.exec(text) ?? [];
        return { trace, parent, id, label, linkedTrace: link[1], linked: link[2] };
      });
    const requests = () => spans().filter(({ label }) => label?.startsWith('GET'));
    await vi.waitFor(() => expect(requests().length).toBeGreaterThanOrEqual(24), GENEROUS);
    const below = requests().filter(({ parent, linked }) =>
      kind === 'parents' ? parent !== '' : linked !== undefined,
    );
    expect(below.length).toBeGreaterThanOrEqual(12);
    for (const { trace, parent, linked, linkedTrace } of below) {
      const to = kind === 'parents' ? { trace, id: parent } : { trace: linkedTrace, id: linked };
      expect(spans()).toContainEqual(expect.objectContaining(to));
    }
    expect(output()).not.toMatch(/\terror\t/);
  });
});
