import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isStaticElf, readProgram } from '../../../src/capture/agentless/upload.ts';
import { staticElf } from '../../support/static-elf.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-upload-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('a program that needs a loader is no static one', () => {
  expect(isStaticElf(staticElf(1, 1, 4))).toBe(true);
  expect(isStaticElf(staticElf(6, 3, 1))).toBe(false);
  expect(isStaticElf(Buffer.alloc(64))).toBe(false);
  expect(isStaticElf(Buffer.from('#!/bin/sh\n'))).toBe(false);
  const cut = staticElf(1, 1);
  expect(isStaticElf(cut.subarray(0, 100))).toBe(false);
  const wild = staticElf(1);
  wild.writeBigUInt64LE(2n ** 63n, 32);
  expect(isStaticElf(wild)).toBe(false);
});

test('what cannot be uploaded is refused before anything is sent', async () => {
  const script = join(directory, 'script');
  writeFileSync(script, '#!/bin/sh\n'.padEnd(100));
  const good = join(directory, 'good');
  writeFileSync(good, staticElf(1));
  expect((await readProgram(good)).length).toBe(120);
  for (const path of [undefined, join(directory, 'none'), script])
    await expect(readProgram(path)).rejects.toMatchObject({ code: 'UPLOAD_NEEDS_PROGRAM', exit: 2 });
});
