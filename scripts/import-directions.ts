import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const SOURCE = join(import.meta.dirname, '../src');

/** What each room may import besides itself (ARCHITECTURE.md): one way, from the command line down to the wire. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  cli: ['run', 'capture', 'analyze', 'view', 'wire'],
  run: ['capture', 'analyze', 'view', 'wire'],
  capture: ['wire'],
  analyze: ['wire'],
  view: ['wire'],
  agent: ['wire'],
  wire: [],
};

/** `view` may name the analyzer's types, and nothing of it that runs. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = { view: ['analyze'] };

export const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?(?:[^'"]*?from\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** The imports that break the rule, one sentence each. */
export function importViolations(source: string = SOURCE): string[] {
  const violations: string[] = [];
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = join(entry.parentPath, entry.name);
    const room = roomOf(source, file);
    for (const [, typeOnly, from, dynamic] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const target = from ?? dynamic ?? '';
      if (room === 'wire' && !target.startsWith('.') && !/^node:(string_decoder|net)$/.test(target)) {
        violations.push(
          `${relative(source, file)}: the wire does no I/O and has no dependencies, but imports ${target}`,
        );
      }
      if (!target.startsWith('.')) continue;
      const other = roomOf(source, resolve(dirname(file), target));
      if (other === room || ALLOWED[room]?.includes(other)) continue;
      if (typeOnly !== undefined && TYPES_ONLY[room]?.includes(other)) continue;
      violations.push(`${relative(source, file)}: ${room} must not import ${other} (${target})`);
    }
  }
  return violations;
}

function roomOf(source: string, file: string): string {
  return relative(source, file).split('/')[0] ?? '';
}
