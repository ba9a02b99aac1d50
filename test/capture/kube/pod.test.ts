import { describe, expect, test } from 'vitest';
import { memoryKill, podTrouble, podView } from '../../../src/capture/kube/pod.ts';

const metadata = { name: 'web-1', namespace: 'shop', uid: 'u-1' };

test('reads what is there and stands what is not', () => {
  const pod = podView({
    metadata: {
      ...metadata,
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
  expect(pod).toMatchObject({
    nodeName: 'node1',
    hostNetwork: true,
    ready: true,
    configHash: undefined,
    phase: 'Running',
  });
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

describe('what a pod writes of itself is no UID', () => {
  const hash = 'd41d8cd98f00b204e9800998ecf8427e';
  const made = (value: string, owners: readonly object[], nodeName = 'node1') =>
    podView({
      metadata: { ...metadata, annotations: { 'kubernetes.io/config.hash': value }, ownerReferences: owners },
      spec: { nodeName },
    }).configHash;
  const node = { apiVersion: 'v1', kind: 'Node', name: 'node1', controller: true };

  test('a mirror pod has its config hash', () => {
    expect(made(hash, [node])).toBe(hash);
  });

  test.each([
    ["a victim's UID", '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9', [node]],
    ['a hash with something before it', `x${hash}`, [node]],
    ['a pod of a ReplicaSet', hash, [{ kind: 'ReplicaSet', name: 'web' }]],
    ['a pod without owner', hash, []],
    ['a pod of another node', hash, [{ ...node, name: 'node2' }]],
  ])('%s: none', (_, value, owners) => {
    expect(made(value, owners)).toBeUndefined();
  });
});

test.each([
  [
    { reason: 'OOMKilled', finishedAt: '2026-11-29T09:00:00Z' },
    'killed: out of memory (OOMKilled at 2026-11-29T09:00:00Z)',
  ],
  [{ reason: 'OOMKilled' }, 'killed: out of memory (OOMKilled)'],
  [{ reason: 'Error', exitCode: 137, finishedAt: '2026-11-29T09:00:00Z' }, undefined],
  [undefined, undefined],
])("the kernel's word for a container that was killed: %j", (terminated, expected) => {
  const [container] = podView({
    metadata,
    spec: { containers: [{ name: 'a' }] },
    status: { containerStatuses: [{ name: 'a', restartCount: 1, ...(terminated && { lastState: { terminated } }) }] },
  }).containers;
  expect(container && memoryKill(container)).toBe(expected);
});
