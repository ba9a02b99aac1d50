/** The ways to an agent; `auto` takes port-forward where that works, else exec. */
export const TRANSPORTS = ['auto', 'exec', 'port-forward'] as const;

/** How agents are to be reached. */
export interface TransportWish {
  readonly transport: (typeof TRANSPORTS)[number];
  /** How long a session outlives its connection, milliseconds; exec has none. */
  readonly resumeWindowMs: number;
}
