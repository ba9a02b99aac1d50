import { type ErrorCode, EXIT, KsnoopError } from '../../wire/errors.ts';
import { type PodView, podLabel, podTrouble } from '../kube/pod.ts';
import { hostNetworkFilter } from './container-filter.ts';

/** Runtime classes whose pods' traffic is only partly visible from the host. */
const SANDBOXED = /gvisor|runsc|kata/i;

/**
 * Whether a pod can be captured.
 * @param wait whether its network namespace may be waited for
 * @throws KsnoopError POD_PENDING, POD_COMPLETED, POD_ENDING (exit 3): there is no network namespace to look into
 */
export function checkCapturable(pod: PodView, wait: boolean): void {
  const label = podLabel(pod);
  const trouble = podTrouble(pod);
  const refuse = (code: ErrorCode, what: string, hint: string): never => {
    throw new KsnoopError(code, `Pod ${label} ${what}.`, { hint, exit: EXIT.noTarget });
  };
  if (pod.phase === 'Succeeded' || pod.phase === 'Failed') {
    const how = pod.phase === 'Succeeded' ? 'has completed' : `has failed${trouble && ` (${trouble})`}`;
    refuse('POD_COMPLETED', `${how}, so it has no network any more`, 'Capture a pod that is running.');
  }
  if (pod.nodeName === '') {
    const why = trouble === '' ? 'is not scheduled to a node yet' : `is not scheduled to a node: ${trouble}`;
    refuse('POD_PENDING', why, `See why: kubectl describe pod -n ${pod.namespace} ${pod.name}`);
  }
  const made = pod.containers.some(({ id }) => id !== '');
  if (!made && !wait && !pod.hostNetwork) {
    const why = `is pending on node ${pod.nodeName}: ${trouble || 'no container was created yet'}`;
    refuse('POD_PENDING', why, `See why: kubectl describe pod -n ${pod.namespace} ${pod.name}`);
  }
}

/** What is left out of a capture of a node's network. */
const OWN_TRAFFIC = 'not what carries captures (the ports of the kubelet and of the container runtime)';

/** A warning about the packets of a node. */
export function nodeWarning(node: string): string {
  return `node/${node}: all traffic of the node is captured, but ${OWN_TRAFFIC}.`;
}

/** Warnings about the packets of a pod. */
export function podWarnings(pod: PodView, wholeNode = false): string[] {
  const warnings: string[] = [];
  const label = podLabel(pod);
  if (pod.hostNetwork) {
    const ports = wholeNode ? undefined : hostNetworkFilter(pod);
    const what =
      ports === undefined
        ? `all traffic of node ${pod.nodeName} is captured`
        : `of node ${pod.nodeName}'s traffic only its ports are captured (${ports}); --whole-node takes all`;
    warnings.push(`${label} uses its node's network: ${what}, but ${OWN_TRAFFIC}.`);
  }
  if (SANDBOXED.test(pod.runtimeClass)) {
    warnings.push(`${label} runs in a sandbox (${pod.runtimeClass}): only its host side is seen.`);
  }
  return warnings;
}
