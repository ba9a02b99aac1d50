import { availableParallelism } from 'node:os';
import { expect } from 'vitest';
import { isKnownDifference, KNOWN_TRAFFIC_DIFFERENCES } from './known-traffic-differences.ts';
import { compareMessages } from './message-comparison.ts';
import { compareTraffic } from './traffic-comparison.ts';

/** Something on which ksnoop and tshark differ, whatever it is. */
export interface TrafficDifference {
  readonly file: string;
  /** 0 where it is about the file as a whole. */
  readonly frame: number;
  readonly what: string;
  readonly tshark: string;
  readonly ksnoop: string;
}

/** Compare files with tshark, print the agreements, and expect no difference but the known ones. */
export async function expectTrafficAgrees(folder: string, files: readonly string[]): Promise<void> {
  const waiting = [...files];
  const agreements = new Map<string, number>();
  const differences: TrafficDifference[] = [];
  const count = (counts: ReadonlyMap<string, number>) => {
    for (const [what, amount] of counts) agreements.set(what, (agreements.get(what) ?? 0) + amount);
  };
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const messages = await compareMessages(folder, file);
      if (messages !== undefined) {
        count(messages.agreements);
        for (const { file: name, frame, subject, onlyTshark, onlyKsnoop } of messages.differences) {
          differences.push({
            file: name,
            frame,
            what: subject,
            tshark: onlyTshark.join('; '),
            ksnoop: onlyKsnoop.join('; '),
          });
        }
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  // One after the other: what the streams are handed is watched while a file is analysed.
  for (const file of files) {
    const traffic = await compareTraffic(folder, file);
    if (traffic === undefined) continue;
    count(traffic.agreements);
    for (const difference of traffic.differences) differences.push({ frame: 0, ...difference });
  }
  const lines = [...agreements].sort().map(([what, amount]) => `  ${what.padEnd(24)} ${String(amount).padStart(9)}`);
  console.log([`traffic against tshark: ${files.length} files; agreements`, ...lines].join('\n'));
  console.log(`known differences seen: ${differences.length}, listed: ${KNOWN_TRAFFIC_DIFFERENCES.length} entries`);
  expect(differences.filter((difference) => !isKnownDifference(difference))).toEqual([]);
}
