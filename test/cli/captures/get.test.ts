import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { getCommand, type RawGetOptions } from '../../../src/cli/captures/get.ts';

let directory: string;
let kubeconfig: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-get-test-'));
  kubeconfig = join(directory, 'none');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('what is in the directory of a failed attempt stays', async () => {
  writeFileSync(join(directory, 'merged.pcapng'), 'of somebody');
  await expect(getCommand('capture/night', { directory, kubeconfig, quiet: true })).rejects.toThrow();
  expect(readdirSync(directory)).toEqual(['merged.pcapng']);
});

const existing = () => join(directory, 'night.pcapng');
test.each<[string, RawGetOptions, string]>([
  ['an output that there is not', { output: 'summry' }, 'USAGE'],
  ['an expression that does not compile', { where: 'http.status >=' }, 'USAGE'],
  ['a time that is none', { from: 'yesterdy' }, 'USAGE'],
  ['following', { follow: true }, 'USAGE'],
  ['a file that exists', { write: 'night.pcapng' }, 'FILE_EXISTS'],
])('%s is refused before anything is fetched', async (_, raw, code) => {
  writeFileSync(existing(), 'of somebody');
  const options = raw.write === undefined ? raw : { ...raw, write: existing() };
  await expect(getCommand('capture/night', { ...options, kubeconfig, quiet: true })).rejects.toMatchObject({ code });
  expect(existsSync(`${existing()}.files`)).toBe(false);
});
