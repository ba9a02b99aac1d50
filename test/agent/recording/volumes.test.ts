import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Volumes } from '../../../src/agent/recording/volumes.ts';
import { playedPiece } from '../../support/played-recordings.ts';

const capture = randomUUID();
const other = randomUUID();
const BYTES = Buffer.alloc(3_000_000, 'packets');
const piece = playedPiece('00001.pcapng', BYTES);
const file = { volume: 'shared', namespace: 'shop', name: 'night', directory: 'node1-aaaaaaaa', piece: piece.name };
const { signal } = new AbortController();
let directory: string;
let root: string;
let mount: string;
let source: string;
let volumes: Volumes;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-volumes-'));
  root = join(directory, 'volumes');
  mount = join(root, 'shared');
  mkdirSync(mount, { recursive: true });
  source = join(directory, 'piece');
  writeFileSync(source, BYTES);
  volumes = new Volumes(root);
});
afterEach(() => rmSync(directory, { recursive: true }));

const place = (uid: string) => join(mount, 'shop', `night-${uid}`);

async function read(uid: string, changes: object = {}): Promise<Buffer> {
  const stored = await volumes.open(uid, { ...file, ...changes });
  try {
    const found = Buffer.concat(await stored.read({ start: 0, end: stored.bytes - 1 }).toArray());
    expect(found).toHaveLength(stored.bytes);
    return found;
  } finally {
    await stored.close();
  }
}

test('a piece is copied to a directory of its Capture, whole or not at all, and read again', async () => {
  await volumes.copy(capture, file, source, piece, signal);
  expect(readdirSync(join(place(capture), file.directory))).toEqual([piece.name]);
  expect(await read(capture)).toEqual(BYTES);
  // The same again changes nothing.
  await volumes.copy(capture, file, source, piece, signal);
  expect(await read(capture)).toEqual(BYTES);
});

test('a pipe that others put in the place of a file keeps nothing waiting', async () => {
  const own = join(place(capture), file.directory);
  mkdirSync(own, { recursive: true });
  execFileSync('mkfifo', [join(own, `.${piece.name}.part`), join(own, piece.name)]);
  await expect(read(capture)).rejects.toMatchObject({ code: 'CANNOT_READ' });
  await volumes.copy(capture, file, source, piece, signal);
  expect(await read(capture)).toEqual(BYTES);
});

test('a file that becomes shorter while it is read ends with an error', async () => {
  await volumes.copy(capture, file, source, piece, signal);
  const stored = await volumes.open(capture, file);
  truncateSync(join(place(capture), file.directory, piece.name), 1_000_000);
  await expect(stored.read({ start: 0, end: stored.bytes - 1 }).toArray()).rejects.toThrow('ends early');
  await stored.close();
});

test('a piece whose SHA-256 is another leaves nothing, nor does one that is no longer wanted', async () => {
  const sha256 = createHash('sha256').digest('hex');
  await expect(volumes.copy(capture, file, source, { ...piece, sha256 }, signal)).rejects.toThrow(
    'the volume shared takes nothing: its SHA-256 changed on the way',
  );
  expect(readdirSync(join(place(capture), file.directory))).toEqual([]);
  await expect(volumes.copy(other, file, source, piece, AbortSignal.abort())).rejects.toThrow();
  expect(existsSync(place(other))).toBe(false);
});

test('a volume that is not mounted is named, with the way to mount it', async () => {
  await expect(volumes.copy(capture, { ...file, volume: 'cold' }, source, piece, signal)).rejects.toThrow(
    'The agent has no volume cold: ksnoop install --captures mounts it',
  );
  await expect(new Volumes(undefined).open(capture, file)).rejects.toMatchObject({ code: 'NO_SUCH_RECORDING' });
});

test('with the UID of another Capture nothing of this one is read', async () => {
  await volumes.copy(capture, file, source, piece, signal);
  await expect(read(other)).rejects.toMatchObject({ code: 'NO_SUCH_RECORDING' });
  await expect(read(other, { name: `night-${capture}` })).rejects.toMatchObject({ code: 'NO_SUCH_RECORDING' });
});

test('links that others put on the volume lead nowhere', async () => {
  await volumes.copy(capture, file, source, piece, signal);
  const secret = join(directory, 'secret');
  mkdirSync(secret);
  writeFileSync(join(secret, piece.name), 'secret');
  const own = join(place(capture), file.directory);
  rmSync(join(own, piece.name));
  symlinkSync(join(secret, piece.name), join(own, piece.name));
  await expect(read(capture)).rejects.toMatchObject({ code: 'CANNOT_READ' });
  rmSync(own, { recursive: true });
  symlinkSync(secret, own);
  await expect(read(capture)).rejects.toMatchObject({ code: 'CANNOT_READ' });
  await expect(volumes.copy(capture, file, source, piece, signal)).rejects.toThrow('leads elsewhere');
  await volumes.remove(capture);
  expect(readFileSync(join(secret, piece.name), 'utf8')).toBe('secret');
  // A place of a file is no file: a directory, in place of a name that is being written.
  mkdirSync(join(own, piece.name), { recursive: true });
  await expect(read(capture)).rejects.toMatchObject({ code: 'CANNOT_READ' });
});

test('a Capture that is deleted leaves nothing on any volume, and no other Capture loses anything', async () => {
  mkdirSync(join(root, 'second'));
  await volumes.copy(capture, file, source, piece, signal);
  await volumes.copy(capture, { ...file, volume: 'second', directory: 'node2-bbbbbbbb' }, source, piece, signal);
  await volumes.copy(other, file, source, piece, signal);
  await volumes.remove(capture);
  expect(readdirSync(join(mount, 'shop'))).toEqual([`night-${other}`]);
  expect(readdirSync(join(root, 'second'))).toEqual([]);
  expect(await read(other)).toEqual(BYTES);
  await volumes.remove(capture);
  await new Volumes(undefined).remove(capture);
});
