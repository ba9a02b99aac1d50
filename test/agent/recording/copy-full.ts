// Run where the second argument has a small disk: a piece that has no room there.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Volumes } from '../../../src/agent/recording/volumes.ts';
import { messageOf } from '../../../src/wire/errors.ts';
import { playedPiece } from '../../support/played-recordings.ts';

const [, , source = '', root = ''] = process.argv;
const bytes = Buffer.alloc(2 * 1024 * 1024, 'packets');
writeFileSync(source, bytes);
const file = { volume: 'small', namespace: 'shop', name: 'night', directory: 'node1-aaaaaaaa', piece: '00001.pcapng' };
const capture = 'aaaaaaaa-0000-4000-8000-000000000000';
const copy = new Volumes(root).copy(
  capture,
  file,
  source,
  playedPiece(file.piece, bytes),
  new AbortController().signal,
);
const answer = await copy.then(() => 'copied', messageOf);
// What was written of it makes room again.
writeFileSync(join(root, 'small', 'filler'), Buffer.alloc(900 * 1024));
process.stdout.write(answer);
