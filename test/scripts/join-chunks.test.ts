import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { joinChunks } from '../../scripts/join-chunks.ts';

const SCRIPTS = join(import.meta.dirname, '../../bin/script-cache.mjs');

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-join-'));
const dist = join(directory, 'dist');
const source = (name: string) => relative(process.cwd(), join(directory, 'src', name));

/** Which chunks load each other: `both` is shared by all, `pair` by first and second, `also` by second and third. */
const SOURCES: Readonly<Record<string, string>> = {
  'main.ts': `import { made } from './both.ts';
    const run = async () => {
      const { first } = await import('./first.ts');
      const { second } = await import('./second.ts');
      const { third } = await import('./third.ts');
      console.log(first(), second(), third(), made.length);
    };
    void run();`,
  'both.ts': `export const made: string[] = []; export class Made { constructor(name: string) { made.push(name); } }`,
  'pair.ts': `import { Made } from './both.ts'; export const pair = new Made('pair');`,
  'also.ts': `import { Made } from './both.ts'; export const also = new Made('also'); export const name = 'also';`,
  'first.ts': `import { Made } from './both.ts'; import { pair } from './pair.ts';
    export const first = () => pair instanceof Made;`,
  'second.ts': `import { pair } from './pair.ts'; import { also, name } from './also.ts';
    export const second = () => pair !== also && name; export default 'second';`,
  'third.ts': `import { also } from './also.ts';
    export const third = async () => (await import('./second.ts')).default + String(also !== undefined);`,
};

const options = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  outdir: dist,
  outExtension: { '.js': '.mjs' },
} as const;

async function joined(paths: Readonly<Record<string, readonly string[]>>, small = 0) {
  const split = await build({
    ...options,
    entryPoints: { main: join(directory, 'src/main.ts') },
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    metafile: true,
    write: false,
  });
  return joinChunks(split, options, {
    main: source('main.ts'),
    paths: Object.entries(paths).map(([name, entries]) => ({ name, entries: entries.map(source) })),
    small,
  });
}

/** What the joined program prints. */
function printed(): string {
  const program = `const { runProgram } = await import(${JSON.stringify(SCRIPTS)}); runProgram(${JSON.stringify(join(dist, 'main.script.js'))});`;
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env });
}

beforeAll(() => {
  mkdirSync(join(directory, 'src'));
  for (const [name, text] of Object.entries(SOURCES)) {
    writeFileSync(join(directory, 'src', name), text.replace('third()', 'await third()'));
  }
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('joined chunks do what they did, and each module runs once', async () => {
  await joined({ one: ['first.ts'], two: ['second.ts'] });
  expect(printed()).toBe('true also secondtrue 2\n');
});

test('chunks of one path are in its file, those of several in one that names them, those of every start in another', async () => {
  await joined({ one: ['first.ts'], two: ['second.ts'] });
  const files = readdirSync(join(dist, 'chunks'));
  expect(files).toEqual(
    expect.arrayContaining(['start.script.js', 'one.script.js', 'two.script.js', 'one-two.script.js']),
  );
  const text = (name: string) => readFileSync(join(dist, 'chunks', name), 'utf8');
  expect(text('start.script.js')).toContain('made.push');
  expect(text('one-two.script.js')).toContain('("pair")');
  expect(text('two.script.js')).toContain('("also")');
  expect(text('one.script.js')).not.toContain('("also")');
});

test('a file that nothing loads is not made', async () => {
  rmSync(dist, { recursive: true, force: true });
  await joined({ one: ['first.ts'], two: ['second.ts'] });
  const files = readdirSync(join(dist, 'chunks'));
  expect(files.filter((file) => file.startsWith('chunk-'))).toEqual([]);
});

test('no module changes what it exports: other files have its values', async () => {
  for await (const path of glob('src/**/*.ts'))
    expect(await readFile(path, 'utf8'), path).not.toMatch(/^export (let|var) /m);
});

test('what several paths share and is small is loaded by every start', async () => {
  rmSync(dist, { recursive: true, force: true });
  await joined({ one: ['first.ts'], two: ['second.ts'] }, 10_000);
  const files = readdirSync(join(dist, 'chunks'));
  expect(files).not.toContain('one-two.script.js');
  expect(readFileSync(join(dist, 'chunks/start.script.js'), 'utf8')).toContain('("pair")');
  expect(printed()).toBe('true also secondtrue 2\n');
});

test('a path whose entry is imported statically alone is an error', async () => {
  await expect(joined({ one: ['pair.ts'] })).rejects.toThrow('pair.ts is not imported dynamically');
});

test('a chunk whose modules run later than its file is an error', async () => {
  const text = `import { name } from './also.ts'; export const first = () => [require('./also.ts').name, name];`;
  writeFileSync(join(directory, 'src/later.ts'), text);
  const main = `void import('./later.ts').then(({ first }) => console.log(first()));`;
  writeFileSync(join(directory, 'src/main.ts'), main);
  await expect(joined({ one: ['later.ts'] })).rejects.toThrow('exports what it does not have yet');
});
