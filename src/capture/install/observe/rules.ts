import { EXIT, KsnoopError } from '../../../wire/errors.ts';
import { AGENT_NAMESPACE } from '../../agent-objects.ts';
import { targetKind } from '../../kinds/index.ts';
import { type NeededPermission, neededPermissions } from '../../plan/needed-permissions.ts';
import { parseTargets } from '../../targets/target-words.ts';
import type { Observation } from './observation.ts';

/** A rule of a Role (rbac.authorization.k8s.io/v1). */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The rules of an observation: by namespace for Roles, and of the cluster for one ClusterRole. */
export interface ObserverRules {
  readonly namespaces: ReadonlyMap<string, readonly PolicyRule[]>;
  readonly cluster: readonly PolicyRule[];
}

/**
 * What observing takes and no more, from the table that `--dry-run` and `ksnoop doctor` check.
 * @param tickets the agents take tickets over port-forward, so that exec is the way to them
 * @throws KsnoopError BAD_TARGET (exit 2), also for a kind that only the API server knows: its owners are not known here
 */
export function observerRules({ targets, namespaces, selector }: Observation, tickets: boolean): ObserverRules {
  const refs = parseTargets(targets, selector !== undefined || namespaces === undefined);
  const custom = refs.find(({ kind }) => targetKind(kind) === undefined);
  if (custom !== undefined) {
    throw new KsnoopError(
      'BAD_TARGET',
      `install --observe knows no permissions for targets of kind "${custom.kind}".`,
      {
        hint: 'Name the workload or Service that it owns, or write the Role yourself: docs/kubernetes/observe.yaml',
        exit: EXIT.usage,
      },
    );
  }
  const sides = { backends: true, controller: true };
  const rest = { refs, labelSelector: selector, fieldSelector: undefined, nodes: [], sides };
  // One namespace at a time: what is checked at once is bounded.
  const needed =
    namespaces === undefined
      ? neededPermissions({ ...rest, namespaces }, [])
      : namespaces.flatMap((namespace) => neededPermissions({ ...rest, namespaces: [namespace] }, [namespace]));
  const unused = tickets ? 'pods/portforward' : 'pods/exec';
  const used = needed.filter(({ resource, namespace }) => namespace !== AGENT_NAMESPACE || resource !== unused);
  const places = new Set(used.flatMap(({ namespace }) => (namespace === undefined ? [] : [namespace])));
  const of = (place: string | undefined) => rulesOf(used.filter(({ namespace }) => namespace === place));
  return { namespaces: new Map([...places].map((place) => [place, of(place)])), cluster: of(undefined) };
}

function rulesOf(permissions: readonly NeededPermission[]): PolicyRule[] {
  const verbs = new Map<string, { readonly group: string; readonly resource: string; readonly verbs: Set<string> }>();
  for (const { group = '', resource, verb } of permissions) {
    const key = `${group}/${resource}`;
    const rule = verbs.get(key) ?? { group, resource, verbs: new Set() };
    verbs.set(key, rule);
    rule.verbs.add(verb);
  }
  return [...verbs.values()].map(({ group, resource, verbs }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [...verbs],
  }));
}
