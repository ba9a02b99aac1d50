/** Agents that could not keep up analysed whole connections of some of the traffic of their nodes, and left out the others. */
export interface Sample {
  /** Packets that were analysed of all that came at these nodes while each of them left out connections: 0 to 1. */
  readonly share: number;
  /** When the first of them began, ns since the first packet of the analysis. */
  readonly since: number;
  /** When the last of them had caught up, ns; undefined where one had not. */
  readonly until: number | undefined;
  /** Names of the nodes, sorted; the first of them where there are very many. */
  readonly nodes: readonly string[];
}

/** What reports say of a sample (docs/edge.md). */
export interface SampleRecord {
  /** Packets that were analysed of all that came at these nodes meanwhile, 0 to 1, with four decimals. */
  readonly share: number;
  /** RFC 3339. */
  readonly since: string;
  readonly until?: string;
  readonly nodes: readonly string[];
}

/** @param timeText RFC 3339 of a time in ns since the first packet */
export function sampleRecord(sample: Sample | undefined, timeText: (time: number) => string): SampleRecord | undefined {
  if (sample === undefined) return undefined;
  const { share, since, until, nodes } = sample;
  return {
    share: Math.round(share * 10_000) / 10_000,
    since: timeText(since),
    ...(until === undefined ? {} : { until: timeText(until) }),
    nodes,
  };
}
