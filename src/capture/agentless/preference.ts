/** How packets are captured without agents; `auto` takes the first that works, in this order. */
export const AGENTLESS_MODES = ['auto', 'existing', 'ephemeral'] as const;

export type AgentlessMode = (typeof AGENTLESS_MODES)[number];

/** Where no agents are to be used. */
export interface AgentlessPreference {
  readonly mode: AgentlessMode;
  /** An image with tcpdump and a shell, for ephemeral containers. */
  readonly image: string;
}

/** A well-known image with tcpdump, for those who name none. */
export const PUBLIC_IMAGE = 'nicolaka/netshoot';
