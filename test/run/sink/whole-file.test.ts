import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeWholeFile } from '../../../src/run/sink/whole-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-whole-'));
const START = 'kind:';
afterAll(() => rmSync(directory, { recursive: true }));

it('replaces a file, for its owner alone, and leaves nothing beside it', () => {
  const path = join(directory, 'state.json');
  writeFileSync(path, 'kind: old', { mode: 0o644 });
  writeWholeFile(path, 'kind: new\n', START);
  expect(readFileSync(path, 'utf8')).toBe('kind: new\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['state.json']);
});

it('leaves nothing where it cannot write', () => {
  expect(() => writeWholeFile(directory, 'x', START)).toThrow(expect.objectContaining({ code: 'CANNOT_WRITE' }));
  expect(() => writeWholeFile(join(directory, 'none/x'), 'x', START)).toThrow(
    expect.objectContaining({ code: 'CANNOT_WRITE' }),
  );
  expect(readdirSync(directory)).toEqual(['state.json']);
});

it('replaces an empty file, and nothing that is of another kind', () => {
  const path = (name: string) => join(directory, name);
  const refused = expect.objectContaining({ code: 'CANNOT_WRITE' });
  writeFileSync(path('empty'), '');
  writeWholeFile(path('empty'), 'kind: new\n', START);
  expect(readFileSync(path('empty'), 'utf8')).toBe('kind: new\n');
  writeFileSync(path('capture.pcapng'), 'packets');
  expect(() => writeWholeFile(path('capture.pcapng'), 'kind: new\n', START)).toThrow(refused);
  expect(readFileSync(path('capture.pcapng'), 'utf8')).toBe('packets');
  execFileSync('mkfifo', [path('pipe')]);
  symlinkSync('pipe', path('link'));
  for (const name of ['pipe', 'link']) {
    expect(() => writeWholeFile(path(name), 'kind: new\n', START)).toThrow(refused);
  }
  expect(lstatSync(path('pipe')).isFIFO()).toBe(true);
  expect(lstatSync(path('link')).isSymbolicLink()).toBe(true);
});
