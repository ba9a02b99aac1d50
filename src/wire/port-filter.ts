import { PORT_RANGES_MAXIMUM } from './limits.ts';

export interface FilterPort {
  /** As pcap-filter(7) names it, in either case: tcp, udp, sctp. */
  readonly protocol: string;
  readonly port: number;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * A filter (pcap-filter(7)) for ports, with neighbours merged into ranges: a list of single ports costs the filter compiler
 * more than its square. Past PORT_RANGES_MAXIMUM ranges of a protocol the nearest ones are joined: the filter then
 * also passes the ports between them.
 * @returns empty for no ports
 */
export function portFilter(ports: readonly FilterPort[]): string {
  const byProtocol = new Map<string, Set<number>>();
  for (const { protocol, port } of ports) {
    const name = protocol.toLowerCase();
    const known = byProtocol.get(name) ?? new Set();
    byProtocol.set(name, known.add(port));
  }
  const terms: string[] = [];
  for (const [protocol, known] of byProtocol) {
    for (const { first, last } of rangesOf([...known].sort((a, b) => a - b))) {
      terms.push(first === last ? `${protocol} port ${first}` : `${protocol} portrange ${first}-${last}`);
    }
  }
  return terms.join(' or ');
}

/** @param sorted ascending, each once */
function rangesOf(sorted: readonly number[]): Range[] {
  // Ranges are cut where the gap to the port before is more than 1, and at the widest gaps only where there are too many.
  const gaps = sorted.slice(1).map((port, index) => port - (sorted[index] as number));
  const cuts = gaps.filter((gap) => gap > 1).sort((a, b) => b - a);
  const narrowest = cuts[PORT_RANGES_MAXIMUM - 2] ?? 2;
  let spare = PORT_RANGES_MAXIMUM - 1;
  const ranges: Range[] = [];
  let first = sorted[0];
  if (first === undefined) return ranges;
  for (const [index, gap] of gaps.entries()) {
    if (gap < narrowest || spare === 0) continue;
    spare -= 1;
    ranges.push({ first, last: sorted[index] as number });
    first = sorted[index + 1] as number;
  }
  ranges.push({ first, last: sorted.at(-1) as number });
  return ranges;
}
