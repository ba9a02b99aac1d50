import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-writer-'));
afterAll(() => rmSync(directory, { recursive: true }));

const none = () => {};

/** Bytes in which every place can be told from its neighbours. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 7 + (index >> 8)) & 0xff;
  return bytes;
}

test('a file gets every byte in order, whatever the pieces', async () => {
  const path = join(directory, 'pieces');
  const bytes = pattern(3_000_000);
  let progress = 0;
  const writer = new ByteWriter(openSync(path, 'w'), () => {
    progress += 1;
  });
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 5 + 3) % 400_000) {
    size = Math.min(size, bytes.length - at);
    writer.push(bytes, at, size);
    if (size % 3 === 0) writer.flush();
  }
  await writer.drained();
  writer.close();
  expect(writer).toMatchObject({ pending: 0, written: bytes.length, end: undefined });
  expect(progress).toBeGreaterThan(0);
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

test('what was pushed is copied: the caller may use its buffer again', async () => {
  const path = join(directory, 'copied');
  const writer = new ByteWriter(openSync(path, 'w'), none);
  const bytes = Buffer.from('first');
  writer.push(bytes, 0, 5);
  bytes.fill('x');
  writer.push(Buffer.from('..second..'), 2, 6);
  await writer.drained();
  writer.close();
  expect(readFileSync(path, 'latin1')).toBe('firstsecond');
});

test('it never waits for a slow reader, and says how much waits', async () => {
  const taken: (() => void)[] = [];
  const slow = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void taken.push(done) });
  const writer = new ByteWriter(slow, none);
  writer.push(new Uint8Array(1_000_000), 0, 1_000_000);
  writer.flush();
  expect(writer.pending).toBe(1_000_000);
  const drained = writer.drained();
  while (writer.pending > 0) {
    expect(taken.length).toBeLessThanOrEqual(1);
    taken.shift()?.();
    await new Promise(setImmediate);
  }
  await drained;
  expect(writer.written).toBe(1_000_000);
});

test('a reader that goes away is a normal end', async () => {
  const head = spawn('head', ['-c', '1000'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said: Buffer[] = [];
  head.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  const closed = once(head, 'close');
  let told: string | undefined;
  const writer = new ByteWriter(head.stdin, () => {
    told = writer.end?.kind;
  });
  while (writer.end === undefined) {
    writer.push(new Uint8Array(100_000), 0, 100_000);
    writer.flush();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await closed;
  expect(writer).toMatchObject({ end: { kind: 'closed' }, pending: 0 });
  expect(told).toBe('closed');
  expect(Buffer.concat(said)).toHaveLength(1000);
  await writer.drained();
});

test('a FIFO by its number is written as a stream, and its reader may go away', async () => {
  const path = join(directory, 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = spawn('head', ['-c', '10', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(reader, 'close');
  const writer = new ByteWriter(openSync(path, 'w'), none);
  writer.push(new Uint8Array(10), 0, 10);
  writer.flush();
  await closed;
  writer.push(new Uint8Array(10), 0, 10);
  await writer.drained();
  expect(writer.end).toEqual({ kind: 'closed' });
  writer.close();
});

test('a full disk is a failure with its reason, and nothing waits for it', async () => {
  const writer = new ByteWriter(openSync('/dev/full', 'w'), none);
  writer.push(new Uint8Array(600_000), 0, 600_000);
  await writer.drained();
  expect(writer.end).toMatchObject({ kind: 'failed', error: { code: 'ENOSPC' } });
  expect(writer).toMatchObject({ pending: 0, written: 0 });
  writer.push(new Uint8Array(10), 0, 10);
  expect(writer.pending).toBe(0);
  await writer.drained();
  writer.close();
});

test('any other refusal of the kernel is a failure too', async () => {
  const path = join(directory, 'readable');
  writeFileSync(path, '');
  const writer = new ByteWriter(openSync(path, 'r'), none);
  writer.push(new Uint8Array(1), 0, 1);
  await writer.drained();
  expect(writer.end).toMatchObject({ kind: 'failed', error: { code: 'EBADF' } });
  writer.close();
});

test('texts are written as UTF-8, in order with bytes and across batches', async () => {
  const path = join(directory, 'texts');
  const writer = new ByteWriter(openSync(path, 'w'), none);
  const texts = ['GET /a → b\n', '😀\ud800 µs\n', '', 'x'.repeat(70_000), 'ä'.repeat(200_000), '\n'];
  const written: Buffer[] = [];
  for (let round = 0; round < 40; round += 1) {
    for (const text of texts) {
      writer.pushText(text);
      written.push(Buffer.from(text, 'utf8'));
    }
    const bytes = pattern(round * 1000);
    writer.push(bytes, 0, bytes.length);
    written.push(Buffer.from(bytes));
    if (round % 7 === 0) writer.flush();
  }
  await writer.drained();
  writer.close();
  const expected = Buffer.concat(written);
  expect(writer).toMatchObject({ pending: 0, written: expected.length, end: undefined });
  expect(readFileSync(path).equals(expected)).toBe(true);
});
