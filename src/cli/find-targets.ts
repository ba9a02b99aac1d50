import { planCluster } from '../capture/cluster-plan.ts';
import { loadKube } from '../capture/kube/config.ts';
import { neighbourNames, podNames } from '../capture/names.ts';
import { parseTargets } from '../capture/target-words.ts';
import type { CaptureConfig } from './capture-options.ts';
import { isSelecting, targetQuery } from './target-options.ts';
import type { Voice } from './voice.ts';

/** Ask the cluster for the targets named. @throws KsnoopError as config.ts, kinds/ and the API server have it */
export async function findTargets(config: CaptureConfig, say: Voice, signal: AbortSignal) {
  const { kubeconfig, context } = config;
  const refs = parseTargets(config.targets, isSelecting(config));
  const kube = await loadKube({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) });
  const query = targetQuery(config, refs, kube.namespace);
  const { container, maxTargets: maximum, follow } = config;
  const plan = await planCluster(kube, query, { container, maximum, follow }, signal);
  for (const warning of plan.warnings) say.tell(warning);
  if (container !== undefined) {
    say.tell(`containers of a pod share its network: -c ${container} filters by the ports it declares.`);
  }
  return {
    plans: plan.plans,
    labels: plan.labels,
    refused: plan.refused,
    growing: plan.growing,
    follow: plan.follow,
    names: podNames(plan.pods),
    laterNames: (until: AbortSignal) =>
      neighbourNames(
        kube,
        plan.pods.map((pod) => pod.namespace),
        until,
      ),
    close: () => kube.close(),
  };
}
