import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { keyValues, validText } from '../../../src/run/otlp/attributes.ts';
import { DURATION_ROWS, DurationRows, NO_HOST } from '../../../src/run/otlp/duration-rows.ts';
import { Points } from '../../../src/run/otlp/points.ts';
import { OTHER, SeriesLimit } from '../../../src/run/otlp/series.ts';

const EXCHANGE: Exchange = {
  kind: 'exchange',
  protocol: 'http',
  label: 'GET /',
  route: 'GET /',
  time: 0,
  requestEnd: 0,
  responseTime: 1e6,
  responseEnd: 1e6,
  requestBytes: 10,
  responseBytes: 20,
  status: '200',
  failed: false,
  fields: {},
};

describe('what is exported is bounded', () => {
  it('series past the limit are one, and those that were exported stay', () => {
    const limit = new SeriesLimit(3);
    for (let round = 0; round < 2; round += 1) {
      const points = new Points(limit, {});
      for (let route = 0; route < 10; route += 1) points.add({}, 'ksnoop.exchanges', { route: `r${route}` }, 1);
      const values = [...points.all()].map(({ attributes, value }) => [Object.values(attributes)[0], value]);
      expect(values).toEqual([
        ['r0', 1],
        ['r1', 1],
        ['r2', 1],
        [OTHER, 7],
      ]);
    }
  });

  it('rows past the limit are one per protocol and outcome; nothing is lost', () => {
    const rows = new DurationRows();
    const count = DURATION_ROWS + 5000;
    for (let number = 0; number < count; number += 1) {
      const failed = number % 2 === 1;
      rows.add(1, NO_HOST, { ...EXCHANGE, route: `GET /${number}`, status: `S${number}`, failed });
    }
    expect(rows.rows().length).toBeLessThanOrEqual(DURATION_ROWS + 2);
    expect(rows.rows().reduce((sum, row) => sum + row.count, 0)).toBe(count);
    expect(rows.rows().reduce((sum, row) => sum + row.durations.count, 0)).toBe(count);
    expect(rows.rows().filter(({ route }) => route === OTHER)).toHaveLength(2);
  });

  it('texts are valid and not long, and what is undefined is left out', () => {
    expect(validText('a\ud800b')).toBe('a\ufffdb');
    expect(validText('x'.repeat(5000))).toHaveLength(1024);
    expect(keyValues({ a: 'x', b: undefined, c: 3, d: 0.5, e: true })).toEqual([
      { key: 'a', value: { stringValue: 'x' } },
      { key: 'c', value: { intValue: '3' } },
      { key: 'd', value: { doubleValue: 0.5 } },
      { key: 'e', value: { boolValue: true } },
    ]);
  });
});
