import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt } from '../../wire/guard.ts';
import { AGENT_NAMESPACE, OBSERVE_NAME } from '../agent-objects.ts';
import type { ObjectApi } from '../kube/object-api.ts';
import { type AppliedKind, OWN_SELECTOR } from './objects.ts';

/** What of the installed objects is looked for. */
export interface Search {
  /** Further labels that they have, `app.kubernetes.io/name=ksnoop-observe`. */
  readonly label?: string;
  /** Namespaces besides the agents' that may have some, where the user may not look in all. */
  readonly namespaces: readonly string[];
}

/** Objects of a kind that `install` applied, found by their labels. @throws KsnoopError as ObjectApi does */
export async function ownObjects(api: ObjectApi, kind: AppliedKind, search: Search): Promise<JsonObject[]> {
  const labelSelector = search.label === undefined ? OWN_SELECTOR : `${OWN_SELECTOR},${search.label}`;
  const list = (namespace: string | undefined) =>
    api.list({ apiVersion: kind.api, kind: kind.kind }, namespace, { labelSelector });
  const objects = await permitted(kind, () => list(kind.namespaced ? AGENT_NAMESPACE : undefined));
  // Only an observation has objects in other namespaces: those of its targets.
  if (kind.kind === 'Role' || kind.kind === 'RoleBinding') objects.push(...(await inNamespaces(kind, list, search)));
  // Objects in a list have no `kind`.
  return objects.map((object) => ({ ...object, apiVersion: kind.api, kind: kind.kind }));
}

async function inNamespaces(
  kind: AppliedKind,
  list: (namespace: string | undefined) => Promise<JsonObject[]>,
  { namespaces }: Search,
): Promise<JsonObject[]> {
  let found: JsonObject[];
  try {
    found = await list(undefined);
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError) || thrown.code !== 'FORBIDDEN') throw thrown;
    found = (await Promise.all(namespaces.map((namespace) => permitted(kind, () => list(namespace))))).flat();
  }
  return found.filter((object) => {
    const { namespace, name } = objectAt(object, 'metadata');
    return namespace !== AGENT_NAMESPACE && name === OBSERVE_NAME;
  });
}

async function permitted({ kind }: AppliedKind, list: () => Promise<JsonObject[]>): Promise<JsonObject[]> {
  try {
    return await list();
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
    // A cluster without the kind has no object of it. What the user may not list, install cannot have created for them;
    // only for the namespace and the DaemonSet this is an error.
    const isNeeded = kind === 'Namespace' || kind === 'DaemonSet';
    if (thrown.code === 'NOT_FOUND' || (thrown.code === 'FORBIDDEN' && !isNeeded)) return [];
    throw thrown;
  }
}
