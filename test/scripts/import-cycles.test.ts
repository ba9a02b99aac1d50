import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { importCycles } from '../../scripts/import-cycles.ts';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

function cycles(files: Record<string, string>): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-cycles-'));
  made.push(directory);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return importCycles(directory);
}

test('no files of ksnoop import each other', () => {
  expect(importCycles()).toEqual([]);
});

test('two files that import each other, three, and one that does later', () => {
  const two = { 'a.ts': "import { b } from './b.ts';", 'b.ts': "import { a } from './a.ts';" };
  expect(cycles(two)).toEqual([expect.stringMatching(/^(a\.ts → b\.ts → a|b\.ts → a\.ts → b)\.ts$/)]);
  const three = {
    'a.ts': "import { b } from './in/b.ts';",
    'in/b.ts': "export * from '../c.ts';",
    'c.ts': "const { a } = await import('./a.ts');",
  };
  expect(cycles(three)).toHaveLength(1);
});

test('types may go both ways, and a file may be reached twice', () => {
  const files = {
    'a.ts': "import { b } from './b.ts';\nimport { c } from './c.ts';",
    'b.ts': "import { c } from './c.ts';\nimport type { A } from './a.ts';",
    'c.ts': "import type { B } from './b.ts';",
  };
  expect(cycles(files)).toEqual([]);
});
