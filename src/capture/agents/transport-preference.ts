import type { Compression } from '../../wire/session-frame.ts';
import type { AgentlessPreference } from '../agentless/preference.ts';

/** The ways to an agent; `auto` takes port-forward where that works, else exec. */
export const TRANSPORTS = ['auto', 'exec', 'port-forward'] as const;

/** How agents are to be reached. */
export interface TransportPreference {
  readonly transport: (typeof TRANSPORTS)[number];
  /** How long a session outlives its connection, milliseconds; exec has none. */
  readonly resumeWindowMs: number;
  /** Whether an agent compresses what it sends through port-forward. */
  readonly compress: Compression;
  /** Capture by a Capture object and its tickets, whatever the user's permissions are. */
  readonly asTenant?: boolean;
  /** Capture without agents; undefined: with them. */
  readonly agentless?: AgentlessPreference | undefined;
}
