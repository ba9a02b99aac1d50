import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MODULE = join(import.meta.dirname, '../../bin/script-cache.mjs');
/** Long enough to be kept. */
const FILL = `/*${'x'.repeat(5000)}*/`;
let home = '';
let program = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ksnoop-cache-'));
  program = join(home, 'program');
  mkdirSync(program);
  writeScript('main', 'exports.part = require("./part.js").part; process.stdout.write(exports.part());');
  writeScript('part', 'exports.part = () => "one";');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A file of a built program: the function of a CommonJS module. */
function writeScript(name: string, text: string): void {
  writeFileSync(
    join(program, `${name}.js`),
    `(function(exports,require,module,__filename,__dirname){${text}${FILL}\n})`,
  );
}

/** @returns what the program printed */
function run({ words = [] as readonly string[], env = {} as Readonly<Record<string, string>> } = {}): string {
  const text = `const { runProgram } = await import(${JSON.stringify(MODULE)}); runProgram(${JSON.stringify(join(program, 'main.js'))});`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', text, '--', 'main', ...words], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), TMPDIR: home, ...env },
  });
}

const all = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
const kept = () => all(join(home, 'cache/ksnoop/scripts')).sort();

test("compiled code is kept below the user's own directory", () => {
  expect(run()).toBe('one');
  expect(kept()).toHaveLength(2);
  // All versions of Node in one directory, so that what is kept has one bound.
  for (const file of kept()) expect(dirname(file)).toBe(join(home, 'cache/ksnoop/scripts'));
  for (const file of kept()) expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, 'cache/ksnoop')).mode & 0o777).toBe(0o700);
  expect(readdirSync(home).sort()).toEqual(['cache', 'program']);
});

test('the next run takes it, and functions that were used are in it', () => {
  const long = `exports.part = () => { ${Array.from({ length: 400 }, (_, n) => `globalThis.a${n} = ${n};`).join('')} return 'one'; };`;
  writeScript('part', long);
  expect(run()).toBe('one');
  // Of the function alone V8 would keep that it is there.
  expect(Math.max(...kept().map((file) => statSync(file).size))).toBeGreaterThan(16_000);
  const times = kept().map((file) => statSync(file).mtimeMs);
  expect(run()).toBe('one');
  expect(kept().map((file) => statSync(file).mtimeMs)).toEqual(times);
});

test('a file that changed is not taken from it, also where it is as long as before and says that it is as old', () => {
  const time = new Date('2026-11-01');
  const path = join(program, 'part.js');
  utimesSync(path, time, time);
  expect(run()).toBe('one');
  writeScript('part', 'exports.part = () => "two";');
  utimesSync(path, time, time);
  expect(run()).toBe('two');
});

test.each<readonly [string, (half: Buffer) => readonly Buffer[]]>([
  ['of another V8', (half) => [half.fill(0xff, 0, 16), half]],
  // V8 itself would end the process.
  ['damaged', (half) => [half, Buffer.from(half).fill(0, half.length >> 1)]],
  ['cut off', (half) => [half.subarray(0, 100)]],
  ['empty', () => []],
])('what is %s is replaced', (_, change) => {
  run();
  for (const file of kept()) {
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat(change(bytes.subarray(0, bytes.length / 2))));
  }
  const changed = kept().map((file) => readFileSync(file));
  expect(run()).toBe('one');
  expect(kept()).toHaveLength(changed.length);
  for (const [index, file] of kept().entries()) {
    const bytes = readFileSync(file);
    expect(bytes.equals(changed[index] ?? bytes)).toBe(false);
    expect(bytes.length).toBeGreaterThan(200);
  }
});

test('what cannot be written leaves nothing behind', () => {
  run();
  const files = kept();
  for (const file of files) {
    rmSync(file);
    mkdirSync(join(file, 'in-the-way'), { recursive: true });
  }
  expect(run()).toBe('one');
  const names = readdirSync(join(home, 'cache/ksnoop/scripts')).sort();
  expect(names).toEqual(files.map((file) => basename(file)));
});

test('each command has its own', () => {
  run({ words: ['read', 'a.pcap'] });
  run({ words: ['svc/web'] });
  run({ words: ['pod/a'] });
  run({ words: ['--help'] });
  expect(kept().filter((file) => file.endsWith('-read'))).toHaveLength(2);
  expect(kept().filter((file) => file.endsWith('-capture'))).toHaveLength(2);
  expect(kept().filter((file) => file.endsWith('-help'))).toHaveLength(2);
  expect(kept()).toHaveLength(6);
});

test('the oldest goes where much is kept', () => {
  run({ words: ['read'] });
  const directory = dirname(kept()[0] ?? '');
  for (let age = 1; age <= 4; age++) {
    const file = join(directory, `old-${age}`);
    writeFileSync(file, '');
    truncateSync(file, 20 * 2 ** 20);
    utimesSync(file, new Date(Date.now() - age * 1000), new Date(Date.now() - age * 1000));
  }
  run({ words: ['top'] });
  const old = all(directory).filter((file) => file.includes('old-'));
  expect(old.map((file) => file.slice(-1)).sort()).toEqual(['1', '2', '3']);
});

test.each<readonly [string, () => void]>([
  [
    'that others may write to',
    () => {
      mkdirSync(join(home, 'cache/ksnoop'), { recursive: true });
      chmodSync(join(home, 'cache/ksnoop'), 0o777);
    },
  ],
  [
    'behind a symbolic link',
    () => {
      mkdirSync(join(home, 'cache'));
      mkdirSync(join(home, 'theirs'));
      symlinkSync(join(home, 'theirs'), join(home, 'cache/ksnoop'));
    },
  ],
  [
    'of a link to where others may write',
    () => {
      mkdirSync(join(home, 'theirs'));
      chmodSync(join(home, 'theirs'), 0o777);
      symlinkSync(join(home, 'theirs'), join(home, 'cache'));
    },
  ],
])('no directory is used %s', (_, prepare) => {
  prepare();
  expect(run()).toBe('one');
  expect(all(join(home, 'cache'))).toEqual([]);
  expect(all(home).filter((file) => !file.startsWith(program))).toEqual([]);
});

test.runIf(process.getuid?.() === 0)('in the home of another user, as sudo may have it, nothing is made', () => {
  chownSync(home, 12_345, 12_345);
  expect(run()).toBe('one');
  expect(readdirSync(home)).toEqual(['program']);
});

test('NODE_DISABLE_COMPILE_CACHE keeps nothing', () => {
  expect(run({ env: { NODE_DISABLE_COMPILE_CACHE: '1' } })).toBe('one');
  expect(readdirSync(home)).toEqual(['program']);
});

test('a file that fails is tried again, as Node does', () => {
  writeScript(
    'part',
    'globalThis.tries = (globalThis.tries ?? 0) + 1; if (tries === 1) throw new Error("first"); exports.part = () => "late";',
  );
  writeScript('main', 'try { require("./part.js"); } catch { process.stdout.write(require("./part.js").part()); }');
  expect(run()).toBe('late');
});
