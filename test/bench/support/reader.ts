import type { ChildProcess } from 'node:child_process';

/** What came out of a program, and how long it took from the first byte to the last. */
export interface Flow {
  readonly bytes: number;
  readonly seconds: number;
}

/** Reads a program's stdout and throws it away. `now()` tells what has come so far. */
export function readAll(child: ChildProcess): { readonly done: Promise<Flow>; now(): Flow } {
  let bytes = 0;
  let first = 0;
  let last = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    last = performance.now();
    if (bytes === 0) first = last;
    bytes += chunk.length;
  });
  const now = () => ({ bytes, seconds: (last - first) / 1000 });
  const done = new Promise<Flow>((resolve) => child.once('close', () => resolve(now())));
  return { done, now };
}
