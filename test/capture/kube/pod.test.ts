import { describe, expect, test } from 'vitest';
import { memoryKill, ownersOf, podTrouble, podView } from '../../../src/capture/kube/pod.ts';

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

test("the owner that controls an object comes first, the others in the object's order", () => {
  const owner = (name: string, controller?: boolean) => ({
    apiVersion: 'v1',
    kind: 'K',
    name,
    uid: `u-${name}`,
    controller,
  });
  const ownerReferences = [owner('a'), owner('b', false), owner('c', true), owner('d')];
  expect(ownersOf({ metadata: { ownerReferences } }).map(({ name }) => name)).toEqual(['c', 'a', 'b', 'd']);
  expect(ownersOf({ metadata: { ownerReferences: [owner('a'), { controller: 'true' }] } })).toEqual([
    { apiVersion: 'v1', kind: 'K', name: 'a', uid: 'u-a' },
    { apiVersion: '', kind: '', name: '', uid: '' },
  ]);
});

test('a pod is ready, on the network of its node and of a class only where its object states it', () => {
  const stated = {
    metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z', labels: { app: 'web' }, resourceVersion: '7' },
    spec: { hostNetwork: true, runtimeClassName: 'gvisor' },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      reason: 'Evicted',
      message: 'low on memory',
      podIP: '10.0.0.9',
    },
  };
  expect(podView(stated)).toMatchObject({
    ready: true,
    hostNetwork: true,
    runtimeClass: 'gvisor',
    reason: 'Evicted',
    message: 'low on memory',
    podIPs: ['10.0.0.9'],
    labels: { app: 'web' },
    resourceVersion: '7',
    deletionTimestamp: '2026-01-01T00:00:00Z',
  });
  const other = {
    metadata,
    spec: { hostNetwork: 'true' },
    status: {
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'Initialized', status: 'True' },
        { type: 'PodScheduled', status: 'True', reason: 'x' },
      ],
    },
  };
  expect(podView(other)).toMatchObject({ ready: false, hostNetwork: false, runtimeClass: '', reason: '', podIPs: [] });
});

test('the state of a container, its restarts and its last end', () => {
  const containersWith = (...containerStatuses: object[]) =>
    podView({
      metadata,
      spec: { containers: containerStatuses.map((_, index) => ({ name: `c${index}` })) },
      status: { containerStatuses: containerStatuses.map((status, index) => ({ name: `c${index}`, ...status })) },
    }).containers;
  expect(
    containersWith(
      { state: { terminated: { reason: 'Error', message: 'exit 1' } }, restartCount: 3, ready: 'true' },
      { state: { running: { reason: 'none' } }, ready: true, containerID: 'cri-o://abc' },
      { lastState: { terminated: { reason: 'OOMKilled', finishedAt: '2026-01-01T00:00:00Z' } } },
      { lastState: { terminated: {} } },
    ),
  ).toMatchObject([
    { state: 'terminated', reason: 'Error', message: 'exit 1', restarts: 3, ready: false, lastEnd: undefined },
    { state: 'running', reason: '', message: '', restarts: 0, ready: true, id: 'abc' },
    { state: 'waiting', lastEnd: { reason: 'OOMKilled', at: '2026-01-01T00:00:00Z' } },
    { lastEnd: undefined },
  ]);
});

test.each([
  ['ready, whatever its reason', { ready: true, state: { waiting: { reason: 'X' } } }, ''],
  ['completed', { state: { terminated: { reason: 'Completed' } } }, ''],
  ['without a reason', { state: { waiting: { message: 'm' } } }, ''],
  [
    'waiting',
    { state: { waiting: { reason: 'ImagePullBackOff', message: 'no image' } } },
    'ImagePullBackOff: no image',
  ],
  ['waiting without a message', { state: { waiting: { reason: 'ContainerCreating' } } }, 'ContainerCreating'],
])('the trouble of a pod with a container that is %s', (_, containerStatus, expected) => {
  const pod = podView({
    metadata,
    spec: { containers: [{ name: 'a' }] },
    status: { containerStatuses: [{ name: 'a', ...containerStatus }] },
  });
  expect(podTrouble(pod)).toBe(expected);
});
