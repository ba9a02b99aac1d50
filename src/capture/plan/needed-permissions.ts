import { AGENT_NAMESPACE } from '../agent-objects.ts';
import type { AgentlessMode } from '../agentless/preference.ts';
import { targetKind } from '../kinds/index.ts';
import { isAllowed, type ResourcePermission } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { PERMISSIONS_CHECKED } from '../limits.ts';
import type { TargetQuery } from '../targets/target-find.ts';
import { isPattern } from '../targets/target-words.ts';
import { AGENTLESS_PERMISSIONS } from './agentless-permissions.ts';
import { CAPTURE_PERMISSIONS, kindPermissions, type Permission } from './permissions.ts';

/** One verb on one resource in one place that a capture uses, and what for. */
export interface NeededPermission extends ResourcePermission {
  readonly purpose: string;
  /** Without it nothing is captured. */
  readonly required: boolean;
}

export interface CheckedPermission extends NeededPermission {
  readonly allowed: boolean;
}

/**
 * The permissions that a capture of these targets uses.
 * @param namespaces those the pods found are in
 * @param agentless how it is captured without installed agents; undefined: with them
 * @returns each once, PERMISSIONS_CHECKED at most
 */
export function neededPermissions(
  query: TargetQuery,
  namespaces: Iterable<string>,
  agentless?: AgentlessMode | undefined,
): NeededPermission[] {
  const kinds = [...new Set(query.refs.map(({ kind }) => targetKind(kind)).filter((kind) => kind !== undefined))];
  const objectPlaces = query.namespaces ?? [undefined];
  const podPlaces = query.namespaces === undefined ? [undefined] : [...new Set(namespaces)];
  const ofAgents = agentless === undefined ? CAPTURE_PERMISSIONS.filter(({ place }) => place === 'agents') : [];
  const ofPods = agentless === undefined ? [] : AGENTLESS_PERMISSIONS[agentless];
  const others = CAPTURE_PERMISSIONS.filter(({ place }) => place !== 'agents');
  const podsAreListed = kinds.some(({ name }) => name !== 'pod' && name !== 'node');
  const needed = [
    ...ofAgents.flatMap((permission) => single(permission, [AGENT_NAMESPACE])),
    ...ofPods.flatMap((permission) =>
      single(permission, permission.place === 'agents' ? [AGENT_NAMESPACE] : podPlaces),
    ),
    ...kinds.flatMap((kind) =>
      kindPermissions(kind, isNamed(query, kind.name)).flatMap((permission) => single(permission, objectPlaces)),
    ),
    ...others.flatMap((permission) => {
      const { place, resource, required } = permission;
      const isPods = place === 'targets' && resource === 'pods' && required;
      return single(
        isPods ? { ...permission, verbs: ['list'], ...(podsAreListed ? {} : FOLLOWED) } : permission,
        podPlaces,
      );
    }),
  ];
  const unlike = new Map<string, NeededPermission>();
  for (const permission of needed) {
    const { verb, group = '', resource, namespace } = permission;
    const key = [verb, group, resource, namespace].join(' ');
    if (!unlike.has(key)) unlike.set(key, permission);
  }
  return [...unlike.values()].slice(0, PERMISSIONS_CHECKED);
}

/** A pod that is named is read by its name; pods are listed only to follow it. */
const FOLLOWED = { required: false, purpose: 'without it, pods that start later are not captured' };

/** A permission verb by verb, in each of its places; `undefined` and the cluster's are all namespaces. */
function single(permission: Permission, places: readonly (string | undefined)[]): NeededPermission[] {
  const { verbs, group, resource, place, required, purpose } = permission;
  return (place === 'cluster' ? [undefined] : places).flatMap((namespace) =>
    verbs.map((verb) => ({
      verb,
      ...(group !== '' && { group }),
      resource,
      ...(namespace !== undefined && { namespace }),
      purpose,
      required,
    })),
  );
}

/** Whether all objects of a kind are named in full and in known namespaces, so that nothing is listed to find them. */
function isNamed(query: TargetQuery, name: string): boolean {
  const { refs, namespaces, labelSelector, fieldSelector } = query;
  if (labelSelector !== undefined || fieldSelector !== undefined || namespaces === undefined) return false;
  return refs.every((ref) => targetKind(ref.kind)?.name !== name || !isPattern(ref.name));
}

/**
 * Ask the API server about each permission (SelfSubjectAccessReview).
 * @returns what `oneTransport` leaves of them
 * @throws KsnoopError as `call` (kube/api.ts)
 */
export async function checkPermissions(
  kube: Kube,
  needed: readonly NeededPermission[],
  signal: AbortSignal,
): Promise<CheckedPermission[]> {
  const checked = needed.map(async (each) => ({ ...each, allowed: await isAllowed(kube, each, signal) }));
  return oneTransport(await Promise.all(checked));
}

/**
 * One way to the agents is enough. Where only exec is allowed, port-forward becomes optional; where port-forward is allowed
 * exec is not needed; where neither is, port-forward is the one to request, because it permits captures only. A capture without
 * installed agents has one of the two, and needs it.
 */
export function oneTransport(checked: readonly CheckedPermission[]): CheckedPermission[] {
  const ways = new Set(checked.map(({ resource }) => resource));
  if (!ways.has('pods/portforward') || !ways.has('pods/exec')) return [...checked];
  const may = (way: string) => checked.filter(({ resource }) => resource === way).every(({ allowed }) => allowed);
  if (may('pods/portforward') || !may('pods/exec')) return checked.filter(({ resource }) => resource !== 'pods/exec');
  const purpose = 'without it, exec takes its place';
  return checked.map((each) => (each.resource === 'pods/portforward' ? { ...each, required: false, purpose } : each));
}
