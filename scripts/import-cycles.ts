import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { IMPORT, SOURCE } from './import-directions.ts';

/**
 * Files of which one cannot be loaded without the other, each cycle once, as `a.ts → b.ts → a.ts`. Types are not loaded and
 * may go both ways; what is imported later (`import()`) counts, for it is as hard to read.
 */
export function importCycles(source: string = SOURCE): string[] {
  const imports = new Map<string, string[]>();
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = join(entry.parentPath, entry.name);
    const loaded = [...readFileSync(file, 'utf8').matchAll(IMPORT)].flatMap(([, typeOnly, from, dynamic]) => {
      const target = from ?? dynamic ?? '';
      return typeOnly === undefined && target.startsWith('.') ? [resolve(dirname(file), target)] : [];
    });
    imports.set(file, loaded);
  }
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const begun = path.indexOf(file);
    if (begun !== -1) cycles.push([...path.slice(begun), file].map((part) => relative(source, part)).join(' → '));
    if (begun !== -1 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return cycles;
}
