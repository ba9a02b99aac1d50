import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RecordedFile } from '../../../src/capture/tenant/fetch-recording.ts';
import { fetchFiles, removeFetched } from '../../../src/run/recording/fetch-files.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-fetch-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const BYTES = Buffer.from('the packets of a file');
const { signal } = new AbortController();
let progress = 0;
const observer = {
  note: () => {},
  progress: (bytes: number) => {
    progress = bytes;
  },
};

/** @param answers what each attempt brings: bytes from where it was asked on, up to a number of them, then an error */
function file(answers: readonly (number | KsnoopError)[], bytes = BYTES, more: Partial<RecordedFile> = {}) {
  const asked: number[] = [];
  const queue = [...answers];
  const made: RecordedFile = {
    name: 'node1-00000000/00001.pcapng',
    node: 'node1',
    sha256: createHash('sha256').update(BYTES).digest('hex'),
    bytes: BYTES.length,
    first: 7n,
    open: async (from) => {
      asked.push(from);
      const answer = queue.shift() ?? bytes.length;
      if (typeof answer !== 'number') throw answer;
      return (async function* () {
        yield bytes.subarray(from, from + answer);
        if (from + answer < bytes.length) throw new Error('socket hang up');
      })();
    },
    ...more,
  };
  return { made, asked };
}

const path = () => join(directory, 'node1-00000000/00001.pcapng');

test('a file that breaks off is fetched from where it ended', async () => {
  const { made, asked } = file([5, new KsnoopError('STREAM_LOST', 'It broke.'), 100]);
  const { files, missing } = await fetchFiles([made], directory, observer, signal);
  expect(missing).toEqual([]);
  expect(files).toEqual([{ path: path(), source: 'node1', first: 7n }]);
  expect(readFileSync(path())).toEqual(BYTES);
  expect(asked).toEqual([0, 5, 5]);
  expect(progress).toBe(BYTES.length);
});

test('what an earlier attempt has left is used, and a whole file is not fetched again', async () => {
  mkdirSync(dirname(path()));
  writeFileSync(`${path()}.part`, BYTES.subarray(0, 9));
  const first = file([]);
  await fetchFiles([first.made], directory, observer, signal);
  expect(first.asked).toEqual([9]);
  const second = file([]);
  await fetchFiles([second.made], directory, observer, signal);
  expect(second.asked).toEqual([]);
});

test('a part of another file is thrown away', async () => {
  mkdirSync(dirname(path()));
  writeFileSync(`${path()}.part`, 'another');
  const { made, asked } = file([]);
  expect((await fetchFiles([made], directory, observer, signal)).missing).toEqual([]);
  expect(asked).toEqual([7, 0]);
  expect(readFileSync(path())).toEqual(BYTES);
});

test('bytes with another SHA-256 are no file, nor are too many; the others are fetched', async () => {
  const changed = file([], Buffer.from('the packets of a FILE'), { name: 'node1-00000000/00002.pcapng' });
  const long = file([], Buffer.concat([BYTES, BYTES]), { name: 'node1-00000000/00003.pcapng' });
  const good = file([]);
  const { files, missing } = await fetchFiles([changed.made, good.made], directory, observer, signal);
  expect(files).toHaveLength(1);
  expect(missing).toEqual([
    'node1-00000000/00002.pcapng could not be fetched: Its SHA-256 is not the one that was recorded.',
  ]);
  expect(existsSync(join(directory, 'node1-00000000/00002.pcapng'))).toBe(false);
  // More bytes than the file has are not taken.
  await fetchFiles([long.made], directory, observer, signal);
  expect(readFileSync(join(directory, 'node1-00000000/00003.pcapng'))).toEqual(BYTES);
});

test('a file that is gone is missing at once', async () => {
  const { made, asked } = file([new KsnoopError('NO_SUCH_RECORDING', 'There is no such file.')]);
  const { missing } = await fetchFiles([made], directory, observer, signal);
  expect(missing).toEqual(['node1-00000000/00001.pcapng could not be fetched: There is no such file.']);
  expect(asked).toEqual([0]);
});

test('a part that is as long as the file and of another one is thrown away', async () => {
  mkdirSync(dirname(path()));
  writeFileSync(`${path()}.part`, 'x'.repeat(BYTES.length));
  const { made, asked } = file([]);
  expect((await fetchFiles([made], directory, observer, signal)).missing).toEqual([]);
  expect(asked).toEqual([0]);
  expect(readFileSync(path())).toEqual(BYTES);
});

test('an agent that answers with nothing, again and again, is given up', async () => {
  const open = vi.fn(async () => (async function* (): AsyncGenerator<Uint8Array> {})());
  const { made } = file([], BYTES, { open });
  const { missing } = await fetchFiles([made], directory, observer, signal);
  expect(missing).toEqual(['node1-00000000/00001.pcapng could not be fetched: Nothing came.']);
  expect(open).toHaveBeenCalledTimes(6);
}, 20_000);

test('what was fetched is removed, and nothing of others', async () => {
  const { made } = file([]);
  await fetchFiles([made], directory, observer, signal);
  writeFileSync(join(directory, 'node1-00000000/00002.pcapng.part'), 'x');
  mkdirSync(join(directory, 'node2-00000000'));
  writeFileSync(join(directory, 'node2-00000000/00001.pcapng'), 'x');
  writeFileSync(join(directory, 'node1-00000000/mine.pcapng'), 'x');
  writeFileSync(join(directory, 'merged.pcapng'), 'x');
  removeFetched(directory);
  expect(readdirSync(directory, { recursive: true }).sort()).toEqual([
    'merged.pcapng',
    'node1-00000000',
    'node1-00000000/mine.pcapng',
  ]);
});
