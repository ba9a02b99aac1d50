import type { CallGraph, Edge } from '../map/graph.ts';

/** Sizes are CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface MapSizes {
  readonly node: (name: string) => Size;
  /** Of the text of an edge; without a height where it has none on the drawing. */
  readonly label: (edge: Edge) => Size;
}

/** A node, or the text of an edge: x and y of its middle. */
export interface PlacedNode extends Size {
  readonly name: string;
  /** 0 for nodes without callers, and further right those that they call. */
  readonly column: number;
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly edge: Edge;
  /** Data of an SVG path. */
  readonly path: string;
  readonly label: Size & { readonly x: number; readonly y: number };
  /** Where it ends, and the side of the node that it comes from: -1 left, 1 right. */
  readonly end: { readonly x: number; readonly y: number; readonly side: -1 | 1 };
}

export interface Placed extends Size {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  /** Where the drawing can be cut with no node or text cut: x, from left to right. */
  readonly cuts: readonly number[];
}

const MARGIN = 8;
/** Between two ranks, where lines go up and down: more where they go far. */
const GAP_MINIMUM = 26;
const GAP_MAXIMUM = 100;
/** Room of a line that passes nodes and texts. */
const PASS: Size = { width: 0, height: 6 };
/** Sweeps over all ranks that order what stands in them, and as many more that make lines straight. */
const SWEEPS = 8;

/** What stands in a rank: a node, a text, or a line that passes. */
interface Item extends Size {
  readonly rank: number;
  readonly isPass: boolean;
  readonly left: Item[];
  readonly right: Item[];
  y: number;
}

/** An edge as its items from caller to callee, both included, and which of them has its text. */
interface Route {
  readonly edge: Edge;
  readonly items: readonly Item[];
  readonly label: Item;
}

/**
 * Places the nodes of a map in columns from callers to callees: by the longest way from a node without callers; calls that
 * close a circle are left out of that. Columns are the even ranks; texts of edges stand in the odd ranks. In every rank that
 * an edge goes through it has a place of its own, so that no line is behind a node or a text of another. Calls back, or
 * within a column, leave and arrive on the right. The result depends on the graph and the sizes alone.
 */
export function placed({ nodes, edges }: CallGraph, sizes: MapSizes): Placed {
  const columns = columnsOf(nodes, edges);
  const columnOf = (name: string) => columns.get(name) ?? 0;
  const ranks: Item[][] = [];
  const add = (rank: number, size: Size, isPass: boolean) => {
    while (ranks.length <= rank) ranks.push([]);
    const item: Item = { ...size, rank, isPass, left: [], right: [], y: 0 };
    ranks[rank]?.push(item);
    return item;
  };
  const items = new Map(nodes.map((name) => [name, add(columnOf(name) * 2, sizes.node(name), false)]));
  const texts = new Map<number, number>();
  const routes = edges.flatMap((edge): Route[] => {
    const [client, service] = [items.get(edge.client), items.get(edge.service)];
    if (client === undefined || service === undefined) return [];
    const size = sizes.label(edge);
    const isForward = client.rank < service.rank;
    // The text of a long edge stands where there are fewest texts.
    let textRank = client.rank + 1;
    if (isForward) {
      for (let rank = textRank; rank < service.rank; rank += 2) {
        if ((texts.get(rank) ?? 0) < (texts.get(textRank) ?? 0)) textRank = rank;
      }
    }
    texts.set(textRank, (texts.get(textRank) ?? 0) + size.height);
    const label = add(textRank, size.height === 0 ? PASS : size, size.height === 0);
    const way = isForward
      ? from(client.rank + 1, service.rank).map((rank) => (rank === textRank ? label : add(rank, PASS, true)))
      : [
          label,
          ...from(service.rank + 1, textRank)
            .toReversed()
            .map((rank) => add(rank, PASS, true)),
        ];
    const route = [client, ...way, service];
    for (const [index, item] of route.entries()) {
      const next = route[index + 1];
      if (next === undefined) break;
      (next.rank > item.rank ? item.right : item.left).push(next);
      (next.rank > item.rank ? next.left : next.right).push(item);
    }
    return [{ edge, items: route, label }];
  });
  setHeights(ranks);
  const top = Math.min(...ranks.flat().map(({ y, height }) => y - height / 2));
  for (const item of ranks.flat()) item.y = Math.round(item.y - top + MARGIN);
  const spans = spansOf(ranks);
  const spanOf = ({ rank }: Item) => spans[rank] ?? { left: 0, right: 0 };
  const ports = portsOf(routes);
  return {
    nodes: [...items].map(([name, item]) => {
      const { left, right } = spanOf(item);
      return { name, column: item.rank / 2, x: (left + right) / 2, y: item.y, width: item.width, height: item.height };
    }),
    edges: routes.map((route, index) => edgePlaced(route, ports[index] ?? { start: 0, end: 0 }, spanOf)),
    cuts: spans.slice(1).map(({ left }, index) => (left + (spans[index]?.right ?? left)) / 2),
    width: (spans.at(-1)?.right ?? 0) + MARGIN,
    height: Math.max(0, ...ranks.flat().map(({ y, height }) => y + height / 2)) + MARGIN,
  };
}

/** Whole numbers from one to before another. */
function from(first: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
}

/** Orders each rank by the neighbours in the others, and sets y. */
function setHeights(ranks: readonly Item[][]): void {
  for (const rank of ranks) settle(rank, () => 0);
  for (let sweep = 0; sweep < SWEEPS * 2; sweep += 1) {
    const isDown = sweep % 2 === 0;
    const isOrdering = sweep < SWEEPS;
    for (const rank of isDown ? ranks : ranks.toReversed()) {
      const wanted = new Map(
        rank.map((item) => {
          const before = isDown ? item.left : item.right;
          const beside = isOrdering && before.length > 0 ? before : [...item.left, ...item.right];
          return [item, beside.length === 0 ? item.y : beside.reduce((sum, { y }) => sum + y, 0) / beside.length];
        }),
      );
      const wantedOf = (item: Item) => wanted.get(item) ?? 0;
      if (isOrdering) rank.sort((a, b) => wantedOf(a) - wantedOf(b));
      settle(rank, wantedOf);
    }
  }
}

/** Sets y as near as possible to what is wanted (least squares), in the order of the rank and without overlap. */
function settle(rank: readonly Item[], wanted: (item: Item) => number): void {
  const blocks: { sum: number; count: number }[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const [index, item] of rank.entries()) {
    const before = rank[index - 1];
    if (before !== undefined) {
      offset += (before.height + item.height) / 2 + (before.isPass && item.isPass ? 4 : 9);
    }
    offsets.push(offset);
    let block = { sum: wanted(item) - offset, count: 1 };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.sum / last.count <= block.sum / block.count) break;
      blocks.pop();
      block = { sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  }
  let index = 0;
  for (const { sum, count } of blocks) {
    for (const end = index + count; index < end; index += 1) {
      const item = rank[index];
      if (item !== undefined) item.y = sum / count + (offsets[index] ?? 0);
    }
  }
}

interface Span {
  readonly left: number;
  readonly right: number;
}

function spansOf(ranks: readonly Item[][]): Span[] {
  const spans: Span[] = [];
  let gap = MARGIN;
  for (const rank of ranks) {
    const left = (spans.at(-1)?.right ?? 0) + gap;
    spans.push({ left, right: left + Math.max(0, ...rank.map(({ width }) => width)) });
    const far = Math.max(0, ...rank.flatMap(({ y, right }) => right.map((next) => Math.abs(next.y - y))));
    gap = Math.round(Math.max(GAP_MINIMUM, Math.min(GAP_MAXIMUM, far / 8)));
  }
  return spans;
}

interface Ports {
  start: number;
  end: number;
}

/** How far from the middle of its nodes an edge begins and ends, so that lines of one side of a node do not meet or cross. */
function portsOf(routes: readonly Route[]): Ports[] {
  const ports = routes.map((): Ports => ({ start: 0, end: 0 }));
  const sides = new Map<Item, Record<'left' | 'right', { y: number; set: (offset: number) => void }[]>>();
  const attach = (node: Item | undefined, next: Item | undefined, set: (offset: number) => void) => {
    if (node === undefined || next === undefined) return;
    const both = sides.get(node) ?? { left: [], right: [] };
    sides.set(node, both);
    both[next.rank < node.rank ? 'left' : 'right'].push({ y: next.y, set });
  };
  for (const [index, { items }] of routes.entries()) {
    const port = ports[index];
    if (port === undefined) continue;
    attach(items[0], items[1], (offset) => {
      port.start = offset;
    });
    attach(items.at(-1), items.at(-2), (offset) => {
      port.end = offset;
    });
  }
  for (const [{ height }, both] of sides) {
    for (const side of [both.left, both.right]) {
      const step = Math.min(8, (height - 8) / side.length);
      side.sort((a, b) => a.y - b.y);
      for (const [index, { set }] of side.entries()) set(Math.round((index - (side.length - 1) / 2) * step * 10) / 10);
    }
  }
  return ports;
}

function edgePlaced({ edge, items, label }: Route, ports: Ports, spanOf: (item: Item) => Span): PlacedEdge {
  const [client, service] = [items[0] ?? label, items.at(-1) ?? label];
  const isForward = client.rank < service.rank;
  const span = spanOf(label);
  const middle = (span.left + span.right) / 2;
  let at = { x: spanOf(client).right, y: client.y + ports.start };
  let path = `M${at.x} ${at.y}`;
  const curve = (x: number, y: number) => {
    const half = (at.x + x) / 2;
    path += at.y === y ? `H${x}` : `C${half} ${at.y} ${half} ${y} ${x} ${y}`;
    at = { x, y };
  };
  const straight = (x: number) => {
    if (x !== at.x) path += `H${x}`;
    at = { x, y: at.y };
  };
  for (const item of items.slice(1, -1)) {
    const { left, right } = spanOf(item);
    if (isForward) {
      curve(left, item.y);
      straight(right);
    } else if (item === label) {
      // It turns before its text.
      const next = items[items.indexOf(item) + 1];
      const sign = (next?.y ?? 0) + (next === service ? ports.end : 0) < at.y ? -1 : 1;
      curve(left, item.y - 3 * sign);
      straight(Math.max(left, middle - item.width / 2 - 3));
      path += `a3 3 0 0 ${sign === 1 ? 1 : 0} 0 ${6 * sign}`;
      at = { x: at.x, y: item.y + 3 * sign };
      straight(left);
    } else {
      curve(right, item.y);
      straight(left);
    }
  }
  const end = { x: isForward ? spanOf(service).left : spanOf(service).right, y: service.y + ports.end };
  curve(end.x, end.y);
  const size = { width: label.width, height: label.height };
  return { edge, path, label: { ...size, x: middle, y: label.y }, end: { ...end, side: isForward ? -1 : 1 } };
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
