import type { AgentTarget } from '../../wire/agent-target.ts';
import type { NetworkState } from '../../wire/network-state.ts';
import { cgroupRoot, cpuThrottling } from './cpu-throttling.ts';
import type { OpenNetns } from './namespace.ts';
import { readNetworkState } from './network-state.ts';
import type { Proc } from './proc.ts';
import { resolverOf } from './resolver.ts';
import { readSnatPorts } from './snat-ports.ts';

/**
 * The state of a network namespace: what the kernel counts in it; of a pod also its resolver and how its CPU limits stopped it; of
 * a node also the ports that its connections share. What could not be read is left out.
 * @param targets of the namespace: their containers' names
 * @returns undefined when nothing could be read in time
 */
export async function readState(
  namespace: OpenNetns,
  session: string,
  { proc, targets }: { readonly proc: Proc; readonly targets: Iterable<AgentTarget> },
): Promise<NetworkState | undefined> {
  const isNode = namespace.inode === proc.networkNamespace(1);
  const [state, snatPorts] = await Promise.all([
    readNetworkState(namespace, session),
    isNode ? readSnatPorts(namespace, session) : [],
  ]);
  if (state === undefined) return undefined;
  const { owner } = namespace;
  if (isNode || owner === undefined) return { ...state, ...(snatPorts.length > 0 && { snatPorts }) };
  const root = cgroupRoot();
  const resolver = resolverOf(proc, owner.pid);
  return {
    ...state,
    counters: { ...state.counters, ...(root !== undefined && cpuThrottling(root, proc, owner, namesOf(targets))) },
    ...(resolver !== undefined && { resolver }),
  };
}

/** Names of the containers of pods, by id. */
function namesOf(targets: Iterable<AgentTarget>): Map<string, string> {
  const containers = [...targets].flatMap((target) => (target.kind === 'pod' ? target.containers : []));
  return new Map(containers.map(({ id, name }) => [id, name]));
}
