import { agentless } from './agentless.ts';
import { agents } from './agents.ts';
import type { Check } from './check.ts';
import { client } from './client.ts';
import { cluster } from './cluster.ts';
import { leftovers } from './leftovers.ts';
import { permissions } from './permissions.ts';
import { programs } from './programs.ts';

/** Everything `ksnoop doctor` looks at, in its order: a new check is a file here and a line below. */
export const CHECKS: readonly Check[] = [client, cluster, permissions, agents, agentless, programs, leftovers];
