import { HISTOGRAM_SCALE, type Histogram } from '../../analyze/summary/histogram.ts';
import { VERSION } from '../../wire/version.ts';
import { type Attributes, type KeyValue, keyValues } from './attributes.ts';
import { METRICS, type MetricName } from './metric-table.ts';
import type { Point } from './points.ts';

/** The instrumentation scope of all that ksnoop exports. */
export const SCOPE = { name: 'ksnoop', version: VERSION };

/** `AGGREGATION_TEMPORALITY_CUMULATIVE` */
const CUMULATIVE = 2;
const NANOSECONDS = 1e9;

/** Of all points of a collection, ns since 1970. */
export interface Times {
  readonly start: bigint;
  readonly now: bigint;
}

interface DataPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly [member: string]: unknown;
}

/**
 * An ExportMetricsServiceRequest in OTLP/JSON (opentelemetry/proto/collector/metrics/v1): cumulative sums, and exponential histograms
 * of scale 5 whose buckets are those that were counted.
 */
export function metricsRequest(points: Iterable<Point>, { start, now }: Times): object {
  const times = { startTimeUnixNano: String(start), timeUnixNano: String(now) };
  const resources = new Map<string, { resource: Attributes; metrics: Map<MetricName, DataPoint[]> }>();
  for (const { resource, metric, attributes, value } of points) {
    const key = JSON.stringify(resource);
    const group = resources.get(key) ?? { resource, metrics: new Map<MetricName, DataPoint[]>() };
    resources.set(key, group);
    const dataPoints = group.metrics.get(metric) ?? [];
    group.metrics.set(metric, dataPoints);
    const common = { attributes: keyValues(attributes), ...times };
    dataPoints.push(typeof value === 'number' ? numberPoint(common, value) : histogramPoint(common, value));
  }
  return {
    resourceMetrics: [...resources.values()].map(({ resource, metrics }) => ({
      resource: { attributes: keyValues(resource) },
      scopeMetrics: [{ scope: SCOPE, metrics: [...metrics].map(([name, dataPoints]) => metricOf(name, dataPoints)) }],
    })),
  };
}

function metricOf(name: MetricName, dataPoints: readonly DataPoint[]): object {
  const { kind, unit, about } = METRICS[name];
  const described = { name, unit, description: about };
  if (kind === 'histogram') {
    return { ...described, exponentialHistogram: { aggregationTemporality: CUMULATIVE, dataPoints } };
  }
  if (kind === 'gauge') return { ...described, gauge: { dataPoints } };
  return { ...described, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } };
}

function numberPoint(common: DataPoint, value: number): DataPoint {
  return { ...common, asInt: String(value) };
}

function histogramPoint(common: DataPoint, histogram: Histogram): DataPoint {
  const { count, sum, max, offset, counts } = histogram.state();
  return {
    ...common,
    count: String(count),
    sum: sum / NANOSECONDS,
    max: max / NANOSECONDS,
    scale: HISTOGRAM_SCALE,
    zeroCount: '0',
    positive: { offset, bucketCounts: counts.map(String) },
  };
}
