import { expect, test } from 'vitest';
import { BATCH_BYTES, Batches, Waiters } from '../../src/wire/batches.ts';

function fill(batches: Batches, text: string): void {
  batches.bytes.write(text, batches.filled);
  batches.filled += text.length;
}

test('a batch is what was filled, and the next one begins empty, elsewhere', () => {
  const batches = new Batches(2);
  expect(batches.room).toBe(BATCH_BYTES);
  fill(batches, 'one');
  expect(batches.room).toBe(BATCH_BYTES - 3);
  const first = batches.cut();
  expect(batches.room).toBe(BATCH_BYTES);
  fill(batches, 'two');
  expect([String(first), String(batches.cut())]).toEqual(['one', 'two']);
  expect(batches.view.buffer).toBe(batches.bytes.buffer);
});

test('memory is used again, as much of it as is kept, and never that of an enlarged batch', () => {
  const batches = new Batches(1);
  const first = batches.cut();
  const second = batches.cut();
  batches.reuse(first);
  batches.reuse(second);
  batches.cut();
  expect(batches.bytes.buffer).toBe(first.buffer);
  batches.cut();
  expect(batches.bytes.buffer).not.toBe(second.buffer);
  batches.enlarge(BATCH_BYTES + 1);
  expect(batches.room).toBe(BATCH_BYTES + 1);
  const large = batches.cut();
  batches.reuse(large);
  batches.cut();
  expect(batches.bytes.buffer).not.toBe(large.buffer);
  expect(batches.room).toBe(BATCH_BYTES);
});

test('several may share what is kept, and together they keep no more', () => {
  const spares: ArrayBuffer[] = [];
  const [one, other] = [new Batches(1, spares), new Batches(1, spares)];
  const [first, second] = [one.cut(), other.cut()];
  one.reuse(first);
  other.reuse(second);
  expect(spares).toEqual([first.buffer]);
  other.cut();
  expect(other.bytes.buffer).toBe(first.buffer);
  expect(spares).toEqual([]);
});

test('who waits is woken once, and who waits again from then on by the next', async () => {
  const waiters = new Waiters();
  const seen: string[] = [];
  void waiters.wait().then(() => {
    seen.push('first');
    return waiters.wait().then(() => seen.push('again'));
  });
  void waiters.wait().then(() => seen.push('second'));
  waiters.wake();
  await Promise.resolve();
  await Promise.resolve();
  expect(seen).toEqual(['first', 'second']);
  waiters.wake();
  await Promise.resolve();
  expect(seen).toEqual(['first', 'second', 'again']);
});
