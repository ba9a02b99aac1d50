import { AGENT_NAMESPACE, AGENT_SELECTOR } from '../../capture/agent-objects.ts';
import { ObjectApi } from '../../capture/kube/object-api.ts';
import { podTrouble, podView } from '../../capture/kube/pod.ts';
import type { Finder } from './leftover.ts';

const POD = { apiVersion: 'v1', kind: 'Pod' } as const;

/** Pods of agents that have ended for good: evicted, or of a node that was shut down. Their successors run beside them. */
export const agentPods: Finder = {
  looksFor: "agents' pods that have ended for good, such as evicted ones",
  async find({ kube, signal }) {
    if (kube === undefined) return [];
    const api = new ObjectApi(kube, signal);
    const pods = await api.list(POD, AGENT_NAMESPACE, { labelSelector: AGENT_SELECTOR });
    return pods
      .map(podView)
      .filter(({ phase, deletionTimestamp }) => (phase === 'Failed' || phase === 'Succeeded') && !deletionTimestamp)
      .map((pod) => ({
        what: `pod ${pod.namespace}/${pod.name} of node ${pod.nodeName}`,
        why: podTrouble(pod) || pod.phase,
        remove: async () => {
          await api.remove({ ...POD, metadata: { namespace: pod.namespace, name: pod.name } });
        },
      }));
  },
};
