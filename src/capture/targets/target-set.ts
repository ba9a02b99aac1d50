import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { targetKind } from '../kinds/index.ts';
import { type FoundNode, type Resolution, type ResolveContext, together } from '../kinds/kind.ts';
import { Discovery } from '../kube/discovery.ts';
import type { Kube } from '../kube/kube.ts';
import type { FollowedTargets, FoundPod, TargetEvent } from './followed-targets.ts';
import { Owners } from './owners.ts';
import { findSelected, type TargetQuery, wanted } from './target-find.ts';
import { TargetFollower } from './target-follower.ts';
import { isCapturable, selectedPods } from './target-pods.ts';
import { isPattern, type TargetRef } from './target-words.ts';

/** What the user's words stand for, with what was not found. */
export interface TargetSet extends FollowedTargets {
  readonly refused: readonly { readonly label: string; readonly error: KsnoopError }[];
  /** Objects that are there and have no pods now; some may come. */
  readonly waiting: readonly { readonly label: string; readonly error: KsnoopError }[];
  /** What the user should know: endpoints that are no pods, a controller that was not found. */
  readonly notes: readonly string[];
  readonly owners: Owners;
}

/** What one word stands for, or why it stands for nothing. */
export interface Answer {
  readonly ref: TargetRef;
  readonly selected: Resolution | undefined;
  readonly error: KsnoopError | undefined;
}

/**
 * Find everything that was asked for. Never rejects for a single word's sake.
 * @param maximum how many targets are allowed at once
 * @throws KsnoopError TOO_MANY_TARGETS (exit 2)
 */
export async function findTargetSet(
  kube: Kube,
  query: TargetQuery,
  maximum: number,
  signal: AbortSignal,
): Promise<TargetSet> {
  const discovery = new Discovery(kube);
  const owners = new Owners(kube, discovery, signal);
  const ask = (until: AbortSignal) => answers(query, { kube, discovery, signal: until, sides: query.sides });
  const first = await ask(signal);
  const pods = new Map<string, FoundPod>();
  const nodes = new Map<string, FoundNode>();
  const refused: { label: string; error: KsnoopError }[] = [];
  const waiting: { label: string; error: KsnoopError }[] = [];
  await Promise.all(
    first.map(async ({ ref, selected, error }) => {
      if (error !== undefined) refused.push({ label: labelOf(ref, query), error });
      if (selected === undefined) return;
      try {
        const found = await selectedPods(kube, selected.pods, owners, signal);
        const usable = [...found.values()].filter(({ pod, selection }) => selection.named || isCapturable(pod));
        for (const { pod, via } of usable) if (!pods.has(pod.uid)) pods.set(pod.uid, { pod, via });
        for (const node of selected.nodes ?? []) nodes.set(node.uid, node);
        if (usable.length > 0 || (selected.nodes ?? []).length > 0) return;
        // No pod fits a pattern or a selector: that is a slip more often than a wish to wait.
        const list = targetKind(ref.kind)?.name === 'pod' ? refused : waiting;
        list.push({ label: labelOf(ref, query), error: noPods(ref, query, found.size) });
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        refused.push({ label: labelOf(ref, query), error: thrown });
      }
    }),
  );
  const initial = { pods: [...pods.values()], nodes: [...nodes.values()] };
  checkBound(initial.pods.length + initial.nodes.length, maximum);
  const { notes, pods: selections = [], depends = [] } = together(first.flatMap(({ selected }) => selected ?? []));
  return {
    initial,
    refused,
    waiting,
    notes: [...(notes ?? []), ...owners.unread],
    owners,
    growing: depends.length > 0 || selections.some(({ final }) => final !== true),
    follow: (emit: (event: TargetEvent) => void, until: AbortSignal) =>
      new TargetFollower(kube, discovery, { first, initial, ask, maximum }, emit, until).run(),
  };
}

/** What every word stands for. */
async function answers(query: TargetQuery, asking: ResolveContext): Promise<Answer[]> {
  return Promise.all(
    query.refs.map(async (ref): Promise<Answer> => {
      try {
        return { ref, selected: onNodes(await findSelected(ref, query, asking), query.nodes), error: undefined };
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        return { ref, selected: undefined, error: thrown };
      }
    }),
  );
}

function onNodes(selected: Resolution, nodes: readonly string[]): Resolution {
  if (nodes.length === 0) return selected;
  return {
    ...selected,
    pods: selected.pods.map((selection) => ({ ...selection, nodes })),
    nodes: (selected.nodes ?? []).filter(({ name }) => nodes.includes(name)),
  };
}

/** How a word is called in the summary. */
function labelOf(ref: TargetRef, query: TargetQuery): string {
  const place = query.namespaces?.length === 1 ? `${query.namespaces[0]}/` : '';
  return targetKind(ref.kind)?.name === 'pod' ? `${place}${ref.name}` : `${place}${ref.kind}/${ref.name}`;
}

function noPods(ref: TargetRef, query: TargetQuery, ended: number): KsnoopError {
  const where = query.namespaces === undefined ? ' in any namespace' : ` in namespace ${query.namespaces.join(' or ')}`;
  const on = query.nodes.length === 0 ? '' : ` on node ${query.nodes.join(' or ')}`;
  const kind = targetKind(ref.kind)?.name ?? ref.kind;
  const refuse = (message: string, hint: string) => new KsnoopError('NO_PODS', message, { hint, exit: EXIT.noTarget });
  const gone = ended === 1 ? 'One of its pods has ended or waits' : `${ended} of its pods have ended or wait`;
  if (kind === 'pod') {
    const place = query.namespaces === undefined ? '-A' : `-n ${query.namespaces[0]}`;
    const labels = query.labelSelector === undefined ? '' : ` -l ${query.labelSelector}`;
    return refuse(
      `No pod${where}${on} matches ${wanted(ref, query)}.`,
      `Look with kubectl get pods ${place}${labels}.`,
    );
  }
  const which = isPattern(ref.name)
    ? `What ${kind}/${ref.name} matches${where} has`
    : `${kind}/${ref.name}${where} has`;
  return refuse(
    `${which} no pods${on}.`,
    ended > 0 ? `${gone} for a node.` : 'Is it scaled to 0, or its selector wrong?',
  );
}

function checkBound(found: number, maximum: number): void {
  if (found <= maximum) return;
  throw new KsnoopError(
    'TOO_MANY_TARGETS',
    `${found} targets were found, and ${maximum} at most are captured at once.`,
    {
      hint: `Say --max-targets ${found} if you mean it, or choose fewer with -l, --node or a narrower name.`,
      exit: EXIT.usage,
    },
  );
}
