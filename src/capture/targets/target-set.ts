import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { Gate } from '../../wire/gate.ts';
import { isAgentPod } from '../agent-objects.ts';
import { targetKind } from '../kinds/index.ts';
import { type FoundNode, type Resolution, type ResolveContext, together } from '../kinds/kind.ts';
import { Discovery } from '../kube/discovery.ts';
import type { Kube } from '../kube/kube.ts';
import type { PodView } from '../kube/pod.ts';
import type { FollowedTargets, FoundPod, TargetEvent } from './followed-targets.ts';
import { Owners } from './owners.ts';
import { resolveRef, type TargetQuery, wanted } from './target-find.ts';
import { TargetFollower } from './target-follower.ts';
import { isCapturable, selectedPods } from './target-pods.ts';
import { isPattern, type TargetRef } from './target-words.ts';

/** What the user's target references resolve to, with what was not found. */
export interface TargetSet extends FollowedTargets {
  readonly refused: readonly { readonly label: string; readonly error: KsnoopError }[];
  /** Objects that exist and have no pods now; pods may start later. */
  readonly waiting: readonly { readonly label: string; readonly error: KsnoopError }[];
  /** Notes for the user: endpoints that are not pods, a controller that was not found. */
  readonly notes: readonly string[];
  readonly owners: Owners;
}

export interface TargetBounds {
  /** How many targets are allowed at once. */
  readonly maximum: number;
  /** While they are followed they are looked up again after changes, no more often than this, milliseconds. */
  readonly againMs?: number;
  /** References that are looked up at a time; left out: all, which may take a connection each. */
  readonly atOnce?: number;
  /** What is kept of a pod while it is followed; left out: all of its view, which its owner may make as large as the API server takes it. */
  readonly kept?: (pod: PodView) => PodView;
}

/** What one reference resolves to, or why it resolves to nothing. */
export interface ResolvedRef {
  readonly ref: TargetRef;
  readonly resolution: Resolution | undefined;
  readonly error: KsnoopError | undefined;
}

/**
 * Find all targets. Never rejects because of a single reference.
 * @throws KsnoopError TOO_MANY_TARGETS (exit 2)
 */
export async function findTargetSet(
  kube: Kube,
  query: TargetQuery,
  { maximum, againMs = 0, atOnce = query.refs.length, kept = (pod) => pod }: TargetBounds,
  signal: AbortSignal,
): Promise<TargetSet> {
  const discovery = new Discovery(kube);
  const owners = new Owners(kube, discovery, signal);
  const { sides } = query;
  const crossNamespaces = query.crossNamespaces === true || query.namespaces === undefined;
  const gate = new Gate(atOnce);
  const resolve = (until: AbortSignal) =>
    resolveAll(query, { kube, discovery, signal: until, sides, crossNamespaces }, gate);
  const first = await resolve(signal);
  const pods = new Map<string, FoundPod>();
  const nodes = new Map<string, FoundNode>();
  const agents = new Set<string>();
  const refused: { label: string; error: KsnoopError }[] = [];
  const waiting: { label: string; error: KsnoopError }[] = [];
  await Promise.all(
    first.map(async ({ ref, resolution, error }) => {
      if (error !== undefined) refused.push({ label: labelOf(ref, query), error });
      if (resolution === undefined) return;
      try {
        const found = await selectedPods(kube, resolution.pods, owners, signal);
        const usable = [...found.values()].filter(({ pod, selection }) => selection.named || isCapturable(pod));
        const skipped = [...found.values()].filter(({ pod, selection }) => !selection.named && isAgentPod(pod));
        for (const { pod } of skipped) agents.add(pod.uid);
        for (const { pod, via } of usable) if (!pods.has(pod.uid)) pods.set(pod.uid, { pod: kept(pod), via });
        for (const node of resolution.nodes ?? []) nodes.set(node.uid, node);
        if (usable.length > 0 || (resolution.nodes ?? []).length > 0) return;
        if (skipped.length > 0) {
          refused.push({ label: labelOf(ref, query), error: onlyAgents(labelOf(ref, query)) });
          return;
        }
        // A pattern or selector that matches no pod is more often a mistake than a wish to wait.
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
  const { notes, pods: selections = [], depends = [] } = together(first.flatMap(({ resolution }) => resolution ?? []));
  const followed = first.map(withoutPods);
  const resolveAgain = async (until: AbortSignal) => (await resolve(until)).map(withoutPods);
  return {
    initial,
    refused,
    waiting,
    notes: [...(notes ?? []), ...owners.unread, ...agentsNote(agents.size)],
    owners,
    growing: depends.length > 0 || selections.some(({ final }) => final !== true),
    follow: (emit: (event: TargetEvent) => void, until: AbortSignal) =>
      new TargetFollower(
        { kube, discovery, first: followed, initial, resolve: resolveAgain, maximum, againMs },
        emit,
        until,
      ).run(),
  };
}

/** Of a reference that is followed its watch has the pods. */
function withoutPods(ref: ResolvedRef): ResolvedRef {
  if (ref.resolution === undefined) return ref;
  const pods = ref.resolution.pods.map(({ known: _known, ...selection }) => selection);
  return { ...ref, resolution: { ...ref.resolution, pods } };
}

function onlyAgents(label: string): KsnoopError {
  return new KsnoopError('NO_PODS', `${label} has no pods but ksnoop agents, and an agent does not capture itself.`, {
    hint: 'Capture the pods that you want to look at: ksnoop help targets',
    exit: EXIT.noTarget,
  });
}

/** @param count agents among the pods found */
function agentsNote(count: number): string[] {
  if (count === 0) return [];
  return [`the ksnoop agents (${count === 1 ? '1 pod' : `${count} pods`}) are not captured: they carry the captures.`];
}

async function resolveAll(query: TargetQuery, context: ResolveContext, gate: Gate): Promise<ResolvedRef[]> {
  return Promise.all(
    query.refs.map(async (ref): Promise<ResolvedRef> => {
      try {
        const found = await gate.run(() => resolveRef(ref, queryOf(ref, query), context));
        return { ref, resolution: onNodes(found, query.nodes), error: undefined };
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        return { ref, resolution: undefined, error: thrown };
      }
    }),
  );
}

/** A reference that has its place is searched there alone. */
function queryOf(ref: TargetRef, query: TargetQuery): TargetQuery {
  if (ref.namespace === undefined) return query;
  return { ...query, namespaces: [ref.namespace], labelSelector: undefined, fieldSelector: undefined };
}

function onNodes(resolution: Resolution, nodes: readonly string[]): Resolution {
  if (nodes.length === 0) return resolution;
  return {
    ...resolution,
    pods: resolution.pods.map((selection) => ({ ...selection, nodes })),
    nodes: (resolution.nodes ?? []).filter(({ name }) => nodes.includes(name)),
  };
}

/** A reference's name in the summary. */
function labelOf(ref: TargetRef, whole: TargetQuery): string {
  const query = queryOf(ref, whole);
  const place = query.namespaces?.length === 1 ? `${query.namespaces[0]}/` : '';
  return targetKind(ref.kind)?.name === 'pod' ? `${place}${ref.name}` : `${place}${ref.kind}/${ref.name}`;
}

function noPods(ref: TargetRef, whole: TargetQuery, ended: number): KsnoopError {
  const query = queryOf(ref, whole);
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
      hint: `Add --max-targets ${found} to capture them all, or choose fewer with -l, --node or a narrower name.`,
      exit: EXIT.usage,
    },
  );
}
