import { expect, test } from 'vitest';
import { maskNamedValues } from '../../../src/analyze/record/named-values.ts';

/** Text in JSON, that JSON in a string, and that once more. */
const LEVELS = [0, 1, 2] as const;
const nested = (value: unknown, level: number): string =>
  level === 0 ? JSON.stringify(value) : JSON.stringify({ body: nested(value, level - 1) });

test.each(LEVELS)('a secret is masked whole, whatever it ends with, and nothing else, in JSON %i deep', (level) => {
  const pair = (value: string) =>
    nested(
      [
        { name: 'DB_PASSWORD', value },
        { name: 'MODE', value: 'open' },
      ],
      level,
    );
  const masked = pair('hush').replace(/\\*"hush\\*"/, '***');
  for (const end of ['', '\\', '\\\\', '"', '\\"', '"hush"', '\n']) {
    expect(maskNamedValues(pair(`hush${end}`)), end).toBe(masked);
  }
});

test.each(LEVELS)('what is no secret stays as it is, whatever it ends with, in JSON %i deep', (level) => {
  for (const end of ['', '\\', '\\\\', '"', '\\"']) {
    const text = nested(
      [
        { name: `MODE${end}`, value: `open${end}` },
        { value: 'open', name: 'X' },
      ],
      level,
    );
    expect(maskNamedValues(text)).toBe(text);
  }
});
