import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SummaryReport } from '../../../src/analyze/summary/report.ts';
import { summary } from '../../../src/run/analysis/summary.ts';
import { analysed } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtPcap } from '../../support/built-capture.ts';
import { exported, type Span, type Value } from '../../support/exported-telemetry.ts';
import { attributesIn } from '../../support/otlp-receiver.ts';

const WRONG_SERVICE = join(import.meta.dirname, '../analysis/captures/wrong-service.pcapng');

interface DataPoint {
  attributes: Value[];
  count: string;
  sum: number;
  asInt: string;
  scale: number;
  startTimeUnixNano: string;
  timeUnixNano: string;
  positive: { offset: number; bucketCounts: string[] };
}
interface MetricMessage {
  resourceMetrics: {
    resource: { attributes: Value[] };
    scopeMetrics: {
      metrics: { name: string; unit: string; exponentialHistogram?: Points; sum?: Points; gauge?: Points }[];
    }[];
  }[];
}
interface Points {
  aggregationTemporality: number;
  dataPoints: DataPoint[];
}
function pointsOf(message: unknown, name: string) {
  return ((message as MetricMessage | undefined)?.resourceMetrics ?? []).flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics
        .filter((metric) => metric.name === name)
        .flatMap(({ exponentialHistogram, sum, gauge }) =>
          ((exponentialHistogram ?? sum ?? gauge)?.dataPoints ?? []).map((point) => ({
            point,
            resource: attributesIn(resource.attributes),
            attributes: attributesIn(point.attributes),
          })),
        ),
    ),
  );
}

describe('what an analysis finds, for OpenTelemetry', () => {
  it('has the counts of the summary, by resource, route and status', async () => {
    const bytes = readFileSync(WRONG_SERVICE);
    const { metrics, spans, logs } = await exported(bytes, {
      environment: { OTEL_RESOURCE_ATTRIBUTES: 'k8s.cluster.name=prod,service.name=mine' },
    });
    const report = JSON.parse(analysed(summary, bytes, { json: true }).lines[0] ?? '') as SummaryReport;
    const durations = pointsOf(metrics.at(-1), 'http.server.request.duration');
    for (const { service, count, failed } of report.services) {
      const own = pointsOf(metrics.at(-1), 'ksnoop.exchanges').filter(
        ({ resource }) => `${resource['k8s.service.name']}.${resource['k8s.namespace.name']}` === service,
      );
      const sumOf = (points: typeof own) => points.reduce((sum, { point }) => sum + Number(point.asInt), 0);
      expect(sumOf(own)).toBe(count);
      expect(sumOf(own.filter(({ attributes }) => attributes['error.type'] !== undefined))).toBe(failed);
    }
    const complete = report.services.reduce((sum, { latency }) => sum + (latency?.count ?? 0), 0);
    expect(durations.reduce((sum, found) => sum + Number(found.point.count), 0)).toBe(complete);
    for (const found of durations) {
      const { scale, positive, count } = found.point;
      expect(scale).toBe(5);
      expect(positive.bucketCounts.reduce((sum, bucket) => sum + Number(bucket), 0)).toBe(Number(count));
      expect(found.resource).toMatchObject({ 'k8s.cluster.name': 'prod', 'service.namespace': 'shop' });
      expect(['web', 'api']).toContain(found.resource['service.name']);
    }
    expect(durations.map((found) => found.attributes)).toContainEqual({
      'http.request.method': 'GET',
      'http.route': '/unavailable',
      'http.response.status_code': '503',
      'error.type': '503',
    });
    expect(pointsOf(metrics.at(-1), 'ksnoop.findings').length).toBeGreaterThan(0);
    expect(spans).toHaveLength(66);
    expect(JSON.stringify(logs)).toContain('"eventName":"ksnoop.finding"');
  });

  it('has spans below those that their traceparent names, with masked secrets, and ids that are the same again', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const capture = built(`traceparent: 00-${trace}-00f067aa0ba902b7-01\r\nCookie: s3cret\r\n`);
    const { spans } = await exported(capture);
    expect(spans).toHaveLength(2);
    const [traced, untraced] = spans as [Span, Span];
    expect(traced).toMatchObject({
      traceId: trace,
      parentSpanId: '00f067aa0ba902b7',
      kind: 2,
      name: 'GET /cart',
      startTimeUnixNano: '1700000000001000000',
      endTimeUnixNano: '1700000000003000000',
    });
    expect(attributesIn(traced.attributes)).toMatchObject({ 'url.path': '/cart', 'http.response.status_code': '500' });
    expect(untraced.parentSpanId).toBeUndefined();
    expect(untraced.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(untraced.spanId).not.toBe(traced.spanId);
    expect(JSON.stringify(spans)).not.toContain('s3cret');
    expect((await exported(capture)).spans).toEqual(spans);
    expect((await exported(capture, { spans: 'sampled' })).spans).toEqual([traced]);
    expect((await exported(capture, { spans: 'failed' })).spans).toEqual([traced, untraced]);
    expect((await exported(capture, { spans: 'none' })).spans).toEqual([]);
  });

  it('takes no traceparent that is not valid', async () => {
    for (const wrong of [
      'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
      '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
    ]) {
      const { spans } = await exported(built(`traceparent: ${wrong}\r\n`));
      expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, undefined]);
    }
  });

  it('has metrics for each interval of the packets, never less than before', async () => {
    const { metrics } = await exported(built('', 35_000));
    expect(metrics.length).toBeGreaterThan(1);
    const counts = metrics.map((message) =>
      pointsOf(message, 'ksnoop.exchanges').reduce((sum, found) => sum + Number(found.point.asInt), 0),
    );
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe(2);
    const times = metrics.map((message) => pointsOf(message, 'ksnoop.packets')[0]?.point.timeUnixNano);
    expect(new Set(times).size).toBe(times.length);
  });
});

/** Two requests that fail, the second one `apart` ms after the first; only the first one has the header lines. */
function built(header: string, apart = 10): Uint8Array {
  const request = `GET /cart HTTP/1.1\r\nHost: web\r\n${header}\r\n`;
  const plain = 'GET /stock HTTP/1.1\r\nHost: web\r\n\r\n';
  const response = 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n';
  const [a, b] = [1 + request.length, 1 + response.length];
  const segments: BuiltSegment[] = [
    { side: 0, sequence: 0, flags: 'S', at: 0 },
    { side: 1, sequence: 0, acknowledgment: 1, flags: 'S.', at: 0.1 },
    { side: 0, sequence: 1, acknowledgment: 1, at: 0.2 },
    { side: 0, sequence: 1, acknowledgment: 1, payload: request, at: 1 },
    { side: 1, sequence: 1, acknowledgment: a, payload: response, at: 3 },
    { side: 0, sequence: a, acknowledgment: b, payload: plain, at: 3 + apart },
    { side: 1, sequence: b, acknowledgment: a + plain.length, payload: response, at: 4 + apart },
    { side: 0, sequence: a + plain.length, acknowledgment: b + response.length, at: 5 + apart },
  ];
  return builtPcap(segments);
}
