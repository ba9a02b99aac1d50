// Run where the first argument is a small disk: what a process has left behind is recovered while the disk is full.
import { existsSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RecordingFiles } from '../../../src/agent/recording/recording-files.ts';
import { recoverPieces } from '../../../src/agent/recording/stored-recording.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { sectionHeader } from '../../../src/wire/pcapng-write.ts';

const [, , root = ''] = process.argv;
const files = new RecordingFiles(root, 'aaaaaaaa-0000-4000-8000-000000000000');
files.create();

/** A block with a packet that ends where a page of the disk does: behind it, a byte more needs another page. */
function packet(length: number): Buffer {
  const block = Buffer.alloc(length);
  block.writeUInt32LE(BLOCK.enhancedPacket, 0);
  block.writeUInt32LE(length, 4);
  block.writeUInt32LE(length, length - 4);
  return block;
}
const header = Buffer.from(sectionHeader('Linux'));
for (const name of ['00001.pcapng', '00002.pcapng']) {
  writeFileSync(files.path(name), Buffer.concat([header, packet(65_536 - header.length)]));
}
const filler = openSync(join(root, 'filler'), 'w');
try {
  for (;;) writeSync(filler, Buffer.alloc(4096));
} catch (thrown) {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
}
const { pieces } = await recoverPieces(files, []);
const sizes = pieces.map(({ name }) => (existsSync(files.path(name)) ? statSync(files.path(name)).size : 0));
process.stdout.write(JSON.stringify({ pieces, sizes }));
