import { expect, test } from 'vitest';
import { onceJob } from '../../../src/capture/agentless/once-job.ts';
import { daemonsetDirectory, readKustomization } from '../../../src/capture/install/manifests.ts';
import { objectAt, objectsAt } from '../../../src/wire/guard.ts';

const specOf = (object: Parameters<typeof objectAt>[0]) =>
  objectAt(objectAt(objectAt(object, 'spec'), 'template'), 'spec');

test('an agent for one capture may do exactly what an installed one may', () => {
  const base = readKustomization(`${daemonsetDirectory()}/base`).find(({ kind }) => kind === 'DaemonSet') ?? {};
  const installed = specOf(base);
  const once = specOf(onceJob('ksnoop-once-1', 'node1', 'agent:1'));
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
  for (const key of ['securityContext', 'env', 'volumeMounts', 'resources', 'name'])
    expect(one[key], key).toEqual(other[key]);
  expect(once).toMatchObject({ nodeName: 'node1', restartPolicy: 'Never' });
  expect(one).toMatchObject({ image: 'agent:1', command: ['/usr/bin/ksnoop-agent', 'once'] });
});
