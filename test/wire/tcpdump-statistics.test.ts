import { expect, test } from 'vitest';
import { parseStatistics } from '../../src/wire/tcpdump-statistics.ts';

test('the last of several statistics counts, in singular and plural', () => {
  const first = '5 packets captured\n5 packets received by filter\n0 packets dropped by kernel\n';
  const last = '1 packet captured\n12 packets received by filter\n1 packet dropped by kernel\n';
  expect(parseStatistics('tcpdump: listening on any\n')).toBeUndefined();
  expect(parseStatistics(first)).toEqual({ received: 5, droppedByKernel: 0 });
  expect(parseStatistics(first + last)).toEqual({ received: 12, droppedByKernel: 1 });
});
