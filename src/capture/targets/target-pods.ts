import { isAgentPod } from '../agent-objects.ts';
import { fits, isLocal, type PodSelection, serverSide } from '../kinds/pod-selection.ts';
import { list, type Selectors } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { QUERIES_PER_NAMESPACE } from '../limits.ts';
import type { FoundPod } from './followed-targets.ts';
import type { Owners } from './owners.ts';

/** One list or watch of pods, and everything selected by it. */
export interface PodQuery extends Selectors {
  /** Equal for queries that mean the same. */
  readonly key: string;
  readonly path: string;
  readonly selections: readonly PodSelection[];
}

/**
 * Put selections that the API server can answer with one list or watch together; where a namespace has many, all of its
 * pods are listed at once.
 */
export function podQueries(selections: readonly PodSelection[]): PodQuery[] {
  const inPlace = new Map<string | undefined, number>();
  for (const { namespace } of selections) inPlace.set(namespace, (inPlace.get(namespace) ?? 0) + 1);
  const groups = new Map<string, { path: string; selectors: Selectors; selections: PodSelection[] }>();
  for (const selection of selections) {
    const path = resourcePath('v1', selection.namespace, 'pods');
    const many = (inPlace.get(selection.namespace) ?? 0) > QUERIES_PER_NAMESPACE;
    const selectors = many && isLocal(selection) ? {} : serverSide(selection);
    const address = JSON.stringify([path, selectors]);
    const group = groups.get(address) ?? { path, selectors, selections: [] };
    groups.set(address, group);
    group.selections.push(selection);
  }
  return [...groups.values()].map(({ path, selectors, selections }) => {
    const meant = selections.map((selection) => ({ ...selection, known: undefined }));
    return { key: JSON.stringify([path, selectors, meant]), path, ...selectors, selections };
  });
}

/**
 * Whether a query's pod is a target.
 * @returns the selection that takes it, or undefined. A pod whose owners cannot be read is taken where its labels are
 * enough.
 */
export async function selectedBy(query: PodQuery, pod: PodView, owners: Owners): Promise<PodSelection | undefined> {
  for (const selection of query.selections) {
    if (!fits(selection, pod)) continue;
    if (selection.owner === undefined) return selection;
    const descends = await owners.descends(pod, selection.owner);
    if (descends ?? (selection.labels !== undefined && selection.broad !== true)) return selection;
  }
  return undefined;
}

/** A pod found, and how; `named` when the user named it itself. */
export interface SelectedPod extends FoundPod {
  readonly selection: PodSelection;
}

/** The pods of all selections as they are now, each once, by UID. */
export async function selectedPods(
  kube: Kube,
  selections: readonly PodSelection[],
  owners: Owners,
  signal: AbortSignal,
): Promise<Map<string, SelectedPod>> {
  const parts = await Promise.all(
    podQueries(selections).map(async (query): Promise<SelectedPod[]> => {
      const known = query.selections.every((selection) => selection.known !== undefined)
        ? query.selections.flatMap((selection) => selection.known ?? [])
        : (await list(kube, query.path, query, signal)).items.map(podView);
      const found = await Promise.all(
        known.map(async (pod) => {
          const selection = await selectedBy(query, pod, owners);
          return selection === undefined ? [] : [{ pod, via: selection.via, selection }];
        }),
      );
      return found.flat();
    }),
  );
  return new Map(parts.flat().map((found) => [found.pod.uid, found]));
}

/**
 * Whether the pod has, or soon has, a network namespace: not before it has a node, not after it has ended. An agent captures
 * any but its own.
 */
export function isCapturable(pod: PodView): boolean {
  return !isAgentPod(pod) && pod.nodeName !== '' && pod.phase !== 'Succeeded' && pod.phase !== 'Failed';
}
