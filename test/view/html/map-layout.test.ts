import { expect, it } from 'vitest';
import { type MapSizes, type PlacedEdge, placed } from '../../../src/view/html/map-layout.ts';
import { callGraph } from '../../../src/view/map/graph.ts';
import { caller } from './report-content.ts';

const SIZES: MapSizes = { node: () => ({ width: 120, height: 42 }), label: () => ({ width: 100, height: 28 }) };

const columns = (...calls: readonly [string, string][]) =>
  Object.fromEntries(
    placed(callGraph({ callers: calls.map(([client, service]) => caller(client, service)) }), SIZES).nodes.map(
      ({ name, column }) => [name, column],
    ),
  );

it('puts callees to the right of their callers, by the longest way', () => {
  expect(columns(['client', 'web'], ['web', 'api'], ['client', 'api'], ['api', 'db'], ['batch', 'db'])).toEqual({
    client: 0,
    batch: 0,
    web: 1,
    api: 2,
    db: 3,
  });
});

it('places every node where calls go in a circle, once', () => {
  const circle = columns(['a', 'b'], ['b', 'c'], ['c', 'a'], ['c', 'c']);
  expect(Object.keys(circle)).toHaveLength(3);
  expect(columns(['client', 'a'], ['a', 'b'], ['b', 'a'])).toEqual({ client: 0, a: 1, b: 2 });
});

it('orders nodes beside what they are connected with', () => {
  const { nodes } = placed(
    callGraph({
      callers: [caller('a', 'x'), caller('b', 'y'), caller('c', 'z')].map((call, index) => ({ ...call, count: index })),
    }),
    SIZES,
  );
  const rowOf = (name: string) => nodes.find((node) => node.name === name)?.y;
  for (const [client, service] of [
    ['a', 'x'],
    ['b', 'y'],
    ['c', 'z'],
  ])
    expect(rowOf(client ?? '')).toBe(rowOf(service ?? ''));
});

/** Points of a path, close to one another. */
function pointsOf({ path }: PlacedEdge): { x: number; y: number }[] {
  const points: { x: number; y: number }[] = [];
  let [x, y] = [0, 0];
  for (const [, command, text] of path.matchAll(/([MHCa])([^MHCa]*)/g)) {
    const n = (text ?? '').trim().split(/[ ,]+/).map(Number);
    const [x0, y0] = [x, y];
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = n;
    if (command === 'M') [x, y] = [a, b];
    else if (command === 'H') x = a;
    else if (command === 'a') [x, y] = [x0 + f, y0 + g];
    else [x, y] = [e, f];
    for (let step = 1; step <= 40; step += 1) {
      const t = step / 40;
      const bezier = (p: number, q: number, r: number, s: number) =>
        (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * q + 3 * (1 - t) * t ** 2 * r + t ** 3 * s;
      if (command === 'C') points.push({ x: bezier(x0, a, c, e), y: bezier(y0, b, d, f) });
      else if (command !== 'M') points.push({ x: x0 + (x - x0) * t, y: y0 + (y - y0) * t });
    }
  }
  return points;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
const isWithin = ({ x, y }: { x: number; y: number }, box: Box) =>
  Math.abs(x - box.x) < box.width / 2 - 0.2 && Math.abs(y - box.y) < box.height / 2 - 0.2;
const overlap = (a: Box, b: Box) =>
  Math.abs(a.x - b.x) * 2 < a.width + b.width && Math.abs(a.y - b.y) * 2 < a.height + b.height;

function faultsOf(calls: readonly (readonly [string, string])[]): string[] {
  const graph = callGraph({ callers: calls.map(([client, service]) => caller(client, service)) });
  const { nodes, edges, width, height } = placed(graph, SIZES);
  const faults: string[] = [];
  const boxes = [
    ...nodes.map((node) => ({ name: node.name, box: node as Box })),
    ...edges.map((edge) => ({ name: `the text of ${edge.edge.client}-${edge.edge.service}`, box: edge.label as Box })),
  ];
  for (const [index, { name, box }] of boxes.entries()) {
    for (const other of boxes.slice(index + 1)) {
      if (overlap(box, other.box)) faults.push(`${name} lies over ${other.name}`);
    }
    const [right, bottom] = [box.x + box.width / 2, box.y + box.height / 2];
    if (box.x < box.width / 2 || box.y < box.height / 2 || right > width || bottom > height) {
      faults.push(`${name} is outside`);
    }
  }
  for (const edge of edges) {
    const [from, to] = [edge.edge.client, edge.edge.service];
    const points = pointsOf(edge);
    for (const { name, box } of boxes) {
      if (name === `the text of ${from}-${to}`) continue;
      if (points.some((point) => isWithin(point, box))) faults.push(`${from}-${to} goes behind ${name}`);
    }
    if (points.some(({ x, y }) => x < 0 || y < 0 || x > width || y > height)) faults.push(`${from}-${to} is outside`);
    const last = points.at(-1);
    if (last?.x !== edge.end.x || last.y !== edge.end.y) faults.push(`${from}-${to} does not arrive`);
  }
  return faults;
}

it('has no line behind a node or a text of another, and no text over another', () => {
  const shop = [
    ...[['shoppers', 'storefront'] as const, ['storefront', 'catalog'] as const, ['catalog', 'pricing'] as const],
    ...['shoppers', 'storefront', 'catalog', 'pricing'].map((client) => [client, 'dns'] as const),
  ];
  expect(faultsOf(shop)).toEqual([]);
  expect(
    faultsOf([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['c', 'c'],
      ['b', 'd'],
      ['d', 'b'],
      ['a', 'd'],
    ]),
  ).toEqual([]);
  let seed = 7;
  const random = (end: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * end);
  };
  for (let round = 0; round < 60; round += 1) {
    const nodes = 2 + random(14);
    const calls = Array.from(
      { length: 1 + random(3 * nodes) },
      () => [`n${random(nodes)}`, `n${random(nodes)}`] as const,
    );
    expect(faultsOf(calls), JSON.stringify(calls)).toEqual([]);
  }
});

it('is the same each time, and can be cut between columns', () => {
  const calls = Array.from({ length: 300 }, (_, index) => caller(`n${(index * 7) % 41}`, `n${(index * 11) % 59}`));
  const graph = callGraph({ callers: calls });
  const first = placed(graph, SIZES);
  expect(placed(graph, SIZES)).toEqual(first);
  for (const cut of first.cuts) {
    for (const { x, width } of [...first.nodes, ...first.edges.map(({ label }) => label)]) {
      expect(Math.abs(cut - x)).toBeGreaterThan(width / 2);
    }
  }
});
