import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, stringsAt } from '../../wire/guard.ts';
import { AGENT_DAEMONSET, AGENT_NAMESPACE, AGENT_SELECTOR } from '../agent-objects.ts';
import type { Kube } from '../kube/kube.ts';
import { ObjectApi } from '../kube/object-api.ts';
import { GONE_TIMEOUT_MS } from './limits.ts';
import { nameOf } from './manifests.ts';
import { addressed, FIELD_MANAGER, KINDS, OWN_LABELS } from './objects.ts';
import { OBSERVE_LABEL, presentObservation } from './observe/installed.ts';
import { ownObjects, type Search } from './own-objects.ts';
import { nextPoll } from './poll.ts';

export interface UninstallOptions {
  readonly kube: Kube;
  readonly timeoutMs?: number;
  /** Remove the observation alone (`install --observe`). */
  readonly observeOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Remove what `install` applied, found by its labels, and wait until it is gone. An absent installation is not an error. A
 * namespace that existed before the installation stays, without the labels that ksnoop gave it.
 * @param progress receives a line per object and while waiting
 * @returns the names of what was removed, `DaemonSet ksnoop/ksnoop-agent`
 * @throws KsnoopError INSTALLED_OTHERWISE where the agents are not of `install`: nothing is removed then; STILL_THERE with the names of
 * what was not removed; and as ObjectApi does
 */
export async function uninstall(options: UninstallOptions, progress: (line: string) => void): Promise<string[]> {
  const { kube, signal } = options;
  const api = new ObjectApi(kube, signal);
  if (options.observeOnly !== true) await refuseOthers(api);
  const removed: JsonObject[] = [];
  const search = await searchFor(api, options.observeOnly === true);
  for (const kind of [...KINDS].reverse()) {
    for (const object of await ownObjects(api, kind, search)) {
      await api.remove(addressed(object));
      removed.push(object);
      progress(`removing ${nameOf(object)}`);
    }
  }
  if (options.observeOnly !== true) await releaseNamespace(api);
  await untilGone(api, options, removed, progress);
  return removed.map(nameOf);
}

/** Agents that Helm or kubectl has applied are not removed: the next run of either would miss them. */
async function refuseOthers(api: ObjectApi): Promise<void> {
  const metadata = { name: AGENT_DAEMONSET, namespace: AGENT_NAMESPACE };
  const found = objectAt((await api.find({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata })) ?? {}, 'metadata');
  const labels = stringsAt(found, 'labels');
  if (found.name === undefined || Object.entries(OWN_LABELS).every(([label, value]) => labels[label] === value)) return;
  const annotations = stringsAt(found, 'annotations');
  const release = annotations['meta.helm.sh/release-name'];
  const namespace = annotations['meta.helm.sh/release-namespace'] ?? 'default';
  throw new KsnoopError(
    'INSTALLED_OTHERWISE',
    `The agents were not installed by ksnoop install${release === undefined ? '' : ', but by Helm'}: nothing was removed.`,
    {
      hint:
        release === undefined
          ? 'Remove them as they were applied, for example: kubectl delete -k daemonset/base'
          : `To remove them: helm uninstall ${release} -n ${namespace}`,
    },
  );
}

/** Which objects are looked for, and where besides the agents' namespace: where the Deployment says that its targets are. */
async function searchFor(api: ObjectApi, observeOnly: boolean): Promise<Search> {
  // Without it, or when it cannot be read, all namespaces are searched all the same.
  const observation = await presentObservation(api).catch((thrown: unknown) => {
    if (thrown instanceof KsnoopError && thrown.code !== 'INTERRUPTED') return undefined;
    throw thrown;
  });
  const namespaces = observation?.namespaces ?? [];
  return { namespaces, ...(observeOnly && { label: OBSERVE_LABEL }) };
}

/** Give up the fields of a namespace that is not ours: applying none of them removes those only we own. */
async function releaseNamespace(api: ObjectApi): Promise<void> {
  const bare = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: AGENT_NAMESPACE } };
  const namespace = await api.find(bare);
  const metadata = namespace === undefined ? {} : objectAt(namespace, 'metadata');
  const managers = Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
  if (metadata.deletionTimestamp !== undefined || !managers.some((entry) => entry?.manager === FIELD_MANAGER)) return;
  await api.apply(bare, FIELD_MANAGER);
}

async function untilGone(
  api: ObjectApi,
  { timeoutMs = GONE_TIMEOUT_MS, signal, observeOnly = false }: UninstallOptions,
  removed: readonly JsonObject[],
  progress: (line: string) => void,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const left = new Map(removed.map((object) => [nameOf(object), object]));
  for (let last = ''; ; ) {
    for (const [name, object] of left) {
      const present = await api.find(addressed(object));
      if (present === undefined || objectAt(present, 'metadata').uid !== objectAt(object, 'metadata').uid)
        left.delete(name);
    }
    const labelSelector = observeOnly ? OBSERVE_LABEL : AGENT_SELECTOR;
    const pods = await api.list({ apiVersion: 'v1', kind: 'Pod' }, AGENT_NAMESPACE, { labelSelector });
    const names = [...left.keys(), ...pods.map((pod) => nameOf({ kind: 'Pod', ...pod }))];
    if (names.length === 0) return;
    const line = `waiting for ${names.join(', ')} to go`;
    if (line !== last) progress(line);
    last = line;
    if (Date.now() > deadline) {
      throw new KsnoopError('STILL_THERE', `After ${timeoutMs / 1000} s these still exist: ${names.join(', ')}.`, {
        hint: 'Run ksnoop uninstall again to wait longer; kubectl describe shows what blocks them.',
      });
    }
    await nextPoll(signal);
  }
}
