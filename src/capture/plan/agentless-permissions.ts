import type { AgentlessMode } from '../agentless/preference.ts';
import type { Permission } from './permissions.ts';

const EXEC = permission('targets', ['get', 'create'], 'pods/exec', 'to run tcpdump in the pods');
const POD = permission('targets', ['get'], 'pods', 'to see whether the container runs');
const EPHEMERAL = permission('targets', ['patch'], 'pods/ephemeralcontainers', 'to add the container with tcpdump');

/** What captures without installed agents use in place of the permissions in the agents' namespace, by mode. */
export const AGENTLESS_PERMISSIONS: Readonly<Record<AgentlessMode, readonly Permission[]>> = {
  auto: [
    EXEC,
    POD,
    { ...EPHEMERAL, required: false, purpose: 'without it, only pods that have tcpdump and may use it are captured' },
  ],
  existing: [EXEC],
  ephemeral: [EXEC, POD, EPHEMERAL],
  upload: [EXEC],
  node: [
    { ...permission('agents', ['create', 'delete'], 'jobs', 'to start an agent on the node'), group: 'batch' },
    permission('agents', ['list'], 'pods', 'to see whether it runs'),
    permission('agents', ['get', 'create'], 'pods/portforward', 'to reach it'),
    {
      ...permission('agents', ['list'], 'events', 'without it, errors do not say why it was not started'),
      required: false,
    },
    {
      ...permission('cluster', ['get'], 'nodes', 'without it, its image is to be named: --agent-image'),
      required: false,
    },
  ],
};

function permission(
  place: Permission['place'],
  verbs: readonly string[],
  resource: string,
  purpose: string,
): Permission {
  return { verbs, group: '', resource, place, required: true, purpose };
}
