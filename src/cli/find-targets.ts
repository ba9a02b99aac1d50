import { planCluster } from '../capture/cluster-plan.ts';
import { TARGET_KINDS, targetKind } from '../capture/kinds/index.ts';
import { loadKube } from '../capture/kube/config.ts';
import { neighbourNames, podNames } from '../capture/names.ts';
import { parseTargets, podLabel } from '../capture/target.ts';
import type { CaptureConfig } from './capture-options.ts';
import type { Voice } from './voice.ts';

/** Ask the cluster for the targets named. @throws KsnoopError as config.ts, kinds/ and the API server have it */
export async function findTargets(config: CaptureConfig, say: Voice, signal: AbortSignal) {
  const { kubeconfig, context } = config;
  const kindNames = TARGET_KINDS.map(({ name }) => name);
  const refs = parseTargets(config.targets, (word) => targetKind(word)?.name, kindNames);
  const kube = await loadKube({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) });
  const namespace = config.namespace ?? kube.namespace;
  const plan = await planCluster(kube, refs, { namespace, container: config.container }, signal);
  for (const warning of plan.warnings) say.tell(warning);
  if (config.container !== undefined) {
    say.tell(`containers of a pod share its network: -c ${config.container} filters by the ports it declares.`);
  }
  return {
    plans: plan.plans,
    labels: new Map(plan.pods.map((pod) => [pod.uid, podLabel(pod)])),
    refused: plan.refused,
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
