import { isAllowed } from '../../capture/kube/api.ts';
import { AGENTLESS_PERMISSIONS } from '../../capture/plan/agentless-permissions.ts';
import { type Check, findings, NO_CLUSTER } from './check.ts';

const finding = findings('agentless');

/** Whether the user may capture pods of the namespace without agents. It is another way: that it is not allowed is no problem. */
export const agentless: Check = {
  name: 'agentless',
  async look({ kube, namespace, signal }) {
    if (kube === undefined) return [finding.skipped(NO_CLUSTER)];
    const missing = async (mode: 'existing' | 'ephemeral'): Promise<string[]> => {
      const needed = AGENTLESS_PERMISSIONS[mode].flatMap(({ verbs, resource }) =>
        verbs.map((verb) => ({ verb, resource, namespace })),
      );
      const allowed = await Promise.all(needed.map((permission) => isAllowed(kube, permission, signal)));
      return needed.filter((_, index) => !allowed[index]).map(({ verb, resource }) => `${verb} ${resource}`);
    };
    const [existing, ephemeral] = await Promise.all([missing('existing'), missing('ephemeral')]);
    const command = `ksnoop -n ${namespace} TARGET --agentless`;
    if (ephemeral.length === 0) return [finding.ok(`you may capture without agents: ${command}`)];
    const without = `you may not ${ephemeral.join(', ')} in namespace ${namespace}`;
    if (existing.length > 0) return [finding.skipped(`captures without agents are not possible: ${without}`)];
    return [finding.ok(`you may capture without agents, but only pods that have tcpdump (${without}): ${command}`)];
  },
};
