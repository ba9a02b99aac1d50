import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { type InputEnd, type OnChunk, openInput } from '../../src/cli/input.ts';
import { KsnoopError } from '../../src/wire/errors.ts';
import { Random } from '../support/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'ksnoop-input-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As hard to compress as packets are: some of it is. */
const RANDOM = Uint8Array.from({ length: 5_000 }, octets(1));
const LARGE = Buffer.concat(Array.from({ length: 500 }, (_, index) => RANDOM.subarray(index)));

function octets(seed: number): () => number {
  const random = new Random(seed);
  return () => random.below(256);
}

let made = 0;

function file(content: Uint8Array): string {
  made += 1;
  const path = join(folder, `file${made}`);
  writeFileSync(path, content);
  return path;
}

function fifo(): string {
  made += 1;
  const path = join(folder, `fifo${made}`);
  execFileSync('mkfifo', [path]);
  return path;
}

interface Read {
  readonly end: InputEnd;
  readonly bytes: Buffer;
  readonly position: number;
}

/** Read it all, and copy what is valid during the call only. */
async function readAll(path: string, signal = new AbortController().signal, follow = false): Promise<Read> {
  const input = openInput(path, { follow });
  const chunks: Buffer[] = [];
  const end = await input.each(
    (bytes) => {
      chunks.push(Buffer.from(bytes));
      return undefined;
    },
    signal,
    () => {},
  );
  return { end, bytes: Buffer.concat(chunks), position: input.position };
}

/** Write into a FIFO in pieces, another process as people have it. */
function writeSlowly(path: string, content: Uint8Array, piece: number): void {
  const source = file(content);
  const child = spawn('dd', [`if=${source}`, `of=${path}`, `bs=${piece}`], { stdio: 'ignore' });
  child.unref();
}

const COMPRESSIONS = [
  { name: 'gzip', compress: (bytes: Uint8Array) => gzipSync(bytes) },
  {
    name: 'zstd',
    // As zstd(1) does: without, damage to what could not be compressed is not seen.
    compress: (bytes: Uint8Array) => zstdCompressSync(bytes, { params: { [zlib.ZSTD_c_checksumFlag]: 1 } }),
  },
] as const;

describe('files', () => {
  test.each([0, 1, 3, 4, 5, 100_000, 1 << 20, (1 << 20) + 1, LARGE.length])('%i octets', async (length) => {
    const content = LARGE.subarray(0, length);
    const { end, bytes, position } = await readAll(file(content));
    expect(end).toEqual({ kind: 'complete' });
    expect(position).toBe(length);
    expect(bytes.equals(content)).toBe(true);
  });

  test('a growing file goes on at its end until told to stop', async () => {
    const path = file(RANDOM.subarray(0, 2));
    const abort = new AbortController();
    const reading = readAll(path, abort.signal, true);
    for (let at = 2; at < RANDOM.length; at += 1_000) {
      await sleep(at < 3_000 ? 150 : 20);
      appendFileSync(path, RANDOM.subarray(at, at + 1_000));
    }
    await sleep(400);
    abort.abort();
    const { end, bytes } = await reading;
    expect(end).toEqual({ kind: 'aborted' });
    expect(bytes.equals(RANDOM)).toBe(true);
  });

  test.each(COMPRESSIONS)('a growing $name file', async ({ compress }) => {
    const content = compress(RANDOM);
    const path = file(content.subarray(0, 3));
    const abort = new AbortController();
    const reading = readAll(path, abort.signal, true);
    for (let at = 3; at < content.length; at += 2_000) {
      await sleep(120);
      appendFileSync(path, content.subarray(at, at + 2_000));
    }
    await sleep(400);
    abort.abort();
    const { end, bytes } = await reading;
    expect(end).toEqual({ kind: 'aborted' });
    expect(bytes.equals(RANDOM)).toBe(true);
  });
});

describe('pipes', () => {
  test.each([1_000, 65_536])('a FIFO whose writer comes later, %i octets at a time', async (piece) => {
    const path = fifo();
    const reading = readAll(path);
    await sleep(100);
    writeSlowly(path, LARGE, piece);
    const { end, bytes, position } = await reading;
    expect(end).toEqual({ kind: 'complete' });
    expect(position).toBe(LARGE.length);
    expect(bytes.equals(LARGE)).toBe(true);
  });

  test('a writer that writes nothing', async () => {
    const path = fifo();
    const reading = readAll(path);
    writeSlowly(path, Buffer.alloc(0), 512);
    expect(await reading).toMatchObject({ end: { kind: 'complete' }, bytes: Buffer.alloc(0) });
  });

  test('a writer waits for a slow receiver', async () => {
    const path = fifo();
    const input = openInput(path, { follow: false });
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    let taken = 0;
    const end = input.each(
      (bytes) => {
        taken += bytes.length;
        return held;
      },
      new AbortController().signal,
      () => {},
    );
    writeSlowly(path, LARGE, 65_536);
    await sleep(300);
    expect(taken).toBeGreaterThan(0);
    expect(input.position).toBeLessThan(LARGE.length / 2);
    go();
    expect(await end).toEqual({ kind: 'complete' });
    expect(taken).toBe(LARGE.length);
  });

  test.each(COMPRESSIONS)('$name through a FIFO', async ({ compress }) => {
    const path = fifo();
    const reading = readAll(path);
    writeSlowly(path, compress(LARGE), 1_000);
    const { end, bytes } = await reading;
    expect(end).toEqual({ kind: 'complete' });
    expect(bytes.equals(LARGE)).toBe(true);
  });

  test('a signal is heard while nobody has opened a FIFO to write, and while nobody writes', async () => {
    const path = fifo();
    for (const writer of [undefined, 'idle'] as const) {
      const child = writer && spawn('sh', ['-c', 'exec 3>"$0"; echo open; exec sleep 60', path]);
      const abort = new AbortController();
      const reading = readAll(path, abort.signal);
      if (child !== undefined) await once(child.stdout, 'data');
      const started = performance.now();
      setTimeout(() => abort.abort(), 100);
      expect((await reading).end).toEqual({ kind: 'aborted' });
      expect(performance.now() - started).toBeLessThan(1_000);
      child?.kill();
    }
  });

  test('ksnoop read FIFO ends with Ctrl-C when nothing comes', { timeout: 20_000 }, async () => {
    const main = join(import.meta.dirname, '../../src/cli/main.ts');
    for (const writing of [false, true]) {
      const path = fifo();
      const child = spawn('node', [main, 'read', path], { stdio: 'ignore' });
      const exit = once(child, 'exit');
      const writer = await openedByReader(path);
      if (!writing) closeSync(writer);
      const started = performance.now();
      child.kill('SIGINT');
      expect(await exit).toEqual([expect.any(Number), null]);
      expect(performance.now() - started).toBeLessThan(3_000);
      if (writing) closeSync(writer);
    }
  });
});

/** The writing end of a FIFO, once somebody has opened it to read. */
async function openedByReader(path: string): Promise<number> {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await sleep(20);
    }
  }
}

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
    for (let length = 4; length < content.length; length += 13) {
      // Fewer than the next member's magic octets do not count as one.
      if (length >= one.length && length < one.length + 4) continue;
      writeFileSync(path, content.subarray(0, length));
      const { end, bytes } = await readAll(path);
      expect(end).toMatchObject({ kind: 'truncated', at: length });
      expect(bytes.equals(Buffer.concat([plain, plain]).subarray(0, bytes.length))).toBe(true);
      if (length > one.length) expect(bytes.length).toBeGreaterThanOrEqual(plain.length);
    }
    writeFileSync(path, content.subarray(0, one.length));
    expect((await readAll(path)).end).toEqual({ kind: 'complete' });
  });

  test('damaged in the middle it gives what was before, and never something else', async () => {
    const content = compress(LARGE.map((octet, at) => octet ^ (at >> 12)));
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

  test('no such file, a file taken for a folder, a folder', () => {
    expect(failure(join(folder, 'absent'))).toMatchObject({ code: 'NO_FILE', exit: 2, hint: expect.any(String) });
    expect(failure(join(file(RANDOM), 'below'))).toMatchObject({ code: 'NO_FILE', exit: 2 });
    expect(failure(folder)).toMatchObject({ code: 'CANNOT_READ', exit: 2, hint: expect.any(String) });
  });

  test.skipIf(process.getuid?.() === 0)('a file one has no right to', () => {
    const path = file(RANDOM);
    chmodSync(path, 0);
    expect(failure(path)).toMatchObject({ code: 'CANNOT_READ', exit: 1, hint: expect.any(String) });
  });
});
