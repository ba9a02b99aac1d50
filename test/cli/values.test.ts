import { expect, test } from 'vitest';
import { durationOf } from '../../src/cli/values.ts';

test.each([
  ['90s', 90_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['500ms', 500],
  ['1m500ms', 60_500],
  ['2', 2_000],
  ['0.5', 500],
  ['24h', 86_400_000],
])('%s', (text, milliseconds) => {
  expect(durationOf(text, '--duration')).toBe(milliseconds);
});

test.each([
  '',
  'soon',
  '0',
  '0s',
  '-5s',
  '5 s',
  '5d',
  '5S',
  's',
  '1h30',
  '24h1ms',
  '1e3',
  'Infinity',
  '٣s',
  '9'.repeat(400),
])('"%s" is wrong use', (text) => {
  expect(() => durationOf(text, '--timeout')).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      exit: 2,
      message: `--timeout takes a time such as 30s, 5m or 1h30m, up to 24h, not "${text}".`,
    }),
  );
});
