import type { CallerStats, SummaryReport } from '../../analyze/summary/report.ts';

/** Nodes of a map; those with the fewest exchanges beyond it are one node, `other`. */
export const NODES_MAXIMUM = 60;

/** What a node is called that stands for several. */
const OTHER = 'other';

/** All exchanges of one client with one server, of all protocols. */
export interface Edge {
  readonly client: string;
  readonly service: string;
  readonly count: number;
  readonly failed: number;
  /** One for each protocol, most frequent first. */
  readonly calls: readonly CallerStats[];
}

/** Who calls whom. Names are not sanitised. */
export interface CallGraph {
  /** Most exchanges first. */
  readonly nodes: readonly string[];
  /** Most exchanges first. */
  readonly edges: readonly Edge[];
}

/** The map of a summary. @param maximum nodes, at least 2 */
export function callGraph({ callers }: Pick<SummaryReport, 'callers'>, maximum = NODES_MAXIMUM): CallGraph {
  const weights = new Map<string, number>();
  for (const { client, service, count } of callers) {
    weights.set(client, (weights.get(client) ?? 0) + count);
    if (service !== client) weights.set(service, (weights.get(service) ?? 0) + count);
  }
  const ranked = [...weights].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const kept = new Set(ranked.length <= maximum ? ranked : ranked.slice(0, maximum - 1));
  const nameOf = (name: string) => (kept.has(name) ? name : OTHER);
  const pairs = new Map<string, CallerStats[]>();
  for (const call of callers) {
    const key = JSON.stringify([nameOf(call.client), nameOf(call.service)]);
    const calls = pairs.get(key);
    if (calls === undefined) pairs.set(key, [call]);
    else calls.push(call);
  }
  const edges = [...pairs.values()]
    .map((calls): Edge => {
      const [first] = calls as [CallerStats, ...CallerStats[]];
      return {
        client: nameOf(first.client),
        service: nameOf(first.service),
        count: calls.reduce((sum, { count }) => sum + count, 0),
        failed: calls.reduce((sum, { failed }) => sum + failed, 0),
        calls: byProtocol(calls, nameOf),
      };
    })
    .sort((a, b) => b.count - a.count);
  const nodes = ranked.filter((name) => kept.has(name) && name !== OTHER);
  return { nodes: nodes.length < ranked.length ? [...nodes, OTHER] : nodes, edges };
}

/** Calls of one edge with those of one protocol added up. */
function byProtocol(calls: readonly CallerStats[], nameOf: (name: string) => string): CallerStats[] {
  const sums = new Map<string, CallerStats>();
  for (const call of calls) {
    const sum = sums.get(call.protocol);
    const named = { ...call, client: nameOf(call.client), service: nameOf(call.service) };
    sums.set(call.protocol, sum === undefined ? named : added(sum, named));
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}

/** Percentiles of two sets of exchanges do not give those of both: the sum has no latency. */
function added(a: CallerStats, b: CallerStats): CallerStats {
  return {
    ...a,
    count: a.count + b.count,
    rate: a.rate === undefined || b.rate === undefined ? undefined : a.rate + b.rate,
    failed: a.failed + b.failed,
    requestBytes: a.requestBytes + b.requestBytes,
    responseBytes: a.responseBytes + b.responseBytes,
    latency: undefined,
  };
}
