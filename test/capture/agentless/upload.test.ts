import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isStaticElf, readProgram } from '../../../src/capture/agentless/upload.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-upload-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** The head of a 64-bit little-endian ELF file with these program headers' types. */
function elf(...types: number[]): Buffer {
  const file = Buffer.alloc(64 + types.length * 56);
  file.write('\u007fELF', 'latin1');
  file.set([2, 1, 1], 4);
  file.writeUInt16LE(62, 18);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(types.length, 56);
  for (const [index, type] of types.entries()) file.writeUInt32LE(type, 64 + index * 56);
  return file;
}

test('a program that needs a loader is no static one', () => {
  expect(isStaticElf(elf(1, 1, 4))).toBe(true);
  expect(isStaticElf(elf(6, 3, 1))).toBe(false);
  expect(isStaticElf(elf())).toBe(false);
  expect(isStaticElf(Buffer.from('#!/bin/sh\n'))).toBe(false);
  const cut = elf(1, 1);
  expect(isStaticElf(cut.subarray(0, 100))).toBe(false);
  const wild = elf(1);
  wild.writeBigUInt64LE(2n ** 63n, 32);
  expect(isStaticElf(wild)).toBe(false);
});

test('what cannot be uploaded is refused before anything is sent', async () => {
  const script = join(directory, 'script');
  writeFileSync(script, '#!/bin/sh\n'.padEnd(100));
  const good = join(directory, 'good');
  writeFileSync(good, elf(1));
  expect((await readProgram(good)).length).toBe(120);
  for (const path of [undefined, join(directory, 'none'), script])
    await expect(readProgram(path)).rejects.toMatchObject({ code: 'UPLOAD_NEEDS_PROGRAM', exit: 2 });
});
