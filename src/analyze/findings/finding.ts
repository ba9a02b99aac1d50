/** How much it matters: something fails, something is wrong, something to know. */
export type Severity = 'error' | 'warning' | 'information';

/** How sure it is: the packets leave no other cause; another cause is possible; a hint. */
export type Confidence = 'proven' | 'likely' | 'hint';

/** What a finding rests on. */
export interface Evidence {
  /** For people, one sentence without a full stop. Names and texts from the network in it are not sanitised. */
  readonly text: string;
  /** Numbers of flows that show it, as in all other outputs; a few of them. */
  readonly flows: readonly number[];
  /** First and last time of it, ns since the first packet; undefined where it has none. */
  readonly times: readonly [number, number] | undefined;
  /** A `--where` that shows the records; undefined where none does. */
  readonly where: string | undefined;
  /** A capture filter (pcap-filter(7)) that shows the packets; undefined where none does. */
  readonly filter?: string | undefined;
}

/** Evidence that no packet shows: the cluster's objects, the kernel's counters. */
export function withoutPackets(text: string): Evidence {
  return { text, flows: [], times: undefined, where: undefined };
}

/** What is wrong, said outright. */
export interface Finding {
  /** Stable: `DNS_NAME_MISSING`. docs/findings.md lists all. */
  readonly code: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** What it is about: a Service, pod, name or address. */
  readonly subject: string;
  /** One sentence. */
  readonly message: string;
  readonly evidence: readonly Evidence[];
  /** What to do next: a command, or what to look at. */
  readonly next: string;
  /** What else it may be; undefined where it is proven. */
  readonly otherwise: string | undefined;
  /** How often, and of how many. */
  readonly cases: number;
  readonly attempts: number;
  /** Agents could not keep up: its counts are of a sample of the connections. */
  readonly sample?: true | undefined;
}

/** Said of a finding that no packet alone proves. */
const OF_A_SAMPLE = 'connections that the agents left out may show something else';

/**
 * The finding as a sample of the connections shows it: its counts are marked, and packets prove nothing of the connections that are
 * missing. What the cluster's objects and the kernel's counters show alone is as sure as before.
 */
export function ofSample(finding: Finding): Finding {
  const { confidence, otherwise, evidence } = finding;
  if (evidence.every(({ flows, times }) => flows.length === 0 && times === undefined)) return finding;
  return {
    ...finding,
    confidence: confidence === 'proven' ? 'likely' : confidence,
    otherwise: otherwise === undefined ? OF_A_SAMPLE : `${otherwise}; ${OF_A_SAMPLE}`,
    sample: true,
  };
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'information'];

export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** Whether a severity is as bad as another, or worse. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return severityRank(severity) <= severityRank(least);
}
