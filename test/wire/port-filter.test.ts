import { expect, test } from 'vitest';
import { FILTER_MAXIMUM, PORT_RANGES_MAXIMUM } from '../../src/wire/limits.ts';
import { portFilter } from '../../src/wire/port-filter.ts';
import { Random } from '../support/random.ts';

const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: 'TCP', port }));

test.each([
  ['none', [], ''],
  ['single ports, sorted, each once', tcp(443, 80, 80), 'tcp port 80 or tcp port 443'],
  ['neighbours', tcp(8082, 8080, 8081, 9000), 'tcp portrange 8080-8082 or tcp port 9000'],
  ['protocols', [...tcp(53), { protocol: 'UDP', port: 53 }], 'tcp port 53 or udp port 53'],
])('%s', (_, ports, filter) => {
  expect(portFilter(ports)).toBe(filter);
});

test('every port passes, and however many there are the filter is short', () => {
  const random = new Random(7);
  for (let round = 0; round < 200; round += 1) {
    const ports = Array.from({ length: 1 + random.below(500) }, () => 1 + random.below(65_535));
    const filter = portFilter(tcp(...ports));
    const ranges = filter.split(' or ').map((term) => {
      const [, , range = ''] = term.split(' ');
      const [first = '', last = first] = range.split('-');
      return [Number(first), Number(last)] as const;
    });
    for (const port of ports) expect(ranges.some(([first, last]) => first <= port && port <= last)).toBe(true);
    expect(ranges.length).toBeLessThanOrEqual(PORT_RANGES_MAXIMUM);
    expect(filter.length).toBeLessThan(FILTER_MAXIMUM);
    // Nothing else passes while the ports are few.
    const width = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    if (ports.length <= PORT_RANGES_MAXIMUM) expect(width).toBe(new Set(ports).size);
  }
});

test('of too many the nearest are joined', () => {
  const apart = Array.from({ length: PORT_RANGES_MAXIMUM }, (_, index) => 1_000 + index * 10);
  expect(portFilter(tcp(...apart)).split(' or ')).toHaveLength(PORT_RANGES_MAXIMUM);
  const [first, ...others] = portFilter(tcp(...apart, 1_003)).split(' or ');
  expect(first).toBe('tcp portrange 1000-1003');
  expect(others).toHaveLength(PORT_RANGES_MAXIMUM - 1);
});
