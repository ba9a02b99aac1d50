import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, stringsAt } from '../../wire/guard.ts';
import { VERSION } from '../../wire/version.ts';
import {
  AGENT_CONTAINER,
  AGENT_DAEMONSET,
  CONTROLLER_CONTAINER,
  CONTROLLER_DEPLOYMENT,
  OBSERVE_CONTAINER,
  OBSERVE_NAME,
} from '../agent-objects.ts';
import type { ObjectId } from '../kube/object-api.ts';
import type { Manifest } from './manifests.ts';

/** The owner of the fields that ksnoop applies (metadata.managedFields). */
export const FIELD_MANAGER = 'ksnoop';

/** What marks an object as made by `ksnoop install`, to be removed by `ksnoop uninstall`. */
export const OWN_LABELS = {
  'app.kubernetes.io/managed-by': 'ksnoop',
  'app.kubernetes.io/part-of': 'ksnoop',
} as const;

export const OWN_SELECTOR = Object.entries(OWN_LABELS)
  .map(([label, value]) => `${label}=${value}`)
  .join(',');

export const VERSION_LABEL = 'app.kubernetes.io/version';

/** The kinds a manifest of ksnoop may hold, in the order they are applied; they are removed in reverse. */
export const KINDS = [
  { kind: 'Namespace', api: 'v1', plural: 'namespaces', namespaced: false },
  // Before the kind that they protect, so that it is never without them.
  {
    kind: 'ValidatingAdmissionPolicy',
    api: 'admissionregistration.k8s.io/v1',
    plural: 'validatingadmissionpolicies',
    namespaced: false,
  },
  {
    kind: 'ValidatingAdmissionPolicyBinding',
    api: 'admissionregistration.k8s.io/v1',
    plural: 'validatingadmissionpolicybindings',
    namespaced: false,
  },
  {
    kind: 'CustomResourceDefinition',
    api: 'apiextensions.k8s.io/v1',
    plural: 'customresourcedefinitions',
    namespaced: false,
  },
  { kind: 'PriorityClass', api: 'scheduling.k8s.io/v1', plural: 'priorityclasses', namespaced: false },
  { kind: 'ServiceAccount', api: 'v1', plural: 'serviceaccounts', namespaced: true },
  { kind: 'ConfigMap', api: 'v1', plural: 'configmaps', namespaced: true },
  { kind: 'Secret', api: 'v1', plural: 'secrets', namespaced: true },
  { kind: 'ResourceQuota', api: 'v1', plural: 'resourcequotas', namespaced: true },
  { kind: 'ClusterRole', api: 'rbac.authorization.k8s.io/v1', plural: 'clusterroles', namespaced: false },
  { kind: 'ClusterRoleBinding', api: 'rbac.authorization.k8s.io/v1', plural: 'clusterrolebindings', namespaced: false },
  { kind: 'Role', api: 'rbac.authorization.k8s.io/v1', plural: 'roles', namespaced: true },
  { kind: 'RoleBinding', api: 'rbac.authorization.k8s.io/v1', plural: 'rolebindings', namespaced: true },
  { kind: 'NetworkPolicy', api: 'networking.k8s.io/v1', plural: 'networkpolicies', namespaced: true },
  { kind: 'Service', api: 'v1', plural: 'services', namespaced: true },
  { kind: 'DaemonSet', api: 'apps/v1', plural: 'daemonsets', namespaced: true },
  { kind: 'Deployment', api: 'apps/v1', plural: 'deployments', namespaced: true },
  // Made by the controller itself.
  { kind: 'Lease', api: 'coordination.k8s.io/v1', plural: 'leases', namespaced: true },
] as const;

export type AppliedKind = (typeof KINDS)[number];

/** @throws KsnoopError BAD_MANIFEST for a kind that is not in KINDS */
export function kindOf(object: JsonObject): AppliedKind {
  const kind = KINDS.find(({ kind, api }) => kind === object.kind && api === object.apiVersion);
  if (kind !== undefined) return kind;
  throw new KsnoopError('BAD_MANIFEST', `ksnoop does not know how to apply ${object.apiVersion} ${object.kind}.`);
}

/** An object as the object API addresses it. @throws KsnoopError BAD_MANIFEST for a kind that is not in KINDS */
export function addressed(object: JsonObject): ObjectId & JsonObject {
  const { api, kind, namespaced } = kindOf(object);
  const metadata = objectAt(object, 'metadata');
  const place = namespaced ? { namespace: String(metadata.namespace) } : {};
  return { ...object, apiVersion: api, kind, metadata: { ...metadata, name: String(metadata.name), ...place } };
}

export interface Changes {
  readonly image: string;
  readonly pullSecrets: readonly string[];
}

/** The objects as they are applied: in order, labelled as ksnoop's, agents and controller with their image. */
export function prepared(objects: readonly Manifest[], changes: Changes): Manifest[] {
  const order = (object: Manifest) => KINDS.indexOf(kindOf(object));
  return objects
    .map((object) => {
      const container = containerOf(object);
      return labelled(container === undefined ? object : withImage(object, container, changes));
    })
    .sort((a, b) => order(a) - order(b));
}

function labelled(object: Manifest): Manifest {
  const metadata = objectAt(object, 'metadata');
  const labels = { ...stringsAt(metadata, 'labels'), ...OWN_LABELS, [VERSION_LABEL]: VERSION };
  return { ...object, metadata: { ...metadata, labels } };
}

/** Name of the container that runs the agents' image; undefined for objects without one. */
function containerOf(object: Manifest): string | undefined {
  const { name } = objectAt(object, 'metadata');
  if (object.kind === 'DaemonSet' && name === AGENT_DAEMONSET) return AGENT_CONTAINER;
  if (object.kind !== 'Deployment') return undefined;
  return name === CONTROLLER_DEPLOYMENT ? CONTROLLER_CONTAINER : name === OBSERVE_NAME ? OBSERVE_CONTAINER : undefined;
}

function withImage(object: Manifest, container: string, { image, pullSecrets }: Changes): Manifest {
  const spec = objectAt(object, 'spec');
  const template = objectAt(spec, 'template');
  const pod = objectAt(template, 'spec');
  const containers = objectsAt(pod, 'containers');
  if (!containers.some(({ name }) => name === container)) {
    throw new KsnoopError('BAD_MANIFEST', `The ${object.kind} has no container "${container}".`);
  }
  const secrets = pullSecrets.length > 0 && { imagePullSecrets: pullSecrets.map((name) => ({ name })) };
  const containersWithImage = containers.map((item) => (item.name === container ? { ...item, image } : item));
  const changed = { ...pod, containers: containersWithImage, ...secrets };
  return { ...object, spec: { ...spec, template: { ...template, spec: changed } } };
}

/** The image a DaemonSet runs its agent with, and the names of its pull secrets. */
export function imageOf(daemonSet: JsonObject): Changes {
  const pod = objectAt(objectAt(objectAt(daemonSet, 'spec'), 'template'), 'spec');
  const agent = objectsAt(pod, 'containers').find(({ name }) => name === AGENT_CONTAINER) ?? {};
  return {
    image: typeof agent.image === 'string' ? agent.image : '',
    pullSecrets: objectsAt(pod, 'imagePullSecrets').flatMap(({ name }) => (typeof name === 'string' ? [name] : [])),
  };
}
