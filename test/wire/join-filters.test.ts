import { expect, test } from 'vitest';
import { joinFilters } from '../../src/wire/join-filters.ts';

test('a filter of a target is joined to that of the request', () => {
  expect(joinFilters(undefined, undefined)).toBe(undefined);
  expect(joinFilters('tcp', undefined)).toBe('tcp');
  expect(joinFilters(undefined, 'port 80 or port 81')).toBe('port 80 or port 81');
  expect(joinFilters('tcp or udp', 'port 80 or port 81')).toBe('(tcp or udp) and (port 80 or port 81)');
  expect(joinFilters(undefined, undefined, 'port 9')).toBe('not (port 9)');
  expect(joinFilters('tcp', undefined, 'port 9')).toBe('(tcp) and not (port 9)');
  expect(joinFilters('tcp', 'udp', 'port 9')).toBe('((tcp) and (udp)) and not (port 9)');
});
