import { expect, test } from 'vitest';
import { apiGroup, parseResourcePath, resourcePath, verbsOf } from '../../../src/capture/kube/resource.ts';

test.each([
  [['v1', 'shop', 'pods', 'web', 'exec'], '/api/v1/namespaces/shop/pods/web/exec'],
  [['apps/v1', undefined, 'deployments'], '/apis/apps/v1/deployments'],
  [['v1', 'a/b', 'pods', 'c d'], '/api/v1/namespaces/a%2Fb/pods/c%20d'],
] as const)('the path of %j', ([api, namespace, ...parts], path) => {
  expect(resourcePath(api, namespace, ...parts)).toBe(path);
  const [resource, name, subresource] = parts as readonly string[];
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
  expect(parseResourcePath(path)).toEqual({ group: apiGroup(api), resource: whole, namespace, name });
});

test('a namespace is a resource too, and what is none addresses nothing', () => {
  expect(parseResourcePath('/api/v1/namespaces/shop')).toMatchObject({ resource: 'namespaces', name: 'shop' });
  for (const path of ['/version', '/readyz', '/api/v1', '/']) expect(parseResourcePath(path)).toBeUndefined();
});

test.each([
  ['GET', 'pods', 'web', false, ['get']],
  ['GET', 'pods', undefined, false, ['list']],
  ['GET', 'pods', undefined, true, ['list', 'watch']],
  ['POST', 'pods', undefined, false, ['create']],
  ['PUT', 'pods', 'web', false, ['update']],
  ['PATCH', 'pods', 'web', false, ['patch', 'create']],
  ['DELETE', 'pods', 'web', false, ['delete']],
  ['DELETE', 'pods', undefined, false, ['deletecollection']],
  ['GET', 'pods/exec', 'web', false, ['get', 'create']],
  ['GET', 'pods/portforward', 'web', false, ['get', 'create']],
  ['GET', 'pods/log', 'web', false, ['get']],
] as const)('%s of %s (%s, watched: %s) needs %j', (method, resource, name, watch, verbs) => {
  expect(verbsOf(method, { group: '', resource, namespace: 'shop', name }, watch)).toEqual(verbs);
});
