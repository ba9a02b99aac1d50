import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pcapng } from '../../../src/run/outputs/pcapng.ts';
import { openRotation } from '../../../src/run/rotation/rotating-output.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import * as sample from '../../support/pcapng-sample.ts';
import { PLAIN } from '../outputs/plain.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-rotation-gap-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('a gap is in the file in which it happened; a remark is in every file', async () => {
  const rotation = { bytes: 300, intervalMs: Number.POSITIVE_INFINITY, files: Number.POSITIVE_INFINITY, ring: false };
  const sink = openRotation({ path: join(directory, 'a.pcapng'), force: false, rotation }, pcapng.create, () => {});
  const output = sink.output(PLAIN);
  const block = sample.describe('shop/a/any');
  const origin = { stream: 1, index: 0, gap: 'a gap before this interface', remarks: ['its clock was wrong'] };
  output.addInterface(0, block, 0, block.length, origin);
  for (let index = 0; index < 6; index += 1) {
    const packet = sample.packet(0, BigInt(index), new Uint8Array(100));
    output.write(BLOCK.enhancedPacket, 0, packet, 0, packet.length);
  }
  await output.close('user');
  await sink.close(false);
  const files = readdirSync(directory)
    .sort()
    .map((name) => readFileSync(join(directory, name)));
  expect(files.length).toBeGreaterThan(2);
  expect(files.map((bytes) => bytes.includes(origin.gap))).toEqual(files.map((_, index) => index === 0));
  expect(files.every((bytes) => bytes.includes('its clock was wrong'))).toBe(true);
});
