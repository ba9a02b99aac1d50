import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { ProgramDecompressor } from '../../../src/run/input/program-decompressor.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-program-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** A program of this name, first on PATH. */
function program(name: string, script: string): void {
  const bin = mkdtempSync(join(directory, 'bin-'));
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
}

test('nothing is wrong while it runs, nor when it ends with status 0', async () => {
  const words = join(directory, 'words');
  program('xz', `echo "$*" > ${words}; exec cat`);
  let got = '';
  const decompressor = new ProgramDecompressor('xz', (chunk) => {
    got += Buffer.from(chunk).toString('latin1');
    return undefined;
  });
  expect(await decompressor.push(Buffer.from('first '))).toBeUndefined();
  expect(await decompressor.push(Buffer.from('second'))).toBeUndefined();
  expect(await decompressor.end()).toBeUndefined();
  expect(got).toBe('first second');
  expect(decompressor.taken).toBe(12);
  // Few bytes may ask for gigabytes.
  expect(readFileSync(words, 'utf8')).toBe('-dc --memlimit-decompress=256MiB\n');
});

test('what it prints says what is wrong, else its status', async () => {
  program('bzip2', 'cat > /dev/null; echo "bzip2: (stdin): Compressed data ends unexpectedly" >&2; exit 2');
  const damaged = new ProgramDecompressor('bzip2', () => undefined);
  await damaged.push(Buffer.from('x'));
  expect(await damaged.end()).toBe('bzip2: (stdin): Compressed data ends unexpectedly');
  program('lz4', 'cat > /dev/null; exit 3');
  const silent = new ProgramDecompressor('lz4', () => undefined);
  expect(await silent.end()).toBe('lz4: it ended with status 3');
});

test('what the receiver throws ends it', async () => {
  program('xz', 'exec cat');
  const decompressor = new ProgramDecompressor('xz', () => {
    throw new Error('enough');
  });
  await expect(decompressor.push(Buffer.from('a')).then(() => decompressor.end())).rejects.toThrow('enough');
});

test('a program that is not there is named', async () => {
  vi.stubEnv('PATH', directory);
  const decompressor = new ProgramDecompressor('xz', () => undefined);
  await expect(decompressor.end()).rejects.toMatchObject({
    code: 'NO_DECOMPRESSOR',
    message: expect.stringContaining('xz, which is not installed'),
  });
});
