import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OutputConfig } from '../../../src/run/outputs/config.ts';
import { outputKind } from '../../../src/run/outputs/index.ts';
import { openKept } from '../../../src/run/outputs/kept.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-kept-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const plain = { rotation: undefined, force: false, json: false, where: undefined, showSecrets: false, utc: true };

function into(name: string, file: string): OutputConfig {
  const output = outputKind(name);
  if (output === undefined) throw new Error(name);
  return { ...plain, output, verbose: false, sink: { kind: 'file', path: join(directory, file) } };
}

const open = (output: OutputConfig, packets: OutputConfig | undefined) =>
  openKept({ output, packets }, { colour: false, width: undefined }, () => {}, new AbortController().signal);
const read = (file: string) => readFileSync(join(directory, file));

test('the lines and the packets go into their files, and the summary names that of the packets', async () => {
  const { output, sink } = await open(into('trace', 'lines.txt'), into('pcapng', 'packets.pcapng'));
  expect(sink?.path).toBe(join(directory, 'packets.pcapng'));
  expect(sink?.description).toContain('packets.pcapng');
  await output.close('user');
  await sink?.close(false);
  // Nothing was captured: the block at the end is alone (ARCHITECTURE.md).
  expect(read('packets.pcapng').readUInt32LE(0)).toBe(0x80004b53);
  expect(read('lines.txt').toString()).not.toContain('\0');
});

test('of a capture of nothing neither file stays', async () => {
  const { sink } = await open(into('trace', 'lines.txt'), into('pcapng', 'packets.pcapng'));
  await sink?.close(true);
  for (const file of ['lines.txt', 'packets.pcapng']) expect(() => read(file)).toThrow('ENOENT');
});

test('where the lines cannot be written no file of packets stays, and without one there is only the output', async () => {
  writeFileSync(join(directory, 'lines.txt'), 'before');
  await expect(open(into('trace', 'lines.txt'), into('pcapng', 'packets.pcapng'))).rejects.toMatchObject({
    code: 'FILE_EXISTS',
  });
  expect(() => read('packets.pcapng')).toThrow('ENOENT');
  const { sink } = await open(into('trace', 'alone.txt'), undefined);
  expect(sink?.path).toBe(join(directory, 'alone.txt'));
  await sink?.close(true);
});
