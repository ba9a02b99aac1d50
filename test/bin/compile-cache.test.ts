import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MODULE = join(import.meta.dirname, '../../bin/compile-cache.mjs');
let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ksnoop-cache-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** The directory that Node takes compiled code from; empty for none. */
function used(): string {
  const program = `const { useCompileCache } = await import(${JSON.stringify(MODULE)}); useCompileCache();
    const { getCompileCacheDir } = await import('node:module'); process.stdout.write(getCompileCacheDir() ?? '');`;
  const env = { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), TMPDIR: home };
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env });
}

test("the compile cache is the user's own", () => {
  const directory = used();
  expect(directory.startsWith(join(home, 'cache/ksnoop/compiled'))).toBe(true);
  expect(statSync(join(home, 'cache/ksnoop')).mode & 0o777).toBe(0o700);
  expect(readdirSync(home)).toEqual(['cache']);
});

test('none is used that others may write to', () => {
  mkdirSync(join(home, 'cache/ksnoop'), { recursive: true });
  chmodSync(join(home, 'cache/ksnoop'), 0o777);
  expect(used()).toBe('');
});

test('none is used behind a symbolic link', () => {
  mkdirSync(join(home, 'cache'));
  mkdirSync(join(home, 'theirs'));
  symlinkSync(join(home, 'theirs'), join(home, 'cache/ksnoop'));
  expect(used()).toBe('');
  expect(existsSync(join(home, 'node-compile-cache'))).toBe(false);
});
