import { setTimeout as sleep } from 'node:timers/promises';
import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt } from '../../wire/guard.ts';
import { AGENT_NAMESPACE, AGENT_SELECTOR } from '../agent-objects.ts';
import { apply, find, list, remove } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';
import { GONE_TIMEOUT_MS, POLL_MS } from './limits.ts';
import { nameOf } from './manifests.ts';
import { type AppliedKind, FIELD_MANAGER, KINDS, OWN_SELECTOR } from './objects.ts';

export interface UninstallOptions {
  readonly kube: Kube;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Remove what `install` applied, found by its labels, and wait until it is gone. An absent installation is not an error. A
 * namespace that existed before the installation stays, without the labels that ksnoop gave it.
 * @param progress receives a line per object and while waiting
 * @returns the names of what was removed, `DaemonSet ksnoop/ksnoop-agent`
 * @throws KsnoopError STILL_THERE with the names of what was not removed, and as api.ts does
 */
export async function uninstall(options: UninstallOptions, progress: (line: string) => void): Promise<string[]> {
  const { kube, signal } = options;
  const removed: { kind: AppliedKind; object: JsonObject }[] = [];
  for (const kind of [...KINDS].reverse()) {
    for (const object of await ownObjects(kube, kind, signal)) {
      await remove(kube, pathIn(kind, object), signal);
      removed.push({ kind, object });
      progress(`removing ${words(kind, object)}`);
    }
  }
  await releaseNamespace(kube, signal);
  await untilGone(options, removed, progress);
  return removed.map(({ kind, object }) => words(kind, object));
}

async function ownObjects(
  kube: Kube,
  kind: AppliedKind,
  signal: AbortSignal | undefined,
): Promise<readonly JsonObject[]> {
  const path = resourcePath(kind.api, kind.namespaced ? AGENT_NAMESPACE : undefined, kind.plural);
  try {
    return (await list(kube, path, { labelSelector: OWN_SELECTOR }, signal)).items;
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
    // A cluster without the kind has no object of it. What the user may not list, install cannot have created for them;
    // only for the namespace and the DaemonSet this is an error.
    const isNeeded = kind.kind === 'Namespace' || kind.kind === 'DaemonSet';
    if (thrown.code === 'NOT_FOUND' || (thrown.code === 'FORBIDDEN' && !isNeeded)) return [];
    throw thrown;
  }
}

/** Give up the fields of a namespace that is not ours: applying none of them removes those only we own. */
async function releaseNamespace(kube: Kube, signal: AbortSignal | undefined): Promise<void> {
  const path = resourcePath('v1', undefined, 'namespaces', AGENT_NAMESPACE);
  const namespace = await find(kube, path, signal);
  const metadata = namespace === undefined ? {} : objectAt(namespace, 'metadata');
  const managers = Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
  if (metadata.deletionTimestamp !== undefined || !managers.some((entry) => entry?.manager === FIELD_MANAGER)) return;
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: AGENT_NAMESPACE } };
  await apply(kube, { path, object, manager: FIELD_MANAGER, signal });
}

async function untilGone(
  { kube, timeoutMs = GONE_TIMEOUT_MS, signal }: UninstallOptions,
  removed: readonly { kind: AppliedKind; object: JsonObject }[],
  progress: (line: string) => void,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const left = new Map(removed.map((entry) => [words(entry.kind, entry.object), entry]));
  for (let last = ''; ; ) {
    for (const [name, { kind, object }] of left) {
      const present = await find(kube, pathIn(kind, object), signal);
      if (present === undefined || objectAt(present, 'metadata').uid !== objectAt(object, 'metadata').uid)
        left.delete(name);
    }
    const pods = await list(
      kube,
      resourcePath('v1', AGENT_NAMESPACE, 'pods'),
      { labelSelector: AGENT_SELECTOR },
      signal,
    );
    const names = [...left.keys(), ...pods.items.map((pod) => nameOf({ kind: 'Pod', ...pod }))];
    if (names.length === 0) return;
    const line = `waiting for ${names.join(', ')} to go`;
    if (line !== last) progress(line);
    last = line;
    if (Date.now() > deadline) {
      throw new KsnoopError('STILL_THERE', `After ${timeoutMs / 1000} s these still exist: ${names.join(', ')}.`, {
        hint: 'Run ksnoop uninstall again to wait longer; kubectl describe shows what blocks them.',
      });
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

function pathIn(kind: AppliedKind, object: JsonObject): string {
  const { namespace, name } = objectAt(object, 'metadata');
  return resourcePath(kind.api, kind.namespaced ? String(namespace) : undefined, kind.plural, String(name));
}

/** Objects in a list have no `kind`. */
function words(kind: AppliedKind, object: JsonObject): string {
  return nameOf({ kind: kind.kind, metadata: objectAt(object, 'metadata') });
}
