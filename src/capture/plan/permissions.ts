import { AGENT_NAMESPACE } from '../agent-objects.ts';
import { TARGET_KINDS } from '../kinds/index.ts';
import type { TargetKind } from '../kinds/kind.ts';
import { apiGroup, ruleText } from '../kube/resource.ts';

/** Where a permission is granted: a Role in one of the namespaces, or a ClusterRole. */
export type PermissionPlace = 'agents' | 'targets' | 'cluster';

/** A permission that a capture uses. `resource` with its subresource: `pods/exec`. */
export interface Permission {
  readonly verbs: readonly string[];
  /** The API group; empty for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly place: PermissionPlace;
  /** Without it nothing is captured. Of `TRANSPORT_RESOURCES` one is enough. */
  readonly required: boolean;
  /** Required: what for, `to find the agents`. Optional: what is missing, `without it, …`. */
  readonly purpose: string;
}

/** The two ways to an agent. Port-forward gives captures alone, exec any program of the agent's container. */
export const TRANSPORT_RESOURCES = ['pods/portforward', 'pods/exec'] as const;

/**
 * What every capture uses, whatever its targets are. The permissions to read the targets themselves are the target kinds'
 * (`kindPermissions`). This table is the only one: `ksnoop doctor`, `--dry-run`, `ksnoop help security` and
 * docs/permissions.md are made from it.
 */
export const CAPTURE_PERMISSIONS: readonly Permission[] = [
  core('agents', ['list'], 'pods', 'to find the agents'),
  core('agents', ['get', 'create'], 'pods/portforward', 'to reach the agents'),
  core('agents', ['get', 'create'], 'pods/exec', 'to reach the agents'),
  {
    ...optional('agents', ['get'], 'daemonsets', 'errors do not say why a node has no agent'),
    group: 'apps',
  },
  core('targets', ['get', 'list'], 'pods', 'to find the pods'),
  optional('targets', ['watch'], 'pods', 'pods that start later are not captured'),
  optional('targets', ['list'], 'services', 'addresses of Services have no names'),
  optional('targets', ['watch'], 'services', 'Services that are created later have no names'),
  {
    ...optional('targets', ['list'], 'endpointslices', 'pods are not named after the Services they serve'),
    group: 'discovery.k8s.io',
  },
  optional('cluster', ['list'], 'nodes', 'addresses of nodes have no names'),
  optional('cluster', ['get'], 'nodes', 'errors do not say why a node has no agent'),
  optional(
    'cluster',
    ['list'],
    'pods',
    'pods of other namespaces have no names, and --clients and --depth do not find them',
  ),
  optional(
    'cluster',
    ['list'],
    'services',
    'Services of other namespaces have no names, and --depth does not find them',
  ),
];

/**
 * What targets of a kind use besides: to read the objects, to follow their changes, and to find their pods.
 * @param named whether each object is named in full, in a known namespace; else they are listed
 */
export function kindPermissions(kind: TargetKind, named: boolean): Permission[] {
  const { api, plural: resource, namespaced, name, uses = [] } = kind;
  const object = { group: apiGroup(api), resource, place: namespaced ? 'targets' : 'cluster' } as const;
  const permissions: Permission[] = [
    { ...object, verbs: [named ? 'get' : 'list'], required: true, purpose: `to find the ${name}` },
  ];
  if (name !== 'pod') {
    // A watch begins with a list.
    const purpose = `without it, changes of the ${name} are not noticed`;
    permissions.push({ ...object, verbs: ['list', 'watch'], required: false, purpose });
  }
  for (const { verb, group, resource, where, purpose } of uses) {
    const place = where === 'cluster' ? 'cluster' : 'targets';
    permissions.push({ verbs: [verb], group, resource, place, required: false, purpose });
  }
  return permissions;
}

/** Where a permission is granted, in words. */
export const PLACE_WORDS: Readonly<Record<PermissionPlace, string>> = {
  agents: `in namespace ${AGENT_NAMESPACE}`,
  targets: 'in the namespaces of the targets',
  cluster: 'in a ClusterRole',
};

/**
 * The rules that captures of pods need, as YAML below `rules:`, with a comment before each place.
 * @param required those without which nothing is captured, or the optional ones
 */
export function ruleLines(required: boolean): string[] {
  return (Object.keys(PLACE_WORDS) as PermissionPlace[]).flatMap((place) => {
    const rules = new Map<string, { group: string; resource: string; verbs: string[] }>();
    for (const permission of CAPTURE_PERMISSIONS) {
      if (permission.place !== place || permission.required !== required) continue;
      const { group, resource } = permission;
      const rule = rules.get(`${group}/${resource}`) ?? { group, resource, verbs: [] };
      rules.set(`${group}/${resource}`, rule);
      rule.verbs.push(...permission.verbs);
    }
    if (rules.size === 0) return [];
    const lines = [...rules.values()].map(({ group, resource, verbs }) => {
      const rule = ruleText({ group, resource, namespace: undefined, name: undefined }, verbs);
      return resource === 'pods/exec' ? `${rule} # or this instead of pods/portforward` : rule;
    });
    return [`# ${PLACE_WORDS[place]}`, ...lines];
  });
}

/** Every kind of target with what it uses, in the order of the kinds. */
export function permissionsOfKinds(): readonly { readonly kind: TargetKind; readonly permissions: Permission[] }[] {
  return TARGET_KINDS.map((kind: TargetKind) => ({ kind, permissions: kindPermissions(kind, true) }));
}

function core(place: PermissionPlace, verbs: readonly string[], resource: string, purpose: string): Permission {
  return { verbs, group: '', resource, place, required: true, purpose };
}

function optional(place: PermissionPlace, verbs: readonly string[], resource: string, missing: string): Permission {
  return { verbs, group: '', resource, place, required: false, purpose: `without it, ${missing}` };
}
