import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `count` of these, in an order that the seed alone decides (mulberry32 and Fisher-Yates). */
export function sample<T>(all: readonly T[], count: number, seed: number): T[] {
  const items = [...all];
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const taken = Math.min(count, items.length);
  for (let at = 0; at < taken; at += 1) {
    const from = at + Math.floor(next() * (items.length - at));
    const chosen = items[from] as T;
    items[from] = items[at] as T;
    items[at] = chosen;
  }
  return items.slice(0, taken);
}

/**
 * Where the unit tests of a file are: its own test, and all that stand beside it; of a directory without tests those of the
 * one above.
 * @param root of the repository
 * @param file `src/wire/lines.ts`
 * @returns the file's own test, undefined where it has none, and the beginning of the paths of all
 */
export function testsOf(root: string, file: string): { own: string | undefined; beside: string } {
  const mirrored = file.replace(/^src\//, 'test/').replace(/\.ts$/, '');
  const own = existsSync(join(root, `${mirrored}.test.ts`)) ? `${mirrored}.test.ts` : undefined;
  let beside = dirname(mirrored);
  while (beside !== 'test' && !existsSync(join(root, beside)) && !existsSync(join(root, `${beside}.test.ts`))) {
    beside = dirname(beside);
  }
  return { own, beside: existsSync(join(root, beside)) ? `${beside}/` : `${beside}.test.ts` };
}
