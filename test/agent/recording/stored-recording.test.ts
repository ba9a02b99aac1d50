import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pieceName, RecordingFiles } from '../../../src/agent/recording/recording-files.ts';
import { recoverPieces } from '../../../src/agent/recording/stored-recording.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { RECORDING_PIECES } from '../../../src/wire/recording.ts';

let root: string;
let files: RecordingFiles;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ksnoop-stored-'));
  files = new RecordingFiles(root, '00000000-0000-4000-8000-000000000001');
  files.create();
});
afterEach(() => rmSync(root, { recursive: true }));

function write(from: number, to: number, kept = false): void {
  const packet = Buffer.alloc(64);
  packet.writeUInt32LE(BLOCK.enhancedPacket, 0);
  packet.writeUInt32LE(64, 4);
  packet.writeUInt32LE(64, 60);
  const bytes = Buffer.concat([sectionHeader('Linux'), packet]);
  for (let number = from; number <= to; number += 1) writeFileSync(files.path(pieceName(number, kept)), bytes);
}

test('of more files than a recording may have none is removed, and none is written again', async () => {
  write(1, RECORDING_PIECES + 20);
  const found = await recoverPieces(files, []);
  expect(found.pieces.map(({ name }) => name)).toEqual(
    Array.from({ length: RECORDING_PIECES }, (_, index) => pieceName(index + 1)),
  );
  expect(found.others).toHaveLength(20);
  expect([found.nextPiece, found.nextKept]).toEqual([RECORDING_PIECES + 21, 1]);
  expect(readdirSync(files.directory)).toHaveLength(RECORDING_PIECES + 20);
});

test('of a ring the newest files stay, as many as it has, and all that a trigger kept', async () => {
  write(990, 1_012);
  write(3, 5, true);
  const found = await recoverPieces(files, [], 4);
  const names = [1_009, 1_010, 1_011, 1_012].map((number) => pieceName(number));
  expect(found.pieces.map(({ name }) => name)).toEqual([
    ...names,
    ...[3, 4, 5].map((number) => pieceName(number, true)),
  ]);
  expect(found).toMatchObject({ others: [], nextPiece: 1_013, nextKept: 6 });
  expect(readdirSync(files.directory)).toHaveLength(7);
});
