import type { Sample } from '../found/sample.ts';

/** What reports say of a sample (docs/edge.md). */
export interface SampleRecord {
  /** Packets that were analysed of all that came at these nodes since, 0 to 1, with four decimals. */
  readonly share: number;
  /** RFC 3339. */
  readonly since: string;
  readonly nodes: readonly string[];
}

/** @param timeText RFC 3339 of a time in ns since the first packet */
export function sampleRecord(sample: Sample | undefined, timeText: (time: number) => string): SampleRecord | undefined {
  if (sample === undefined) return undefined;
  const { share, since, nodes } = sample;
  return { share: Math.round(share * 10_000) / 10_000, since: timeText(since), nodes };
}
