import { expect, test } from 'vitest';
import { onceJob } from '../../../src/capture/agentless/once-job.ts';
import { daemonsetDirectory, readKustomization } from '../../../src/capture/install/manifests.ts';
import { objectAt, objectsAt } from '../../../src/wire/guard.ts';

const KEY = 'ab'.repeat(32);

const specOf = (object: Parameters<typeof objectAt>[0]) =>
  objectAt(objectAt(objectAt(object, 'spec'), 'template'), 'spec');

test('an agent for one capture may do exactly what an installed one may', () => {
  const base = readKustomization(`${daemonsetDirectory()}/base`).find(({ kind }) => kind === 'DaemonSet') ?? {};
  const installed = specOf(base);
  const once = specOf(onceJob({ name: 'ksnoop-once-1', node: 'node1', image: 'agent:1', key: KEY }));
  const [one = {}] = objectsAt(once, 'containers');
  const [other = {}] = objectsAt(installed, 'containers');
  for (const key of [
    'securityContext',
    'hostPID',
    'hostNetwork',
    'automountServiceAccountToken',
    'volumes',
    'tolerations',
  ])
    expect(once[key], key).toEqual(installed[key]);
  for (const key of ['securityContext', 'volumeMounts', 'resources', 'name']) expect(one[key], key).toEqual(other[key]);
  // The session that it takes, and no other one.
  expect(one.env).toEqual([...objectsAt(other, 'env'), { name: 'KSNOOP_SESSION_KEY', value: KEY }]);
  expect(once).toMatchObject({ nodeName: 'node1', restartPolicy: 'Never' });
  expect(one).toMatchObject({ image: 'agent:1', command: ['/usr/bin/ksnoop-agent', 'once'] });
});
