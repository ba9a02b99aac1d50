import type { TargetKind } from './kind.ts';
import { pod } from './pod.ts';

/** Every kind of target: a new one is a file here and a line below. */
export const TARGET_KINDS = [pod] as const satisfies readonly TargetKind[];

const byName = new Map<string, TargetKind>();
for (const kind of TARGET_KINDS) {
  for (const name of [kind.name, ...kind.aliases]) {
    if (byName.has(name)) throw new Error(`two target kinds are called ${name}`);
    byName.set(name, kind);
  }
}

/** The kind called by any of its names, in any case. */
export function targetKind(word: string): TargetKind | undefined {
  return byName.get(word.toLowerCase());
}
