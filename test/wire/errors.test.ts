import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES, EXIT } from '../../src/wire/errors.ts';

test('exit codes are what the documentation has', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/loss.md'), 'utf8');
  const documented = [...page.matchAll(/^\| (\d) \| (\w+)/gm)].map(([, code, word]) => [word, Number(code)]);
  const { done, failed: runtime, usage, noTarget: no, partial, truncated, found } = EXIT;
  expect(Object.fromEntries(documented)).toEqual({ done, runtime, usage, no, partial, truncated, found });
  for (const { exit } of Object.values(ERROR_CODES)) expect(Object.values(EXIT)).toContain(exit);
});
