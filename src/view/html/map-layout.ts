import type { CallGraph } from '../map/graph.ts';

export interface PlacedNode {
  readonly name: string;
  /** 0 for who is called by nobody, and further right whom they call. */
  readonly column: number;
  /** Place in its column, from the top. */
  readonly row: number;
}

/** Sweeps over all columns that order nodes beside those they are connected with. */
const SWEEPS = 6;

/**
 * Places the nodes of a map in columns from callers to callees: by the longest way from a node that nobody calls; calls that
 * close a circle are left out of that. Within a column nodes stand near those that call them. The result depends on the
 * graph alone.
 */
export function placed({ nodes, edges }: CallGraph): PlacedNode[] {
  const columns = columnsOf(nodes, edges);
  const count = Math.max(0, ...columns.values()) + 1;
  const rows: string[][] = Array.from({ length: count }, () => []);
  for (const name of nodes) rows[columns.get(name) ?? 0]?.push(name);
  const beside = new Map<string, string[]>(nodes.map((name) => [name, []]));
  for (const { client, service } of edges) {
    if (client === service) continue;
    beside.get(client)?.push(service);
    beside.get(service)?.push(client);
  }
  const place = new Map<string, number>();
  const number = () => {
    for (const row of rows) for (const [index, name] of row.entries()) place.set(name, (index + 0.5) / row.length);
  };
  number();
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const row of sweep % 2 === 0 ? rows : rows.toReversed()) {
      const middle = new Map(row.map((name) => [name, mean(beside.get(name) ?? [], place, place.get(name) ?? 0)]));
      row.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
      number();
    }
  }
  return rows.flatMap((row, column) => row.map((name, index) => ({ name, column, row: index })));
}

function mean(names: readonly string[], place: ReadonlyMap<string, number>, otherwise: number): number {
  if (names.length === 0) return otherwise;
  return names.reduce((sum, name) => sum + (place.get(name) ?? 0), 0) / names.length;
}

/** The column of each node: the length of the longest way to it, calls that close a circle left out. */
function columnsOf(nodes: readonly string[], edges: CallGraph['edges']): Map<string, number> {
  const calls = new Map<string, string[]>();
  const called = new Set<string>();
  for (const { client, service } of edges) {
    if (client === service) continue;
    calls.set(client, [...(calls.get(client) ?? []), service]);
    called.add(service);
  }
  const state = new Map<string, 'open' | 'done'>();
  const finished: string[] = [];
  const forward = new Map<string, string[]>();
  const visit = (name: string) => {
    state.set(name, 'open');
    for (const next of calls.get(name) ?? []) {
      if (state.get(next) === 'open') continue;
      forward.set(name, [...(forward.get(name) ?? []), next]);
      if (state.get(next) === undefined) visit(next);
    }
    state.set(name, 'done');
    finished.push(name);
  };
  for (const name of [...nodes.filter((each) => !called.has(each)), ...nodes]) {
    if (state.get(name) === undefined) visit(name);
  }
  const columns = new Map<string, number>(nodes.map((name) => [name, 0]));
  for (const name of finished.toReversed()) {
    const next = (columns.get(name) ?? 0) + 1;
    for (const service of forward.get(name) ?? []) {
      if ((columns.get(service) ?? 0) < next) columns.set(service, next);
    }
  }
  return columns;
}
