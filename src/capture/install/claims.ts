import { load } from 'js-yaml';
import { KsnoopError } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt, stringsAt } from '../../wire/guard.ts';
import { AGENT_CONTAINER, AGENT_DAEMONSET, AGENT_NAMESPACE } from '../agent-objects.ts';
import type { ObjectApi } from '../kube/object-api.ts';
import {
  type ClaimDestination,
  claimDestination,
  DESTINATIONS_CONFIGMAP,
  VOLUME_SUBPATH,
  VOLUMES_DIRECTORY,
  volumeName,
} from './claim-destination.ts';
import type { Manifest } from './manifests.ts';

/**
 * The claims that are destinations of recordings (ConfigMap ksnoop-destinations, `type: pvc`). Each must be there and be for many nodes: pods that
 * mount a claim of another kind, or none, do not start, and these are the agents of all nodes.
 * @throws KsnoopError BAD_DESTINATION with what to do, and as ObjectApi does
 */
export async function claimsToMount(api: ObjectApi): Promise<ClaimDestination[]> {
  const metadata = { namespace: AGENT_NAMESPACE, name: DESTINATIONS_CONFIGMAP };
  const definitions = await api.find({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
  const found: ClaimDestination[] = [];
  for (const [name, text] of Object.entries(stringsAt(definitions ?? {}, 'data'))) {
    const definition = definitionOf(text);
    if (definition.type !== 'pvc') continue;
    const claim = claimDestination(name, definition);
    if (typeof claim === 'string') throw bad(name, claim);
    await check(api, claim);
    found.push(claim);
  }
  return found;
}

function definitionOf(text: string): JsonObject {
  try {
    const definition: unknown = load(text);
    return isObject(definition) ? definition : {};
  } catch {
    // The controller refuses it by name.
    return {};
  }
}

async function check(api: ObjectApi, { name, claim }: ClaimDestination): Promise<void> {
  const metadata = { namespace: AGENT_NAMESPACE, name: claim };
  const found = await api.find({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata });
  if (found === undefined) throw bad(name, `namespace ${AGENT_NAMESPACE} has no PersistentVolumeClaim ${claim}`);
  const modes = objectAt(found, 'spec').accessModes;
  if (Array.isArray(modes) && modes.includes('ReadWriteMany')) return;
  throw bad(name, `its claim ${claim} is not ReadWriteMany, and the agents of all nodes write to it`);
}

/** The objects, whose agents mount these claims. */
export function withClaims(objects: readonly Manifest[], claims: readonly ClaimDestination[]): Manifest[] {
  if (claims.length === 0) return [...objects];
  return objects.map((object) => {
    if (object.kind !== 'DaemonSet' || objectAt(object, 'metadata').name !== AGENT_DAEMONSET) return object;
    const spec = objectAt(object, 'spec');
    const template = objectAt(spec, 'template');
    const pod = objectAt(template, 'spec');
    const containers = objectsAt(pod, 'containers').map((item) =>
      item.name === AGENT_CONTAINER ? mounting(item, claims) : item,
    );
    const own = claims.map(({ name, claim }) => ({
      name: volumeName(name),
      persistentVolumeClaim: { claimName: claim },
    }));
    const changed = { ...pod, containers, volumes: [...objectsAt(pod, 'volumes'), ...own] };
    return { ...object, spec: { ...spec, template: { ...template, spec: changed } } };
  });
}

function mounting(container: JsonObject, claims: readonly ClaimDestination[]): JsonObject {
  const own = claims.map(({ name }) => ({
    name: volumeName(name),
    mountPath: `${VOLUMES_DIRECTORY}/${name}`,
    subPath: VOLUME_SUBPATH,
  }));
  return {
    ...container,
    env: [...objectsAt(container, 'env'), { name: 'KSNOOP_VOLUMES', value: VOLUMES_DIRECTORY }],
    volumeMounts: [...objectsAt(container, 'volumeMounts'), ...own],
  };
}

function bad(name: string, why: string): KsnoopError {
  return new KsnoopError(
    'BAD_DESTINATION',
    `The destination ${name} of recordings cannot be used: ${why}. Nothing was changed.`,
    {
      hint: `Correct it: kubectl edit configmap -n ${AGENT_NAMESPACE} ${DESTINATIONS_CONFIGMAP} (docs/recordings.md)`,
    },
  );
}
