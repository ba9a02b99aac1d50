import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let repository: string;

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'ksnoop-bin-'));
  cpSync(join(import.meta.dirname, '../../bin'), join(repository, 'bin'), { recursive: true });
});
afterEach(() => rmSync(repository, { recursive: true }));

const run = (program: string) =>
  spawnSync(process.execPath, [join(repository, `bin/${program}.mjs`)], { encoding: 'utf8' });

test.each([
  ['ksnoop', 'ksnoop.script.js'],
  ['ksnoop-agent', 'ksnoop-agent.mjs'],
])('without dist/ %s names the commands that make it', (program, file) => {
  const { status, stderr } = run(program);
  expect(stderr).toBe(
    `${program} is not built: dist/${file} is missing. In its repository, run: npm ci && npm run build\n`,
  );
  expect(status).toBe(1);
});

test('what else fails is said as it is', () => {
  mkdirSync(join(repository, 'dist'));
  writeFileSync(
    join(repository, 'dist/ksnoop.script.js'),
    "(function(exports,require){require('./chunks/missing.js')})",
  );
  const { status, stderr } = run('ksnoop');
  expect(stderr).toContain('chunks/missing.js');
  expect(stderr).not.toContain('is not built');
  expect(status).toBe(1);
});
