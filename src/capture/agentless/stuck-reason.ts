import type { ContainerView } from '../kube/pod.ts';

/** Why a container will not run, with the words of the runtime; undefined while it may. */
export function stuckReason({ state, reason, message }: ContainerView): string | undefined {
  if (state === 'terminated') return `it has ended (${reason}${message && `: ${message}`})`;
  return /^(ErrImagePull|ErrImageNeverPull|ImagePullBackOff|InvalidImageName|Create.*Error|RunContainerError)$/.test(
    reason,
  )
    ? `${reason}: ${message}`
    : undefined;
}
