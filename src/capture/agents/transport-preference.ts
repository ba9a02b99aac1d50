import type { Compression } from '../../wire/session-frame.ts';

/** The ways to an agent; `auto` takes port-forward where that works, else exec. */
export const TRANSPORTS = ['auto', 'exec', 'port-forward'] as const;

/** How agents are to be reached. */
export interface TransportPreference {
  readonly transport: (typeof TRANSPORTS)[number];
  /** How long a session outlives its connection, milliseconds; exec has none. */
  readonly resumeWindowMs: number;
  /** Whether an agent compresses what it sends through port-forward. */
  readonly compress: Compression;
}
