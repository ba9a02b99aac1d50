import { expect, test } from 'vitest';
import { podTrouble, podView } from '../../../src/capture/kube/pod.ts';

const metadata = { name: 'web-1', namespace: 'shop', uid: 'u-1' };

test('reads what is there and stands what is not', () => {
  const pod = podView({
    metadata: {
      ...metadata,
      annotations: { 'kubernetes.io/config.hash': 'abc' },
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web' }],
    },
    spec: {
      nodeName: 'node1',
      hostNetwork: true,
      containers: [
        { name: 'nginx', ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }, { bad: 1 }] },
      ],
      initContainers: [{ name: 'proxy' }],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'nginx', containerID: 'containerd://c0ffee', ready: true, state: { running: {} } }],
    },
  });
  expect(pod).toMatchObject({ nodeName: 'node1', hostNetwork: true, ready: true, configHash: 'abc', phase: 'Running' });
  expect(pod.podIPs).toEqual(['10.0.0.1', 'fd00::1']);
  expect(pod.owners[0]).toMatchObject({ kind: 'ReplicaSet', name: 'web' });
  expect(pod.containers).toMatchObject([
    {
      name: 'nginx',
      kind: 'container',
      id: 'c0ffee',
      state: 'running',
      ports: [
        { port: 80, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    },
    { name: 'proxy', kind: 'init', id: '', state: 'waiting' },
  ]);
  expect(podView({ metadata })).toMatchObject({ phase: 'Unknown', nodeName: '', containers: [], podIPs: [] });
  expect(() => podView({ metadata: { name: 'x' } })).toThrow('The Pod has no usable uid');
});

test('says why a pod does not run', () => {
  const message = '0/2 nodes are available: 2 Insufficient memory.';
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
  expect(podTrouble(podView({ metadata, status: { phase: 'Pending', conditions } }))).toBe(`Unschedulable: ${message}`);
  const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' };
  const crashing = podView({
    metadata,
    spec: { containers: [{ name: 'a' }] },
    status: { containerStatuses: [{ name: 'a', state: { waiting } }] },
  });
  expect(podTrouble(crashing)).toBe('CrashLoopBackOff: back-off 5m0s');
  expect(podTrouble(podView({ metadata, status: { phase: 'Running' } }))).toBe('');
});
