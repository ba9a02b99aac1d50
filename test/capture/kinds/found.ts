import { loadKube } from '../../../src/capture/kube/config.ts';
import type { TargetQuery } from '../../../src/capture/targets/target-find.ts';
import { findTargetSet, type TargetBounds, type TargetSet } from '../../../src/capture/targets/target-set.ts';
import { parseTargets } from '../../../src/capture/targets/target-words.ts';
import type { ObjectServer } from '../../support/object-server.ts';

/** Find targets on a server of the test's own, as the command line would. */
export async function targetSet(
  server: ObjectServer,
  words: readonly string[],
  options: Partial<TargetQuery> & Partial<TargetBounds> = {},
): Promise<TargetSet> {
  const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  const { maximum = 100, againMs = 0, ...narrowing } = options;
  const selecting = Object.keys(narrowing).length > 0;
  const query: TargetQuery = {
    refs: parseTargets(words, selecting),
    namespaces: ['shop'],
    nodes: [],
    sides: { backends: true, controller: true },
    ...narrowing,
  };
  return findTargetSet(kube, query, { maximum, againMs }, new AbortController().signal);
}

/** What was found, in words: each pod with what led to it, then nodes, then what was refused. */
export async function found(...args: Parameters<typeof targetSet>): Promise<string[]> {
  const { initial, refused } = await targetSet(...args);
  return [
    ...initial.pods.map(({ pod, via }) => [...via, pod.name].join(' > ')).sort(),
    ...initial.nodes.map(({ name }) => `node/${name}`).sort(),
    ...refused.map(({ error }) => error.code),
  ];
}
