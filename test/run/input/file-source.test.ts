import { appendFileSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { FileSource } from '../../../src/run/input/file-source.ts';
import { HANG_MS } from '../../support/hang.ts';
import { file } from './inputs.ts';

const MIB = 2 ** 20;
/** So much that the memory of what was read ahead first is used again. */
const CONTENT = Buffer.from(Uint32Array.from({ length: 7 * MIB }, (_, index) => index).buffer);
const NEVER = new AbortController().signal;

/** Of a source: all that comes until its end, and whether the next bytes were ever read meanwhile. */
async function all(source: FileSource, onBytes: () => void = () => {}) {
  const pieces: Buffer[] = [];
  let ahead = false;
  for (;;) {
    const bytes = await source.next(NEVER);
    if (bytes === undefined || bytes.length === 0) return { bytes: Buffer.concat(pieces), ahead };
    if (source.readsAhead) {
      ahead = true;
      // What is read meanwhile must not come into bytes that are being looked at.
      await new Promise((resolve) => setImmediate(resolve));
    }
    pieces.push(Buffer.from(bytes));
    onBytes();
  }
}

/** A clock that goes on by one at every look. */
function counting() {
  let time = 0;
  return { clock: () => ++time, pass: (passed: number) => (time += passed) };
}

describe('a file of which reading takes a large share of the time', () => {
  test('is read ahead, and every byte comes once', async () => {
    const path = file(CONTENT);
    const source = new FileSource(openSync(path, 'r'), true, counting().clock);
    const { bytes, ahead } = await all(source);
    expect(ahead).toBe(true);
    expect(bytes.equals(CONTENT)).toBe(true);
    expect(source.position).toBe(CONTENT.length);
    appendFileSync(path, 'more');
    expect(Buffer.from((await source.next(NEVER)) ?? []).toString()).toBe('more');
    source.close();
  });

  test('is read ahead from where its offset is', async () => {
    const descriptor = openSync(file(CONTENT), 'r');
    readSync(descriptor, new Uint8Array(1000));
    const source = new FileSource(descriptor, false, counting().clock);
    const { bytes, ahead } = await all(source);
    expect(ahead).toBe(true);
    expect(bytes.equals(CONTENT.subarray(1000))).toBe(true);
    source.close();
  });

  test('is closed after the read that is under way', async () => {
    const path = file(CONTENT);
    const source = new FileSource(openSync(path, 'r'), true, counting().clock);
    while (!source.readsAhead) await source.next(NEVER);
    source.close();
    await vi.waitFor(() => expect(opened()).not.toContain(path), HANG_MS);
  });
});

test('a file of which reading takes a small share of the time is not read ahead', async () => {
  const { clock, pass } = counting();
  const source = new FileSource(openSync(file(CONTENT), 'r'), true, clock);
  const { bytes, ahead } = await all(source, () => pass(10));
  expect(ahead).toBe(false);
  expect(bytes.equals(CONTENT)).toBe(true);
  source.close();
});

/** Files that this process has open. */
function opened(): string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [readlinkSync(join('/proc/self/fd', name))];
    } catch {
      return [];
    }
  });
}
