import { expect, test } from 'vitest';
import { podView } from '../../../src/capture/kube/pod.ts';
import { checkCapturable, podWarnings } from '../../../src/capture/targets/pod-state.ts';

/** A pod as the API sends it: running, unless the members given say otherwise. */
function pod(spec: object = {}, status: object = {}) {
  return podView({
    metadata: { uid: '1', name: 'web-1', namespace: 'shop' },
    spec: { nodeName: 'node1', containers: [{ name: 'web' }], ...spec },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'web', containerID: 'containerd://abc', ready: true, state: { running: {} } }],
      ...status,
    },
  });
}

const waiting = (reason: string, message: string) => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'web', ready: false, state: { waiting: { reason, message } } }],
});

const CRASHED = { name: 'web', containerID: 'containerd://abc', ready: false, state: { waiting: {} } };
const INITIALISING = { name: 'setup', containerID: 'containerd://def', ready: false, state: { running: {} } };
const initialising = (...statuses: object[]) =>
  pod({ initContainers: [{ name: 'setup' }] }, { ...waiting('PodInitializing', ''), initContainerStatuses: statuses });
const creating = waiting('ContainerCreating', '');

// Each beside one that differs only in what makes its network exist.
test.each([
  ['runs', pod(), pod({}, creating)],
  [
    'has a container that crashes',
    pod({}, { containerStatuses: [CRASHED] }),
    pod({}, { containerStatuses: [{ ...CRASHED, containerID: undefined }] }),
  ],
  ['is on its node’s network, before it has containers', pod({ hostNetwork: true }, creating), pod({}, creating)],
  ['is in its init container', initialising(INITIALISING), initialising({ ...INITIALISING, containerID: '' })],
])('a pod that %s can be captured, because its network exists', (_, captured, refused) => {
  expect(() => checkCapturable(captured, false)).not.toThrow();
  expect(() => checkCapturable(refused, false)).toThrow(expect.objectContaining({ code: 'POD_PENDING' }));
});

test('a pod without a container can be captured when its network is waited for', () => {
  expect(() => checkCapturable(pod({}, creating), true)).not.toThrow();
});

test.each([
  ['completed', pod({}, { phase: 'Succeeded' }), 'POD_COMPLETED', 'has completed'],
  [
    'failed',
    pod({}, { phase: 'Failed', reason: 'Evicted', message: 'disk full' }),
    'POD_COMPLETED',
    'Evicted: disk full',
  ],
  [
    'unscheduled',
    pod(
      { nodeName: undefined },
      {
        phase: 'Pending',
        containerStatuses: [],
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/2 nodes' }],
      },
    ),
    'POD_PENDING',
    'Unschedulable: 0/2 nodes',
  ],
  [
    'without an image',
    pod({}, waiting('ImagePullBackOff', 'no such image')),
    'POD_PENDING',
    'ImagePullBackOff: no such image',
  ],
  [
    'just scheduled',
    pod({}, { phase: 'Pending', containerStatuses: [] }),
    'POD_PENDING',
    'no container was created yet',
  ],
])('a pod that is %s is no target, and the reason is said', (_, view, code, words) => {
  expect(() => checkCapturable(view, false)).toThrow(
    expect.objectContaining({
      code,
      exit: 3,
      message: expect.stringMatching(/^Pod shop\/web-1 .*\.$/),
      hint: expect.stringMatching(/\S/),
    }),
  );
  expect(() => checkCapturable(view, false)).toThrow(words);
});

test('what is seen of others, and what is not seen, is said before', () => {
  expect(podWarnings(pod())).toEqual([]);
  expect(podWarnings(pod({ hostNetwork: true }))).toEqual([expect.stringContaining('all traffic of node node1')]);
  for (const runtimeClassName of ['gvisor', 'kata-qemu']) {
    expect(podWarnings(pod({ runtimeClassName }))).toEqual([expect.stringContaining(runtimeClassName)]);
  }
});
