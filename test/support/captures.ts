import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Captures that others made (tcpdump's and Zeek's test suites), beside the repository: a clone elsewhere has none. */
export const CAPTURES = fileURLToPath(new URL('../../../shared/captures', import.meta.url));

/** Captures of faults that the analysis got wrong once, beside the repository as well. */
export const FAULTS = fileURLToPath(new URL('../../../shared/faults', import.meta.url));

/** The captures of this repository's own tests. */
const OWN = fileURLToPath(new URL('..', import.meta.url));

/** All capture files' paths, or none, with a warning, when the directory is absent. */
export function captureFiles(): string[] {
  return filesOf(CAPTURES);
}

/** The paths of every capture at hand: of the tests, of others' test suites, of faults. */
export function everyCapture(): string[] {
  return [OWN, CAPTURES, FAULTS].flatMap(filesOf);
}

function filesOf(directory: string): string[] {
  if (!existsSync(directory)) {
    console.warn(`${directory} is absent: nothing is compared with the captures in it`);
    return [];
  }
  return globSync('**/*.{pcap,pcapng,cap,gz}', { cwd: directory })
    .sort()
    .map((name) => join(directory, name));
}
