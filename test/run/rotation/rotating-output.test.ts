import {
  existsSync,
  mkdirSync,
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
import { afterAll, expect, test } from 'vitest';
import { pcapng } from '../../../src/run/outputs/pcapng.ts';
import { openRotation, type Rotation } from '../../../src/run/rotation/rotating-output.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import * as sample from '../../support/pcapng-sample.ts';
import { PLAIN } from '../outputs/plain.ts';

const all = mkdtempSync(join(tmpdir(), 'ksnoop-rotating-'));
afterAll(() => rmSync(all, { recursive: true }));

const NONE = Number.POSITIVE_INFINITY;
const EVERY_300_BYTES: Rotation = { bytes: 300, intervalMs: NONE, files: NONE, ring: false };

let made = 0;
/** A directory of its own, and the series `web` in it. */
function series(rotation: Partial<Rotation>, { force = false, before = (_directory: string) => {} } = {}) {
  made += 1;
  const directory = join(all, String(made));
  mkdirSync(directory);
  before(directory);
  const path = join(directory, 'web.pcapng');
  const sink = openRotation({ path, force, rotation: { ...EVERY_300_BYTES, ...rotation } }, pcapng.create, () => {});
  const output = sink.output(PLAIN);
  const block = sample.describe('shop/a/any');
  output.addInterface(0, block, 0, block.length, { stream: 1, index: 0, gap: undefined, remarks: [] });
  const packets = (count: number) => {
    for (let index = 0; index < count && !output.ended; index += 1) {
      const packet = sample.packet(0, BigInt(index), new Uint8Array(100));
      output.write(BLOCK.enhancedPacket, 0, packet, 0, packet.length);
    }
  };
  const end = async () => {
    await output.close('user');
    await sink.close(false);
  };
  const place = (number: number) => join(directory, `web-0000${number}.pcapng`);
  return { directory, sink, output, packets, end, place, files: () => readdirSync(directory).sort() };
}

test('one file is named, several by the first and the last', async () => {
  const one = series({ bytes: NONE });
  one.packets(5);
  await one.end();
  expect(one.sink.description).toBe(`wrote ${one.place(1)}`);
  const three = series({});
  three.packets(6);
  await three.end();
  expect(three.files()).toEqual(['web-00001.pcapng', 'web-00002.pcapng', 'web-00003.pcapng']);
  expect(three.sink.description).toBe(`wrote ${three.place(1)} to ${three.place(3)}`);
});

test('a ring keeps the newest files, and says how many there were', async () => {
  const ring = series({ files: 2, ring: true });
  ring.packets(8);
  expect(ring.output.ended).toBe(false);
  await ring.end();
  expect(ring.files()).toEqual(['web-00003.pcapng', 'web-00004.pcapng']);
  expect(ring.sink.description).toBe(`wrote 4 files and kept the newest: ${ring.place(3)} to ${ring.place(4)}`);
});

test('without a ring the capture ends when the last file is full', async () => {
  const two = series({ files: 2 });
  two.packets(3);
  expect(two.output.ended).toBe(false);
  two.packets(100);
  expect(two.output.ended).toBe(true);
  await two.end();
  expect(two.files()).toEqual(['web-00001.pcapng', 'web-00002.pcapng']);
});

test('files are their owner alone to read; nothing is left of a capture without packets', async () => {
  const { sink, output, place, files } = series({});
  expect((statSync(place(1)).mode & 0o777).toString(8)).toBe('600');
  await output.close('user');
  await sink.close(true);
  expect(files()).toEqual([]);
});

test('a file that is there ends the capture and stays; --force puts a new one in its place', async () => {
  const before = (directory: string) => {
    writeFileSync(join(directory, 'precious'), 'precious');
    symlinkSync(join(directory, 'precious'), join(directory, 'web-00002.pcapng'));
  };
  const refused = series({}, { before });
  refused.packets(6);
  expect(refused.sink.failure).toMatchObject({ code: 'FILE_EXISTS', exit: 2 });
  expect(refused.output.ended).toBe(true);
  await refused.end();
  const forced = series({}, { before, force: true });
  forced.packets(6);
  await forced.end();
  expect(forced.sink.failure).toBeUndefined();
  // The link was replaced, not followed.
  expect(statSync(forced.place(2)).size).toBeGreaterThan(200);
  for (const { directory } of [refused, forced])
    expect(readFileSync(join(directory, 'precious'), 'utf8')).toBe('precious');
  expect(existsSync(refused.place(3))).toBe(false);
  expect(forced.files().filter((name) => name.startsWith('.'))).toEqual([]);
});

test('what cannot be replaced is an error of ours', () => {
  const before = (directory: string) => mkdirSync(join(directory, 'web-00001.pcapng'));
  for (const force of [false, true]) {
    expect(() => series({}, { before, force })).toThrow(
      expect.objectContaining({ code: force ? 'CANNOT_WRITE' : 'FILE_EXISTS' }),
    );
  }
});
