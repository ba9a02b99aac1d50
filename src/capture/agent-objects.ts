/** The agents' objects in a cluster, as in daemonset/base. */
export const AGENT_NAMESPACE = 'ksnoop';
export const AGENT_DAEMONSET = 'ksnoop-agent';
export const AGENT_CONTAINER = 'agent';

export const AGENT_LABEL = 'app.kubernetes.io/name';
export const AGENT_SELECTOR = `${AGENT_LABEL}=${AGENT_DAEMONSET}`;

/** The label's value of agents that were started for one capture (`--agentless=node`). */
export const ONCE_NAME = 'ksnoop-once';

/** What tells an agent's pod from others. */
interface Labelled {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether a pod is an agent: its packets are those of the captures themselves. */
export function isAgentPod({ namespace, labels }: Labelled): boolean {
  const name = labels[AGENT_LABEL];
  return namespace === AGENT_NAMESPACE && (name === AGENT_DAEMONSET || name === ONCE_NAME);
}
