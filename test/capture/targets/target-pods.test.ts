import { expect, test } from 'vitest';
import { mapSelector, textSelector } from '../../../src/capture/kinds/label-selector.ts';
import { podQueries } from '../../../src/capture/targets/target-pods.ts';

const apps = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    namespace: 'shop',
    labels: mapSelector({ app: `a${index}` }),
    via: [],
  }));

test('a few selections are asked one by one, many of one namespace together', () => {
  expect(podQueries(apps(8)).map(({ labelSelector }) => labelSelector)).toHaveLength(8);
  const [all, ...others] = podQueries([...apps(9), { ...apps(1)[0], namespace: 'other', via: [] }]);
  expect(all).toMatchObject({ path: '/api/v1/namespaces/shop/pods', selections: apps(9).map(() => ({})) });
  expect(all?.labelSelector).toBeUndefined();
  expect(others.map(({ path, labelSelector }) => [path, labelSelector])).toEqual([
    ['/api/v1/namespaces/other/pods', 'app=a0'],
  ]);
});

test('what only the API server can judge is left to it', () => {
  const queries = podQueries([...apps(9), { namespace: 'shop', labels: textSelector('a in (b)'), via: [] }]);
  expect(queries.map(({ labelSelector }) => labelSelector)).toEqual([undefined, 'a in (b)']);
});

test('the same meaning has the same key', () => {
  expect(podQueries(apps(2)).map(({ key }) => key)).toEqual(podQueries(apps(2)).map(({ key }) => key));
  expect(new Set(podQueries(apps(3)).map(({ key }) => key)).size).toBe(3);
});
