/** Loaded before each test file: which change is made, and at the end, when asked, which changes the file reached. */
import { writeFileSync } from 'node:fs';
import { afterAll, inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    ksnoopMutate: Switches;
  }
}

export interface Switches {
  /** The number of the change that is made; -1 for none. */
  readonly mutant: number;
  /** How many changes there are. */
  readonly changes: number;
  /** The file into which it is written which changes the test file reached: one bit each. */
  readonly hits: string | undefined;
}

interface Switched {
  __ksnoopMutant: number;
  __ksnoopHits: Uint8Array;
}

const { mutant, changes, hits } = inject('ksnoopMutate');
const all = globalThis as unknown as Switched;
all.__ksnoopMutant = mutant;
if (hits !== undefined) {
  const reached = new Uint8Array(changes);
  all.__ksnoopHits = reached;
  afterAll(() => {
    const bits = new Uint8Array(Math.ceil(changes / 8));
    for (const [id, hit] of reached.entries()) if (hit === 1) bits[id >> 3] = (bits[id >> 3] ?? 0) | (1 << (id & 7));
    writeFileSync(hits, bits);
  });
}
