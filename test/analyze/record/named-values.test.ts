import { expect, test } from 'vitest';
import { maskNamedValues } from '../../../src/analyze/record/named-values.ts';

/** Text in JSON, that JSON in a string, and that once more. */
const LEVELS = [0, 1, 2] as const;
const nested = (value: unknown, level: number): string =>
  level === 0 ? JSON.stringify(value) : JSON.stringify({ body: nested(value, level - 1) });

test.each(LEVELS)(
  'a secret that ends with backslashes or quotes is masked whole, in strings of JSON %i deep',
  (level) => {
    for (const end of ['', '\\', '\\\\', '"', '\\"', '"hush"', '\n']) {
      const text = nested(
        [
          { name: 'DB_PASSWORD', value: `hush${end}` },
          { name: 'MODE', value: 'open' },
        ],
        level,
      );
      const masked = maskNamedValues(text);
      expect(masked, text).not.toContain('hush');
      expect(masked, text).toContain('open');
    }
  },
);

test.each(LEVELS)('what is no secret stays as it is behind any such text, in strings of JSON %i deep', (level) => {
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
