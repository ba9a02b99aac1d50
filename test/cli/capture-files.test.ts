import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { captureFiles } from '../../src/cli/capture-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-words-'));
writeFileSync(join(directory, 'notes.txt'), 'no capture');
mkdirSync(join(directory, 'rotated'));
afterAll(() => rmSync(directory, { recursive: true }));

test.each([
  ['incident.pcapng', true],
  ['rotated/*.pcap.gz', true],
  [join(directory, 'notes.txt'), true],
  [join(directory, 'rotated'), true],
  ['/no/such/file', true],
  ['./web', true],
  ['..', true],
  ['pod/web', false],
  ['pod/', false],
  ['web', false],
  ['.hidden', false],
])('%s names a capture file: %s', (word, expected) => {
  expect(captureFiles([word])).toBe(expected);
});
