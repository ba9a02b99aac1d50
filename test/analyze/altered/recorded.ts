import { globSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { alteredCapture, type Variant } from './connections.ts';
import { variantOf } from './frames.ts';
import { type Stated, statementsOf } from './statements.ts';

const ANALYZE = join(import.meta.dirname, '..');

interface StatedVariant extends Variant {
  /** Its records: exchanges and events, and its connections. */
  readonly stated: readonly Stated[];
}

/** The captures of protocols, by name. */
export function recorded(): ReadonlyMap<string, string> {
  const paths = globSync('protocols/{*/,}captures/*.pcap', { cwd: ANALYZE }).sort();
  return new Map(paths.map((path) => [basename(path, extname(path)), join(ANALYZE, path)]));
}

/** What is stated of the altered connections of a capture, and of all together. */
export async function stateOf(path: string): Promise<{ variants: StatedVariant[]; rest: Stated[] }> {
  const { bytes, variants } = alteredCapture(path);
  const records: Stated[][] = variants.map(() => []);
  const rest: Stated[] = [];
  for (const stated of await statementsOf(['json', 'flows', 'findings', 'summary'], bytes)) {
    const isOfOne = stated.form === 'json' || stated.form === 'flows';
    const own = isOfOne ? records[variantOf(stated.line) - 1] : undefined;
    (own ?? rest).push(stated);
  }
  return { variants: variants.map((variant, index) => ({ ...variant, stated: records[index] ?? [] })), rest };
}
