import { Histogram } from '../../analyze/summary/histogram.ts';
import { type Attributes, withAttributes } from './attributes.ts';
import type { MetricName } from './metric-table.ts';
import { OTHER, type SeriesLimit } from './series.ts';

/** One time series' value now. */
export interface Point {
  readonly resource: Attributes;
  readonly metric: MetricName;
  readonly attributes: Attributes;
  value: number | Histogram;
}

/** The points of one collection: those of one series are added up. */
export class Points {
  readonly #points = new Map<string, Point>();
  readonly #limit: SeriesLimit;
  readonly #common: Attributes;

  /** @param common attributes that every resource gets */
  constructor(limit: SeriesLimit, common: Attributes) {
    this.#limit = limit;
    this.#common = common;
  }

  add(of: Attributes, metric: MetricName, attributes: Attributes, value: number | Histogram): void {
    const resource = withAttributes(this.#common, of);
    const key = JSON.stringify([metric, resource, attributes]);
    if (this.#limit.admits(key)) this.#sum(key, { resource, metric, attributes, value });
    else {
      const rest = {
        resource: { ...this.#common, 'service.name': OTHER },
        metric,
        attributes: { 'ksnoop.series': OTHER },
        value,
      };
      this.#sum(`${OTHER} ${metric}`, rest);
    }
  }

  all(): Iterable<Point> {
    return this.#points.values();
  }

  #sum(key: string, point: Point): void {
    const known = this.#points.get(key);
    if (known === undefined) {
      // A row's own histogram goes on counting.
      const value = typeof point.value === 'number' ? point.value : copyOf(point.value);
      this.#points.set(key, { ...point, value });
    } else if (typeof known.value === 'number') {
      known.value += typeof point.value === 'number' ? point.value : 0;
    } else if (typeof point.value !== 'number') known.value.merge(point.value);
  }
}

function copyOf(histogram: Histogram): Histogram {
  const copy = new Histogram();
  copy.merge(histogram);
  return copy;
}
