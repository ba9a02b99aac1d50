import type { Finding } from '../findings/finding.ts';

/** What a difference is about. */
export type Area = 'route' | 'dns' | 'tls' | 'tcp';

/** A number that differs by more than noise. */
export interface Difference {
  readonly area: Area;
  /** Service, DNS name or TLS server name. */
  readonly subject: string;
  /** Protocol and route, DNS type, port; empty where there is none. */
  readonly detail: string;
  /** `failed`, `status 503`, `p99`, `traffic` (the share of the Service's exchanges, of all DNS queries or of all connections, where one side has none). */
  readonly what: string;
  /** Shares are 0 to 1, latencies ns, rates events per million bytes. */
  readonly unit: 'share' | 'ns' | 'rate';
  readonly a: number;
  readonly b: number;
  /** Of how many exchanges, connections or bytes. */
  readonly ofA: number;
  readonly ofB: number;
  /** Whether B is worse; undefined where that does not follow from the number. */
  readonly worse: boolean | undefined;
}

/** Latencies of which one side has too few to compare: of the other exchanges, request and response are not proven to belong together, or not complete. */
export interface Untimed {
  readonly area: Area;
  readonly subject: string;
  readonly detail: string;
  /** Exchanges with a latency, and all, of each side. */
  readonly timedA: number;
  readonly ofA: number;
  readonly timedB: number;
  readonly ofB: number;
}

/** How much one side is made of. */
export interface SideTotals {
  readonly exchanges: number;
  readonly connections: number;
  /** ns between the first and the last packet. */
  readonly duration: number;
}

export interface DiffReport {
  readonly a: SideTotals;
  readonly b: SideTotals;
  /** Worse ones first, then by subject. */
  readonly differences: readonly Difference[];
  /** What could not be compared, by subject. */
  readonly untimed: readonly Untimed[];
  /** Findings of B that A has not, and of A that B has not, by code and subject. */
  readonly appeared: readonly Finding[];
  readonly resolved: readonly Finding[];
}

/** Whether B is worse than A in anything. */
export function isWorse({ differences, appeared }: DiffReport): boolean {
  return differences.some(({ worse }) => worse === true) || appeared.some(({ severity }) => severity !== 'information');
}
