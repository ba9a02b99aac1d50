import { expect, test } from 'vitest';
import { momentOf, sinceOf } from '../../../src/cli/read/moment.ts';

const SECOND = 1_000_000_000n;

test.each([
  ['+90s', { kind: 'after', nanoseconds: 90n * SECOND }],
  ['+1m30.5s', { kind: 'after', nanoseconds: 90n * SECOND + SECOND / 2n }],
  ['-5s', { kind: 'before end', nanoseconds: 5n * SECOND }],
  ['1764380000', { kind: 'absolute', nanoseconds: 1_764_380_000n * SECOND }],
  ['1764380000.000000001', { kind: 'absolute', nanoseconds: 1_764_380_000n * SECOND + 1n }],
  ['@1764380000', { kind: 'absolute', nanoseconds: 1_764_380_000n * SECOND }],
  ['14:03', { kind: 'time of day', utc: true, nanoseconds: (14n * 3600n + 180n) * SECOND }],
  ['2026-11-23T14:03:07.25+02:00', { kind: 'absolute', nanoseconds: 1_795_435_387n * SECOND + SECOND / 4n }],
  ['2026-11-23 12:03:07', { kind: 'absolute', nanoseconds: 1_795_435_387n * SECOND }],
])('%s', (text, moment) => {
  expect(momentOf(text, '--from', true)).toEqual(moment);
});

test('--since takes a span before the last packet, and whatever --from takes', () => {
  expect(sinceOf('2m', false)).toEqual({ kind: 'before end', nanoseconds: 120n * SECOND });
  expect(sinceOf('-2m', false)).toEqual({ kind: 'before end', nanoseconds: 120n * SECOND });
  expect(sinceOf('1764380000', false)).toEqual({ kind: 'absolute', nanoseconds: 1_764_380_000n * SECOND });
});

test.each(['', 'soon', '25:00', '+', '-', '+5', '5 s', '12345', '2026-13-41T00:00:00Z', '١٤:٠٣'])(
  '"%s" is wrong use',
  (text) => {
    expect(() => momentOf(text, '--to', false)).toThrow(expect.objectContaining({ code: 'USAGE', exit: 2 }));
  },
);
