/** Bounds of installing, milliseconds. */

/** Until every agent must be ready; `--timeout` changes it. */
export const READY_TIMEOUT_MS = 180_000;

/** Until everything must be gone: a pod may take its grace period of 30 s. */
export const GONE_TIMEOUT_MS = 120_000;

/** How often the state of the objects is read. */
export const POLL_MS = 500;

/** Nodes named in one progress line or error; the rest is counted. */
export const NODES_NAMED = 3;
