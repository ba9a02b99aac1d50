import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib';
import { afterAll } from 'vitest';
import { type InputEnd, openInput } from '../../../src/run/input/input.ts';
import { Random } from '../../support/random.ts';

export const directory = mkdtempSync(join(tmpdir(), 'ksnoop-input-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** As hard to compress as packets are: some of it is. */
export const RANDOM = Uint8Array.from({ length: 5_000 }, bytes(1));
export const LARGE = Buffer.concat(Array.from({ length: 500 }, (_, index) => RANDOM.subarray(index)));

export function bytes(seed: number): () => number {
  const random = new Random(seed);
  return () => random.below(256);
}

let made = 0;

export function file(content: Uint8Array): string {
  made += 1;
  const path = join(directory, `file${made}`);
  writeFileSync(path, content);
  return path;
}

export function fifo(): string {
  made += 1;
  const path = join(directory, `fifo${made}`);
  execFileSync('mkfifo', [path]);
  return path;
}

export interface Read {
  readonly end: InputEnd;
  readonly bytes: Buffer;
  readonly position: number;
}

/**
 * Read it all, and copy what is valid during the call only.
 * @param onBytes called with how many bytes have come so far
 */
export async function readAll(
  path: string,
  signal = new AbortController().signal,
  follow = false,
  onBytes: (count: number) => void = () => {},
): Promise<Read> {
  const input = openInput(path, { follow });
  const chunks: Buffer[] = [];
  let count = 0;
  const end = await input.each(
    (bytes) => {
      chunks.push(Buffer.from(bytes));
      count += bytes.length;
      onBytes(count);
      return undefined;
    },
    signal,
    () => {},
  );
  return { end, bytes: Buffer.concat(chunks), position: input.position };
}

/** Write into a FIFO in pieces, another process as people have it. */
export function writeSlowly(path: string, content: Uint8Array, piece: number): void {
  const source = file(content);
  const child = spawn('dd', [`if=${source}`, `of=${path}`, `bs=${piece}`], { stdio: 'ignore' });
  child.unref();
}

export const COMPRESSIONS = [
  { name: 'gzip', compress: (bytes: Uint8Array) => gzipSync(bytes) },
  {
    name: 'zstd',
    // As zstd(1) does: without, damage to what could not be compressed is not seen.
    compress: (bytes: Uint8Array) => zstdCompressSync(bytes, { params: { [zlib.ZSTD_c_checksumFlag]: 1 } }),
  },
] as const;
