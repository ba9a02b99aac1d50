import { agentPods } from './agent-pods.ts';
import type { Finder } from './leftover.ts';
import { processes } from './processes.ts';

/** Everything `ksnoop cleanup` looks for: a new one is a file here and a line below. */
export const FINDERS: readonly Finder[] = [processes, agentPods];
