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

test('a running pod, and one whose container crashes, can be captured: its network is there', () => {
  checkCapturable(pod(), false);
  const crashed = { name: 'web', containerID: 'containerd://abc', ready: false, state: { waiting: {} } };
  checkCapturable(pod({}, { containerStatuses: [crashed] }), false);
});

test('so can one on its node’s network before it has containers, and one in its init container', () => {
  checkCapturable(pod({ hostNetwork: true }, waiting('ContainerCreating', '')), false);
  const init = [{ name: 'setup', containerID: 'containerd://def', ready: false, state: { running: {} } }];
  const spec = { initContainers: [{ name: 'setup' }] };
  checkCapturable(pod(spec, { ...waiting('PodInitializing', ''), initContainerStatuses: init }), false);
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
  ['just scheduled', pod({}, { phase: 'Pending', containerStatuses: [] }), 'POD_PENDING', 'no container was made yet'],
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
