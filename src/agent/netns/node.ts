import { hostname } from 'node:os';

/** Name of this node, for people and for the hello. */
export const NODE_NAME = process.env.NODE_NAME ?? hostname();

/** Whether this agent runs as a pod of the DaemonSet, which sets NODE_NAME, rather than for `--local`. */
export function isInCluster(): boolean {
  return process.env.NODE_NAME !== undefined;
}
