import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { dryRun } from '../../../src/capture/plan/dry-run.ts';
import { neededPermissions, oneTransport } from '../../../src/capture/plan/needed-permissions.ts';
import type { TargetQuery } from '../../../src/capture/targets/target-find.ts';
import { parseTargets } from '../../../src/capture/targets/target-words.ts';
import { type ObjectServer, podObject, startObjectServer } from '../../support/object-server.ts';

let server: ObjectServer | undefined;
afterEach(() => server?.api.close());

const query = (...words: string[]): TargetQuery => ({
  refs: parseTargets(words, false),
  namespaces: ['shop'],
  nodes: [],
  sides: { backends: true, controller: true },
});
const words = (...targets: string[]) =>
  neededPermissions(query(...targets), ['shop']).map(
    ({ verb, group = '', resource, namespace = '*' }) => `${verb} ${group}/${resource} ${namespace}`,
  );

const ALWAYS = [
  'list /pods ksnoop',
  'get /pods/portforward ksnoop',
  'create /pods/portforward ksnoop',
  'get /pods/exec ksnoop',
  'create /pods/exec ksnoop',
  'get apps/daemonsets ksnoop',
];
const AFTER = [
  'watch /pods shop',
  'list /services shop',
  'watch /services shop',
  'list discovery.k8s.io/endpointslices shop',
  'list /nodes *',
  'get /nodes *',
  'list /pods *',
  'list /services *',
];

test('a pod needs less than a Deployment', () => {
  expect(words('pod/a')).toEqual([...ALWAYS, 'get /pods shop', 'list /pods shop', ...AFTER]);
  expect(words('pod/a*')).toEqual([...ALWAYS, 'list /pods shop', ...AFTER]);
  expect(words('deploy/a')).toEqual([
    ...ALWAYS,
    'get apps/deployments shop',
    'list apps/deployments shop',
    'watch apps/deployments shop',
    'get apps/replicasets shop',
    'list /pods shop',
    ...AFTER,
  ]);
});

test('what must be allowed to capture anything, and what only adds to it', () => {
  const required = (...targets: string[]) =>
    neededPermissions(query(...targets), ['shop'])
      .filter(({ required }) => required)
      .map(({ verb, resource, namespace }) => `${verb} ${resource} ${namespace}`);
  const agents = [
    'list pods ksnoop',
    ...['portforward', 'exec'].flatMap((way) => [`get pods/${way} ksnoop`, `create pods/${way} ksnoop`]),
  ];
  expect(required('pod/a')).toEqual([...agents, 'get pods shop']);
  expect(required('deploy/a')).toEqual([...agents, 'get deployments shop', 'list pods shop']);
});

test.each([
  [{ forward: true, exec: true }, ['pods/portforward yes required']],
  [{ forward: true, exec: false }, ['pods/portforward yes required']],
  [{ forward: false, exec: true }, ['pods/portforward no optional', 'pods/exec yes required']],
  [{ forward: false, exec: false }, ['pods/portforward no required']],
])('one way to the agents is enough: %j', ({ forward, exec }, expected) => {
  const permission = { verb: 'create', purpose: 'to reach the agents', required: true };
  const checked = oneTransport([
    { ...permission, resource: 'pods/portforward', allowed: forward },
    { ...permission, resource: 'pods/exec', allowed: exec },
  ]);
  expect(
    checked.map(
      ({ resource, allowed, required }) =>
        `${resource} ${allowed ? 'yes' : 'no'} ${required ? 'required' : 'optional'}`,
    ),
  ).toEqual(expected);
});

test('an Ingress needs what leads to both its sides', () => {
  expect(words('ing/a')).toEqual(
    expect.arrayContaining(['get networking.k8s.io/ingressclasses *', 'list apps/deployments *', 'get /services shop']),
  );
});

test('pods with their owners, their agents, and what would keep them from being captured', async () => {
  server = await startObjectServer(
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web-5' } },
    podObject('web-1', { owner: { kind: 'ReplicaSet', name: 'web-5' } }),
    podObject('old', { phase: 'Succeeded', node: 'node2' }),
    { ...podObject('agent', { namespace: 'ksnoop', labels: { 'app.kubernetes.io/name': 'ksnoop-agent' } }) },
  );
  server.answer('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { status: { allowed: true } });
  const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  const run = await dryRun(
    kube,
    query('pod/web-1', 'pod/old', 'pod/none'),
    { maximum: 100 },
    new AbortController().signal,
  );
  expect(run.targets).toMatchObject([
    { name: 'web-1', owners: ['replicaset/web-5'], node: 'node1', trouble: '' },
    { name: 'old', owners: [], trouble: expect.stringContaining('has completed') },
  ]);
  expect(run.targets[0]?.agent).toContain('is not ready');
  expect(run.refused).toMatchObject([{ label: 'shop/none' }]);
  expect(run.growing).toBe(false);
  expect(run.permissions.every(({ allowed }) => allowed)).toBe(true);
});

test.each([
  [
    'ephemeral',
    ['get /pods/exec shop', 'create /pods/exec shop', 'get /pods shop', 'patch /pods/ephemeralcontainers shop'],
  ],
  ['existing', ['get /pods/exec shop', 'create /pods/exec shop']],
  [
    'node',
    ['create batch/jobs ksnoop', 'delete batch/jobs ksnoop', 'list /pods ksnoop', 'get /pods/portforward ksnoop'],
  ],
] as const)(
  'without installed agents (%s) other permissions are required, and none of the agents',
  (mode, expected) => {
    const needed = neededPermissions(query('pod/a'), ['shop'], mode);
    const required = needed
      .filter((each) => each.required)
      .map(({ verb, group = '', resource, namespace }) => `${verb} ${group}/${resource} ${namespace}`);
    expect(required).toEqual(expect.arrayContaining([...expected]));
    expect(required.some((words) => words.includes('daemonsets'))).toBe(false);
    const refused = needed.map((each) => ({ ...each, allowed: false }));
    expect(oneTransport(refused)).toEqual(refused);
  },
);
