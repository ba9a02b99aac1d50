import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type OnChunk, openInput } from '../../../src/run/input/input.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { COMPRESSIONS, directory, file, LARGE, RANDOM, readAll } from './inputs.ts';

const NOBODY = 65_534;

describe.each(COMPRESSIONS)('$name', ({ compress }) => {
  test('several members, one after the other', async () => {
    const parts = [LARGE, RANDOM, Buffer.alloc(0), RANDOM.subarray(7)];
    const { end, bytes } = await readAll(file(Buffer.concat(parts.map(compress))));
    expect(end).toEqual({ kind: 'complete' });
    expect(bytes.equals(Buffer.concat(parts))).toBe(true);
  });

  test('cut anywhere it gives what was there, and says so', async () => {
    const plain = RANDOM.subarray(0, 1_500);
    const one = compress(plain);
    const content = Buffer.concat([one, compress(plain)]);
    const path = file(content);
    for (
      let length = 4;
      length < content.length;
      length += length > one.length - 5 && length < one.length + 5 ? 1 : 13
    ) {
      writeFileSync(path, content.subarray(0, length));
      const { end, bytes } = await readAll(path);
      if (length === one.length) continue;
      expect(end.kind).toBe('truncated');
      // Of the next member's magic bytes alone nothing is taken.
      if (end.kind === 'truncated')
        expect(length - end.at).toBeLessThan(length < one.length + 4 && length > one.length ? 4 : 1);
      expect(bytes.equals(Buffer.concat([plain, plain]).subarray(0, bytes.length))).toBe(true);
      if (length > one.length) expect(bytes.length).toBeGreaterThanOrEqual(plain.length);
    }
    writeFileSync(path, content.subarray(0, one.length));
    expect((await readAll(path)).end).toEqual({ kind: 'complete' });
  });

  test('bytes behind its end that are none of it take nothing with them, and are told', async () => {
    const plain = RANDOM.subarray(0, 60_000);
    const one = compress(plain);
    for (const stray of ['x', 'xyz', 'bytes of something else'.repeat(5)]) {
      const { end, bytes } = await readAll(file(Buffer.concat([one, Buffer.from(stray)])));
      expect(end).toMatchObject({ kind: 'truncated' });
      if (end.kind === 'truncated') expect(end.at).toBeGreaterThanOrEqual(one.length);
      expect(bytes.equals(plain)).toBe(true);
    }
  });

  test('damaged in the middle it gives what was before, and never something else', async () => {
    const content = compress(LARGE.map((byte, at) => byte ^ (at >> 12)));
    for (const share of [0.3, 0.6, 0.9]) {
      const damaged = Buffer.from(content);
      const at = Math.floor(content.length * share);
      damaged.fill(0xff, at, at + 200);
      const { end, bytes } = await readAll(file(damaged));
      expect(end).toMatchObject({ kind: 'truncated' });
      if (end.kind === 'truncated') expect(end.at).toBeGreaterThan(at - 400_000);
      expect(bytes.length).toBeGreaterThan(LARGE.length * (share - 0.2));
    }
  });

  test('what expands without end waits for a slow receiver, and for a signal', async () => {
    const input = openInput(file(compress(Buffer.alloc(300_000_000))), { follow: false });
    const abort = new AbortController();
    let waiting = 0;
    let most = 0;
    let taken = 0;
    const onChunk: OnChunk = async (bytes) => {
      waiting += 1;
      most = Math.max(most, waiting);
      taken += bytes.length;
      if (taken > 5_000_000) abort.abort();
      await sleep(1);
      waiting -= 1;
    };
    const end = await input.each(onChunk, abort.signal, () => {});
    expect(end).toEqual({ kind: 'aborted' });
    expect(most).toBe(1);
    expect(taken).toBeLessThan(200_000_000);
  });
});

test('progress is told now and then: how far of how much', async () => {
  const told: [number, number | undefined][] = [];
  const began = performance.now();
  const input = openInput(file(Buffer.alloc(6 << 20)), { follow: false });
  const end = await input.each(
    () => sleep(300),
    new AbortController().signal,
    (position, size) => told.push([position, size]),
  );
  expect(end).toEqual({ kind: 'complete' });
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThanOrEqual((performance.now() - began) / 200);
  for (const [position, size] of told) {
    expect(size).toBe(input.size);
    expect(position).toBeLessThanOrEqual(6 << 20);
  }
  expect(told).toEqual([...told].sort(([a], [b]) => a - b));
});

test('what the receiver throws ends reading, whatever is read', async () => {
  for (const content of [LARGE, gzipSync(LARGE), zstdCompressSync(LARGE)]) {
    for (const late of [false, true]) {
      let taken = 0;
      const onChunk: OnChunk = (bytes) => {
        taken += bytes.length;
        if (taken < 1_200_000) return undefined;
        if (late) return Promise.reject(new Error('enough'));
        throw new Error('enough');
      };
      const reading = openInput(file(content), { follow: false }).each(onChunk, new AbortController().signal, () => {});
      await expect(reading).rejects.toThrow('enough');
      expect(taken).toBeLessThan(LARGE.length);
    }
  }
});

describe('what cannot be read', () => {
  const failure = (path: string): KsnoopError => {
    try {
      openInput(path, { follow: false });
    } catch (thrown) {
      if (thrown instanceof KsnoopError) return thrown;
      throw thrown;
    }
    throw new Error('it was opened');
  };

  test('no such file, a file taken for a directory, a directory', () => {
    expect(failure(join(directory, 'absent'))).toMatchObject({ code: 'NO_FILE', exit: 2, hint: expect.any(String) });
    expect(failure(join(file(RANDOM), 'below'))).toMatchObject({ code: 'NO_FILE', exit: 2 });
    expect(failure(directory)).toMatchObject({ code: 'CANNOT_READ', exit: 2, hint: expect.any(String) });
  });

  test('a file one has no right to', () => {
    const path = file(RANDOM);
    chmodSync(path, 0);
    // Root may read anything: it is somebody else for the moment.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      expect(failure(path)).toMatchObject({ code: 'CANNOT_READ', exit: 1, hint: expect.any(String) });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
