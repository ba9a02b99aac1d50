import { create } from '../../capture/kube/api.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { resourcePath } from '../../capture/kube/resource.ts';
import { type CheckedPermission, checkPermissions, neededPermissions } from '../../capture/plan/needed-permissions.ts';
import { objectAt, optionalString } from '../../wire/guard.ts';
import { shellWord } from '../shell-word.ts';
import { type Check, findings, NO_CLUSTER } from './check.ts';

const finding = findings('permissions');

/** What a capture of any pod or Service of the namespace uses. */
export const permissions: Check = {
  name: 'permissions',
  async look({ kube, namespace, signal }) {
    if (kube === undefined) return [finding.skipped(NO_CLUSTER)];
    const query = {
      refs: ['pod', 'service'].map((kind) => ({ kind, name: '*' })),
      namespaces: [namespace],
      nodes: [],
      sides: { backends: true, controller: true },
    };
    const checked = await checkPermissions(kube, neededPermissions(query, [namespace]), signal);
    const missing = checked.filter(({ allowed }) => !allowed);
    if (missing.length === 0)
      return [finding.ok(`all ${checked.length} that captures in namespace ${namespace} use are granted`)];
    const user = await userName(kube, signal);
    return groups(missing).map(({ required, where, group, resource, verbs, purposes }) => {
      const message = `you may not ${verbs.join(', ')} ${resource} ${where === '' ? 'of the cluster' : `in namespace ${where}`}: ${purposes.join('; ')}`;
      const fix = grantCommand(kube, { where, group, resource, verbs }, user);
      return required ? finding.problem(message, fix) : finding.warning(message, fix);
    });
  },
};

interface Missing {
  required: boolean;
  readonly where: string;
  readonly group: string;
  readonly resource: string;
  readonly verbs: string[];
  readonly purposes: string[];
}

/** One finding for all verbs of a resource in a place. */
function groups(missing: readonly CheckedPermission[]): Missing[] {
  const byResource = new Map<string, Missing>();
  for (const { required, namespace = '', group = '', resource, verb, purpose } of missing) {
    const key = `${namespace} ${group} ${resource}`;
    const entry = byResource.get(key) ?? { required, where: namespace, group, resource, verbs: [], purposes: [] };
    byResource.set(key, entry);
    entry.required ||= required;
    if (!entry.verbs.includes(verb)) entry.verbs.push(verb);
    if (!entry.purposes.includes(purpose)) entry.purposes.push(purpose);
  }
  return [...byResource.values()];
}

/** The command that somebody who may grant permissions runs. */
function grantCommand(
  kube: Kube,
  { where, group, resource, verbs }: Pick<Missing, 'where' | 'group' | 'resource' | 'verbs'>,
  user: string,
): string {
  const [plural = '', subresource] = resource.split('/');
  const typed = `${plural}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  const name = `ksnoop-${resource.replace('/', '-')}`;
  const kind = where === '' ? 'clusterrole' : 'role';
  const kubectl = `kubectl --context ${shellWord(kube.context)}${where === '' ? '' : ` -n ${where}`} create`;
  return (
    `${kubectl} ${kind} ${name} --verb=${verbs.join(',')} --resource=${typed} && ` +
    `${kubectl} ${kind}binding ${name} --${kind}=${name} --user=${shellWord(user)}`
  );
}

/** Who the API server takes the user for (SelfSubjectReview, Kubernetes 1.28 and later). */
async function userName(kube: Kube, signal: AbortSignal): Promise<string> {
  const path = resourcePath('authentication.k8s.io/v1', undefined, 'selfsubjectreviews');
  const asked = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await create(kube, path, asked, signal).catch(() => ({}));
  return optionalString(objectAt(objectAt(answer, 'status'), 'userInfo'), 'username') ?? 'USER';
}
