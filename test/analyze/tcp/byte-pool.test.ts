import { expect, it } from 'vitest';
import { BytePool } from '../../../src/analyze/tcp/byte-pool.ts';

const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => index & 0xff);

it('copies, also into a buffer that was used before, and never one that is in use', () => {
  const pool = new BytePool();
  const first = pool.copy(bytes, 10, 1400);
  const second = pool.copy(bytes, 20, 1400);
  expect(second).not.toBe(first);
  pool.give(first);
  const third = pool.copy(bytes, 30, 1300);
  expect(third).toBe(first);
  expect(third.subarray(0, 1270)).toEqual(bytes.subarray(30, 1300));
  expect(second.subarray(0, 1380)).toEqual(bytes.subarray(20, 1400));
  expect(pool.copy(bytes, 30, 1300)).not.toBe(first);
});

it('takes nothing, and what is too long to be used again', () => {
  const pool = new BytePool();
  for (const end of [0, 200_000, 512, 513]) {
    const copy = pool.copy(bytes, 0, end);
    expect(copy.subarray(0, end)).toEqual(bytes.subarray(0, end));
    expect(copy.length - end).toBeLessThan(512);
    pool.give(copy);
  }
});

it('keeps a bounded number of free buffers', () => {
  const pool = new BytePool();
  const given = Array.from({ length: 200 }, () => pool.copy(bytes, 0, 60_000));
  for (const buffer of given) pool.give(buffer);
  const again = new Set(Array.from({ length: 200 }, () => pool.copy(bytes, 0, 60_000)));
  expect(given.filter((buffer) => again.has(buffer)).length).toBeGreaterThan(10);
  expect(given.filter((buffer) => again.has(buffer)).length).toBeLessThan(100);
});

it('keeps nothing of bytes that nobody looks at, unless they are very many', () => {
  const pool = new BytePool();
  const [some, others] = [pool.unread(bytes, 10, 1400), pool.unread(bytes, 0, 60_000)];
  expect(some).toBe(others);
  expect(some.length).toBeGreaterThanOrEqual(60_000);
  // What it stands for is never used for a copy.
  pool.give(some);
  expect(pool.copy(bytes, 0, some.length)).not.toBe(some);
  expect(pool.unread(bytes, 0, 200_000).subarray(0, 200_000)).toEqual(bytes);
});
