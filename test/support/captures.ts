import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Captures that others made (tcpdump's and Zeek's test suites), beside the repository: a clone elsewhere has none. */
export const CAPTURES = fileURLToPath(new URL('../../../shared/captures', import.meta.url));

/** All capture files' paths, or none, which is said, when the folder is absent. */
export function captureFiles(): string[] {
  if (!existsSync(CAPTURES)) {
    console.warn(`${CAPTURES} is absent: nothing is compared with the captures in it`);
    return [];
  }
  return globSync('**/*.{pcap,pcapng,cap,gz}', { cwd: CAPTURES })
    .sort()
    .map((name) => join(CAPTURES, name));
}
