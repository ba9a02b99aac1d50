import { Histogram } from '../../analyze/summary/histogram.ts';
import { type Attributes, validText } from './attributes.ts';
import { METRICS, type MetricName, prometheusName } from './metric-table.ts';
import type { Point } from './points.ts';

/** Upper bounds of buckets, powers of two from 122 µs to 64 s: there the counted buckets end too, so counts are exact. */
const EXPONENTS = Array.from({ length: 20 }, (_, index) => index - 13);
/** Counted buckets to a power of two. */
const PARTS = 32;

/** A series' labels, as they are written, and its value. */
type Series = Map<string, { value: number | Histogram }>;

/**
 * Points in Prometheus' text format (version 0.0.4). It has no native histograms: buckets end at powers of two. Resources become the labels `job` and
 * `instance`, as Prometheus makes them of OTLP.
 */
export function prometheusText(points: Iterable<Point>): string {
  const metrics = new Map<MetricName, Series>();
  for (const { resource, metric, attributes, value } of points) {
    const series = metrics.get(metric) ?? new Map<string, { value: number | Histogram }>();
    metrics.set(metric, series);
    add(series, labelsOf(resource, attributes), value);
  }
  const lines = [...metrics].flatMap(([metric, series]) => {
    const name = prometheusName(metric);
    const { kind, about } = METRICS[metric];
    const head = [`# HELP ${name} ${about}`, `# TYPE ${name} ${kind}`];
    return [...head, ...[...series].flatMap(([labels, { value }]) => samples(name, labels, value))];
  });
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** Resources that differ in what is no label are one series. */
function add(series: Series, labels: string, value: number | Histogram): void {
  const known = series.get(labels);
  if (known === undefined) series.set(labels, { value });
  else if (typeof known.value === 'number') known.value += typeof value === 'number' ? value : 0;
  else if (typeof value !== 'number') {
    const both = new Histogram();
    both.merge(known.value);
    both.merge(value);
    known.value = both;
  }
}

function samples(name: string, labels: string, value: number | Histogram): string[] {
  const braced = (more = '') => {
    const all = [labels, more].filter((part) => part !== '').join(',');
    return all === '' ? '' : `{${all}}`;
  };
  if (typeof value === 'number') return [`${name}${braced()} ${value}`];
  const { count, sum, offset, counts } = value.state();
  let passed = 0;
  let at = 0;
  const buckets = EXPONENTS.map((exponent) => {
    // Bucket i ends at 2^((i+1)/32) s.
    for (; at < counts.length && offset + at + 1 <= exponent * PARTS; at += 1) passed += counts[at] ?? 0;
    return `${name}_bucket${braced(`le="${2 ** exponent}"`)} ${passed}`;
  });
  return [
    ...buckets,
    `${name}_bucket${braced('le="+Inf"')} ${count}`,
    `${name}_sum${braced()} ${sum / 1e9}`,
    `${name}_count${braced()} ${count}`,
  ];
}

function labelsOf(resource: Attributes, attributes: Attributes): string {
  const { 'service.name': name, 'service.namespace': namespace, 'service.instance.id': instance } = resource;
  const of: Attributes = {
    job: namespace === undefined ? name : `${namespace}/${name}`,
    instance,
    'k8s.cluster.name': resource['k8s.cluster.name'],
  };
  return Object.entries({ ...of, ...attributes })
    .flatMap(([label, value]) => (value === undefined ? [] : [`${labelName(label)}="${escaped(String(value))}"`]))
    .join(',');
}

function labelName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

function escaped(value: string): string {
  return validText(value).replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
