/** The agents' objects in a cluster, as in daemonset/base. */
export const AGENT_NAMESPACE = 'ksnoop';
export const AGENT_DAEMONSET = 'ksnoop-agent';
export const AGENT_CONTAINER = 'agent';

/** The controller of Captures, as in daemonset/captures. */
export const CONTROLLER_DEPLOYMENT = 'ksnoop-controller';
export const CONTROLLER_CONTAINER = 'controller';

/** What `install --observe` installs: its Deployment, and all that is named like it, also in the namespaces of targets. */
export const OBSERVE_NAME = 'ksnoop-observe';
export const OBSERVE_CONTAINER = 'observe';

/** The key pair of tickets: the Secret that the controller mounts, and the ConfigMap that the agents mount. */
export const TICKET_KEY_SECRET = 'ksnoop-ticket-key';
export const TICKET_KEY_PUBLIC = 'ksnoop-ticket-key-public';

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
