/**
 * How packets are captured without installed agents. `auto` takes the first of `existing`, `ephemeral` and `upload` that works, and
 * never `node`: that starts a privileged pod.
 */
export const AGENTLESS_MODES = ['auto', 'existing', 'ephemeral', 'upload', 'node'] as const;

export type AgentlessMode = (typeof AGENTLESS_MODES)[number];

/** Where no agents are to be used. */
export interface AgentlessPreference {
  readonly mode: AgentlessMode;
  /** An image with tcpdump and a shell, for ephemeral containers. */
  readonly image: string;
  /** The agent's image, for `node`; undefined: the one that the cluster has. */
  readonly agentImage?: string | undefined;
  /** A statically linked tcpdump on this machine, for `upload`. */
  readonly program?: string | undefined;
}

/** A well-known image with tcpdump, for those who name none. */
export const PUBLIC_IMAGE = 'nicolaka/netshoot';

/**
 * What a user who has named no image has to know before a capture: which one nodes will pull.
 * @returns a sentence for people; undefined where no such image is used
 */
export function publicImageNote({ mode, image }: AgentlessPreference): string | undefined {
  if (image !== PUBLIC_IMAGE || (mode !== 'auto' && mode !== 'ephemeral')) return undefined;
  return `ephemeral containers use the public image ${PUBLIC_IMAGE}; a node that does not have it pulls it. To use another image: --agentless-image IMAGE`;
}
