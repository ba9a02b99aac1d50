import { loadKube } from '../../capture/kube/config.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { tellNames } from '../../capture/names/live-names.ts';
import { podNames } from '../../capture/names/names.ts';
import { planCluster } from '../../capture/plan/cluster-plan.ts';
import type { TargetQuery } from '../../capture/targets/target-find.ts';
import { parseTargets } from '../../capture/targets/target-words.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { Logger } from '../logger.ts';
import type { CaptureConfig } from './options.ts';
import { askOnTerminal, pickTargets } from './pick-target.ts';
import { isSelecting, targetQuery } from './target-options.ts';

/**
 * Read the words and connect; without any words the user is asked which of the namespace's objects are meant.
 * @throws KsnoopError BAD_TARGET (exit 2), and as config.ts and pick-target.ts have it
 */
export async function openQuery(
  config: CaptureConfig,
  signal: AbortSignal,
): Promise<{ kube: Kube; query: TargetQuery }> {
  const { kubeconfig, context } = config;
  const typed = parseTargets(config.targets, isSelecting(config));
  const kube = await loadKube({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) });
  const query = targetQuery(config, typed, kube.namespace);
  if (typed.length > 0) return { kube, query };
  const [namespace = kube.namespace] = query.namespaces ?? [];
  const words = await pickTargets(kube, namespace, signal, (text) => askOnTerminal(text, signal));
  return { kube, query: { ...query, namespaces: [namespace], refs: parseTargets(words, false) } };
}

/** Ask the cluster for the targets named. @throws KsnoopError as openQuery, kinds/ and the API server have it */
export async function findTargets(config: CaptureConfig, log: Logger, signal: AbortSignal) {
  const { kube, query } = await openQuery(config, signal);
  const { container, maxTargets: maximum, follow, wholeNode, wish, clients } = config;
  const plan = await planCluster(kube, query, { container, maximum, follow, wholeNode, wish, clients }, signal);
  for (const warning of plan.warnings) log.warn(warning);
  if (container !== undefined) {
    log.warn(`containers of a pod share its network: -c ${container} filters by the ports it declares.`);
  }
  return {
    plans: plan.plans,
    labels: plan.labels,
    refused: plan.refused,
    waiting: plan.waiting,
    growing: plan.growing,
    leaveOut: plan.leaveOut,
    follow: plan.follow,
    seen: plan.seen,
    names: podNames(plan.pods),
    tellNames: async (until: AbortSignal, tell: (names: readonly NamedAddress[]) => void, known: () => void) => {
      const namespaces = plan.pods.map((pod) => pod.namespace);
      await tellNames(kube, namespaces, follow, until, tell, known);
    },
    close: () => kube.close(),
  };
}
