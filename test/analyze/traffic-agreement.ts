import { availableParallelism } from 'node:os';
import { expect } from 'vitest';
import { isKnownDifference, KNOWN_TRAFFIC_DIFFERENCES } from './known-traffic-differences.ts';
import { compareTraffic, type TrafficDifference } from './traffic-comparison.ts';

/** Compare files with tshark, print the agreements, and expect no difference but the known ones. */
export async function expectTrafficAgrees(
  directory: string,
  files: readonly string[],
): Promise<{ agreements: ReadonlyMap<string, number>; differences: readonly TrafficDifference[] }> {
  const waiting = [...files];
  const agreements = new Map<string, number>();
  const differences: TrafficDifference[] = [];
  let opened = 0;
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const compared = await compareTraffic(directory, file);
      if (compared === undefined) continue;
      opened += 1;
      differences.push(...compared.differences);
      for (const [what, amount] of compared.agreements) agreements.set(what, (agreements.get(what) ?? 0) + amount);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const lines = [...agreements].sort().map(([what, amount]) => `  ${what.padEnd(36)} ${String(amount).padStart(10)}`);
  console.log([`traffic against tshark: ${opened} of ${files.length} files; agreements`, ...lines].join('\n'));
  console.log(`known differences seen: ${differences.length}, listed: ${KNOWN_TRAFFIC_DIFFERENCES.length} entries`);
  expect(differences.filter((difference) => !isKnownDifference(difference))).toEqual([]);
  return { agreements, differences };
}
