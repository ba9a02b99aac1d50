import type { ChildProcess } from 'node:child_process';

/** What came out of a program, and how long it took to the last byte, from the first or from `begin()`. */
export interface Flow {
  readonly bytes: number;
  readonly seconds: number;
}

/** A chunk of no more bytes than this is no part of a bulk transfer. */
const SMALL = 1_000;

/** Reads a program's stdout and throws it away. `begin()` forgets what has come, `now()` tells what has come since. */
export function readAll(child: ChildProcess): { readonly done: Promise<Flow>; begin(): void; now(): Flow } {
  let bytes = 0;
  let began: number | undefined;
  let last = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    // Statistics that come while nothing else does are not the transfer's.
    if (chunk.length > SMALL) last = performance.now();
    began ??= performance.now();
    bytes += chunk.length;
  });
  const now = () => ({ bytes, seconds: (last - (began ?? last)) / 1000 });
  const done = new Promise<Flow>((resolve) => child.once('close', () => resolve(now())));
  const begin = () => {
    bytes = 0;
    began = performance.now();
  };
  return { done, begin, now };
}
