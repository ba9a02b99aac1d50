import { afterEach, expect, test } from 'vitest';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';
import { found, targetSet } from './found.ts';

let server: ObjectServer;
afterEach(() => server.api.close());

const selector = { matchLabels: { app: 'web' } };
const labels = { app: 'web' };
const object = (
  apiVersion: string,
  kind: string,
  name: string,
  spec: object,
  owner?: [string, string],
): TestObject => ({
  apiVersion,
  kind,
  metadata: {
    name,
    ...(owner && {
      ownerReferences: [{ apiVersion: owner[0], kind: owner[1], name, uid: `${owner[1]}-${name}`, controller: true }],
    }),
  },
  spec,
});

test.each([
  ['replicaset', 'apps/v1', 'ReplicaSet', 'rs'],
  ['statefulset', 'apps/v1', 'StatefulSet', 'sts'],
  ['daemonset', 'apps/v1', 'DaemonSet', 'ds'],
  ['job', 'batch/v1', 'Job', 'jobs'],
])('the pods of a %s are those it owns, not all that wear its labels', async (name, apiVersion, kind, short) => {
  server = await startObjectServer(
    object(apiVersion, kind, 'web', { selector }),
    podObject('web-1', { labels, owner: { kind, name: 'web' } }),
    podObject('stray', { labels }),
    podObject('other', { labels: { app: 'other' }, owner: { kind, name: 'web' } }),
  );
  expect(await found(server, [`${short}/web`])).toEqual([`${name}/web > web-1`]);
});

test("a ReplicationController's selector is a plain map", async () => {
  server = await startObjectServer(
    object('v1', 'ReplicationController', 'web', { selector: { app: 'web' } }),
    podObject('web-1', { labels, owner: { kind: 'ReplicationController', name: 'web', apiVersion: 'v1' } }),
  );
  expect(await found(server, ['rc/web'])).toEqual(['replicationcontroller/web > web-1']);
});

test("a Deployment's pods are known by their ReplicaSet's name, without reading it", async () => {
  const hash = { ...labels, 'pod-template-hash': '5d4' };
  server = await startObjectServer(
    object('apps/v1', 'Deployment', 'web', { selector }),
    podObject('web-1', { labels: hash, owner: { kind: 'ReplicaSet', name: 'web-5d4' } }),
  );
  server.forbid(/replicasets/);
  expect(await found(server, ['deploy/web'])).toEqual(['deployment/web > web-1']);
});

test('a ReplicaSet of another name is asked whose it is', async () => {
  server = await startObjectServer(
    object('apps/v1', 'Deployment', 'web', { selector }),
    object('apps/v1', 'ReplicaSet', 'web', { selector }, ['apps/v1', 'Deployment']),
    object('apps/v1', 'ReplicaSet', 'lone', { selector }),
    podObject('adopted', { labels, owner: { kind: 'ReplicaSet', name: 'web' } }),
    podObject('stray', { labels, owner: { kind: 'ReplicaSet', name: 'lone' } }),
  );
  expect(await found(server, ['deployments.apps/web'])).toEqual(['deployment/web > adopted']);
});

test('where the owner may not be read the labels decide, and the user is told', async () => {
  server = await startObjectServer(
    object('apps/v1', 'Deployment', 'web', { selector }),
    podObject('web-1', { labels, owner: { kind: 'ReplicaSet', name: 'odd' } }),
  );
  server.forbid(/replicasets/);
  const { initial, notes } = await targetSet(server, ['deploy/web']);
  expect(initial.pods.map(({ pod }) => pod.name)).toEqual(['web-1']);
  expect(notes.join()).toContain('cannot get');
});

test("a CronJob's pods are those of its Jobs", async () => {
  const ofJob = (name: string) => ({
    labels: { 'job-name': name },
    owner: { kind: 'Job', name, apiVersion: 'batch/v1' },
  });
  server = await startObjectServer(
    object('batch/v1', 'CronJob', 'report', { schedule: '* * * * *' }),
    object('batch/v1', 'Job', 'report', {}, ['batch/v1', 'CronJob']),
    object('batch/v1', 'Job', 'manual', {}),
    podObject('report-1', ofJob('report')),
    podObject('manual-1', ofJob('manual')),
    podObject('done', { ...ofJob('report'), phase: 'Succeeded' }),
  );
  expect(await found(server, ['cj/report'])).toEqual(['cronjob/report > report-1']);
});

test('expressions of a selector', async () => {
  const expressions = [
    { key: 'tier', operator: 'In', values: ['load', 'test'] },
    { key: 'old', operator: 'DoesNotExist' },
  ];
  server = await startObjectServer(
    object('apps/v1', 'StatefulSet', 'web', { selector: { matchExpressions: expressions } }),
    podObject('in', { labels: { tier: 'load' }, owner: { kind: 'StatefulSet', name: 'web' } }),
    podObject('not', { labels: { tier: 'prod' }, owner: { kind: 'StatefulSet', name: 'web' } }),
  );
  await found(server, ['sts/web']);
  const asked = server.api.seen.map((line) => new URL(line.split(' ')[1] ?? '', 'https://x').searchParams);
  expect(asked.map((query) => query.get('labelSelector'))).toContain('tier in (load,test),!old');
});

test('a workload without pods waits for them', async () => {
  server = await startObjectServer(object('apps/v1', 'Deployment', 'web', { selector }));
  const { refused, waiting } = await targetSet(server, ['deploy/web']);
  expect(refused).toEqual([]);
  const error = { code: 'NO_PODS', exit: 3, message: 'deployment/web in namespace shop has no pods.' };
  expect(waiting).toMatchObject([{ label: 'shop/deploy/web', error }]);
});
