/** What tcpdump prints on SIGUSR1 and at its end (tcpdump.c, info()). Whole packets. */
export interface TcpdumpStatistics {
  readonly received: number;
  readonly droppedByKernel: number;
}

/** How the last line of interest ends. */
export const STATISTICS_END = 'dropped by kernel';

const RECEIVED = /(\d+) packets? received by filter/g;
const DROPPED = /(\d+) packets? dropped by kernel/g;

/** The last statistics in tcpdump's stderr so far; undefined before the first. */
export function parseStatistics(stderr: string): TcpdumpStatistics | undefined {
  const received = lastNumber(stderr, RECEIVED);
  const droppedByKernel = lastNumber(stderr, DROPPED);
  return received === undefined || droppedByKernel === undefined ? undefined : { received, droppedByKernel };
}

function lastNumber(text: string, pattern: RegExp): number | undefined {
  const last = [...text.matchAll(pattern)].at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}
