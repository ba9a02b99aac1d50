import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERROR_DOCS, errorDocs } from '../../scripts/error-docs.ts';
import { ERROR_CODES, EXIT, isErrorCode } from '../../src/wire/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const REGISTRY = 'src/wire/errors.ts';

/** The sources that may throw, but the registry itself: path and text. */
const SOURCES = globSync('{src,daemonset}/**/*.ts', { cwd: ROOT })
  .filter((path) => path !== REGISTRY)
  .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')] as const);

/** Thrown with another exit code than the registry's, for one of several causes. */
const OTHER_EXIT = new Set(['CANNOT_READ']);

it('docs/errors.md has the codes as they are (else: node scripts/error-docs.ts)', () => {
  expect(readFileSync(ERROR_DOCS, 'utf8')).toBe(errorDocs());
});

it('every code is used somewhere, and the table is sorted', () => {
  const all = SOURCES.map(([, text]) => text).join('\n');
  const codes = Object.keys(ERROR_CODES);
  expect(codes.filter((code) => !new RegExp(`['[]${code}['\\]]`).test(all))).toEqual([]);
  expect(codes).toEqual(codes.toSorted());
});

it('an exit code that is given where an error is thrown is the one that is documented', () => {
  const wrong: string[] = [];
  let seen = 0;
  for (const [path, text] of SOURCES) {
    for (const [, code = '', rest = ''] of text.matchAll(/new KsnoopError\(\s*'(\w+)',([^;]*)/g)) {
      seen += 1;
      const exit = /exit: EXIT\.(\w+)/.exec(rest)?.[1];
      if (exit === undefined || !isErrorCode(code) || OTHER_EXIT.has(code)) continue;
      if (ERROR_CODES[code].exit !== EXIT[exit as keyof typeof EXIT]) wrong.push(`${path}: ${code} ${exit}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(seen).toBeGreaterThan(50);
});
