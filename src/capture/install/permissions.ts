import { apiGroup } from '../kube/resource.ts';
import type { Manifest } from './manifests.ts';
import { kindOf } from './objects.ts';

/** A permission of the commands that manage the agents. Captures do not need it. */
export interface InstallPermission {
  readonly verbs: readonly string[];
  readonly group: string;
  readonly resource: string;
  readonly place: 'agents' | 'cluster';
  readonly usedBy: readonly string[];
  /** What is missing without it; left out where the commands fail. */
  readonly missing?: string;
}

const LOOKING: readonly InstallPermission[] = [
  {
    verbs: ['list'],
    group: '',
    resource: 'pods',
    place: 'agents',
    usedBy: ['install', 'uninstall', 'status', 'cleanup'],
  },
  {
    verbs: ['get'],
    group: '',
    resource: 'persistentvolumeclaims',
    place: 'agents',
    usedBy: ['install'],
    missing: 'a claim cannot become a destination of recordings',
  },
  { verbs: ['get'], group: 'apps', resource: 'daemonsets', place: 'agents', usedBy: ['status'] },
  {
    verbs: ['list'],
    group: '',
    resource: 'events',
    place: 'agents',
    usedBy: ['install', 'status'],
    missing: 'nothing says why pods of agents cannot be created',
  },
  {
    verbs: ['list'],
    group: '',
    resource: 'nodes',
    place: 'cluster',
    usedBy: ['install', 'status'],
    missing: 'nodes without an agent are not listed, and install needs --image',
  },
  {
    verbs: ['list'],
    group: 'metrics.k8s.io',
    resource: 'pods',
    place: 'agents',
    usedBy: ['install', 'status'],
    missing: 'the memory and processor time that agents use are not shown',
  },
  { verbs: ['delete'], group: '', resource: 'pods', place: 'agents', usedBy: ['cleanup'] },
];

/**
 * What installing these objects, removing them and looking at them takes. Uninstall also lists the other kinds that
 * ksnoop may have applied, and passes over those that the user may not list.
 * @throws KsnoopError BAD_MANIFEST for a kind that ksnoop does not apply
 */
export function installPermissions(objects: readonly Manifest[]): InstallPermission[] {
  const kinds = new Set(objects.map(kindOf));
  const applied = [...kinds].map(({ api, plural, namespaced }): InstallPermission => {
    const place = namespaced ? 'agents' : 'cluster';
    const verbs = ['get', 'list', 'create', 'patch', 'delete'];
    return { verbs, group: apiGroup(api), resource: plural, place, usedBy: ['install', 'uninstall'] };
  });
  return [...applied, ...LOOKING];
}
