import { expect, test } from 'vitest';
import { stuckReason } from '../../../src/capture/agentless/stuck-reason.ts';
import { type ContainerView, podView } from '../../../src/capture/kube/pod.ts';

/** A container as the API server describes it. */
function container(state: 'waiting' | 'terminated', reason: string, message = 'why'): ContainerView {
  const statuses = [{ name: 'agent', state: { [state]: { reason, message } } }];
  const pod = { spec: { containers: [{ name: 'agent' }] }, status: { containerStatuses: statuses } };
  const [view] = podView({ metadata: { name: 'p', namespace: 'n', uid: 'u' }, ...pod }).containers;
  if (view === undefined) throw new Error('no container');
  return view;
}

test.each([
  'ErrImagePull',
  'ErrImageNeverPull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])('a container that waits because of %s will not run', (reason) => {
  expect(stuckReason(container('waiting', reason))).toBe(`${reason}: why`);
});

test.each(['ContainerCreating', 'PodInitializing', '', 'NotErrImagePull'])(
  'one that waits because of "%s" may run',
  (reason) => {
    expect(stuckReason(container('waiting', reason))).toBeUndefined();
  },
);

test('one that has ended will not run, and its last words are given', () => {
  expect(stuckReason(container('terminated', 'Error', 'exec format error'))).toBe(
    'it has ended (Error: exec format error)',
  );
  expect(stuckReason(container('terminated', 'Completed', ''))).toBe('it has ended (Completed)');
});
