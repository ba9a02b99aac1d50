import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { importViolations } from '../../scripts/import-directions.ts';

const root = join(import.meta.dirname, '../..');
const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

function sources(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ksnoop-rooms-'));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

test('the rooms import one way', () => {
  expect(importViolations()).toEqual([]);
});

test.each([
  ['agent/a.ts', "import { x } from '../capture/b.ts';"],
  ['capture/a.ts', "import type { X } from '../analyze/b.ts';"],
  ['analyze/a.ts', "export * from '../view/b.ts';"],
  ['view/a.ts', "import { x } from '../analyze/b.ts';"],
  ['wire/a.ts', "import { readFileSync } from 'node:fs';"],
  ['wire/a.ts', "import ws from 'ws';"],
  ['capture/a.ts', "const { x } = await import('../cli/b.ts');"],
  ['agent/a.ts', "import {\n  x,\n} from '../analyze/b.ts';"],
  ['wire/a.ts', "import '../agent/b.ts';"],
  ['view/a.ts', "import { type X, y } from '../analyze/b.ts';"],
  ['capture/kube/a.ts', "import { x } from '../../agent/b.ts';"],
])('%s may not say %s', (name, text) => {
  expect(importViolations(sources({ [name]: text }))).toHaveLength(1);
});

test('what is allowed is', () => {
  const allowed = {
    'cli/a.ts': "import { x } from '../capture/b.ts';\nimport { y } from '../view/c.ts';",
    'view/c.ts': "import type { X } from '../analyze/d.ts';\nimport { z } from '../wire/e.ts';",
    'agent/f.ts': "import { z } from '../wire/e.ts';\nimport { spawn } from 'node:child_process';",
  };
  expect(importViolations(sources(allowed))).toEqual([]);
});

test('files stay small', () => {
  const long = ['src', 'test', 'scripts', 'daemonset', 'bin'].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => readFileSync(file, 'utf8').split('\n').length > 301),
  );
  expect(long).toEqual([]);
});
