import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES, EXIT } from '../../src/wire/errors.ts';

test('exit codes are those that the documentation lists, and scripts rely on', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/loss.md'), 'utf8');
  const documented = [...page.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code));
  expect(Object.values(EXIT)).toEqual(documented);
  expect(EXIT).toEqual({ done: 0, failed: 1, usage: 2, noTarget: 3, partial: 4, truncated: 5, found: 6 });
  for (const { exit } of Object.values(ERROR_CODES)) expect(documented).toContain(exit);
});
