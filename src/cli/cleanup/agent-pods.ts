import { AGENT_NAMESPACE, AGENT_SELECTOR } from '../../capture/agent-objects.ts';
import { list, remove } from '../../capture/kube/api.ts';
import { podTrouble, podView } from '../../capture/kube/pod.ts';
import { resourcePath } from '../../capture/kube/resource.ts';
import type { Finder } from './leftover.ts';

/** Pods of agents that have ended for good: evicted, or of a node that was shut down. Their successors run beside them. */
export const agentPods: Finder = {
  looksFor: "agents' pods that have ended for good, such as evicted ones",
  async find({ kube, signal }) {
    if (kube === undefined) return [];
    const { items } = await list(
      kube,
      resourcePath('v1', AGENT_NAMESPACE, 'pods'),
      { labelSelector: AGENT_SELECTOR },
      signal,
    );
    return items
      .map(podView)
      .filter(({ phase, deletionTimestamp }) => (phase === 'Failed' || phase === 'Succeeded') && !deletionTimestamp)
      .map((pod) => ({
        what: `pod ${pod.namespace}/${pod.name} of node ${pod.nodeName}`,
        why: podTrouble(pod) || pod.phase,
        remove: async () => {
          await remove(kube, resourcePath('v1', pod.namespace, 'pods', pod.name), signal);
        },
      }));
  },
};
