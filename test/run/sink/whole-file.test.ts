import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeWholeFile } from '../../../src/run/sink/whole-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-whole-'));
afterAll(() => rmSync(directory, { recursive: true }));

it('replaces a file, for its owner alone, and leaves nothing beside it', () => {
  const path = join(directory, 'state.json');
  writeFileSync(path, 'old', { mode: 0o644 });
  writeWholeFile(path, 'new\n');
  expect(readFileSync(path, 'utf8')).toBe('new\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['state.json']);
});

it('leaves nothing where it cannot write', () => {
  expect(() => writeWholeFile(directory, 'x')).toThrow(expect.objectContaining({ code: 'CANNOT_WRITE' }));
  expect(() => writeWholeFile(join(directory, 'none/x'), 'x')).toThrow(
    expect.objectContaining({ code: 'CANNOT_WRITE' }),
  );
  expect(readdirSync(directory)).toEqual(['state.json']);
});
