import { expect, it } from 'vitest';
import { placed } from '../../../src/view/html/map-layout.ts';
import { callGraph } from '../../../src/view/map/graph.ts';
import { caller } from './report-content.ts';

const columns = (...calls: readonly [string, string][]) =>
  Object.fromEntries(
    placed(callGraph({ callers: calls.map(([client, service]) => caller(client, service)) })).map(
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
  const nodes = placed(
    callGraph({
      callers: [caller('a', 'x'), caller('b', 'y'), caller('c', 'z')].map((call, index) => ({ ...call, count: index })),
    }),
  );
  const rowOf = (name: string) => nodes.find((node) => node.name === name)?.row;
  for (const [client, service] of [
    ['a', 'x'],
    ['b', 'y'],
    ['c', 'z'],
  ])
    expect(rowOf(client ?? '')).toBe(rowOf(service ?? ''));
});
