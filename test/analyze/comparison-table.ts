import { availableParallelism } from 'node:os';
import { expect } from 'vitest';
import { CAPTURES } from '../support/captures.ts';
import { isKnown, KNOWN_DIFFERENCES } from './known-differences.ts';
import { type Comparison, compareFile } from './layer-comparison.ts';

/** Compare these files with tshark, print the agreements, and expect no difference but the known ones. */
export async function expectAgreement(files: readonly string[]): Promise<readonly Comparison[]> {
  const waiting = [...files];
  const comparisons: Comparison[] = [];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      comparisons.push(await compareFile(CAPTURES, file));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  print(comparisons);
  const differences = comparisons.flatMap((comparison) => comparison.differences);
  expect(differences.filter((difference) => !isKnown(difference))).toEqual([]);
  expect(comparisons.filter(({ opened }) => opened === 'tshark only').map(({ file }) => file)).toEqual([]);
  return comparisons;
}

function print(comparisons: readonly Comparison[]): void {
  const agreements = new Map<string, number>();
  for (const comparison of comparisons) {
    for (const [field, count] of comparison.agreements) agreements.set(field, (agreements.get(field) ?? 0) + count);
  }
  const frames = comparisons.reduce((sum, comparison) => sum + comparison.frames, 0);
  const differences = comparisons.reduce((sum, comparison) => sum + comparison.differences.length, 0);
  const lines = [...agreements].sort().map(([field, count]) => `  ${field.padEnd(24)} ${String(count).padStart(9)}`);
  console.log(
    [`layers against tshark: ${comparisons.length} files, ${frames} frames; agreements by field`, ...lines].join('\n'),
  );
  console.log(`known differences seen: ${differences}, listed: ${KNOWN_DIFFERENCES.length} entries`);
}
