import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dump, load } from 'js-yaml';
import { objectAt, objectsAt, requireObject } from '../../src/wire/guard.ts';
import { down } from '../cluster/down.ts';
import { layoutOf } from '../cluster/layout.ts';
import { locked } from '../cluster/lock.ts';
import { clusterBeside, type TestCluster } from './cluster.ts';
import { ensureAgent, ensureShop } from './shop.ts';

export interface SecondCluster {
  readonly on: TestCluster;
  /** Takes it down, unless it was up before. */
  end(): Promise<void>;
}

/**
 * Another cluster of our own, named as the first with a 2, with the same node, pod and Service addresses. It has the
 * shop and the agents of this build.
 */
export async function secondCluster(): Promise<SecondCluster> {
  const layout = layoutOf(`${layoutOf().name}2`);
  const stoodBefore = existsSync(layout.kubeconfig);
  const on = await ensureShop(console.error, clusterBeside(layout.name));
  await ensureAgent(console.error, Promise.resolve(on));
  return {
    on,
    end: async () => {
      if (!stoodBefore) await locked(layout, () => down(layout));
    },
  };
}

/**
 * Writes one kubeconfig with a context for each cluster; the first one is the current context.
 * @param clusters by the name of the context
 * @returns the path
 */
export function joinedKubeconfig(path: string, clusters: Readonly<Record<string, TestCluster>>): string {
  const joined = { contexts: [] as object[], clusters: [] as object[], users: [] as object[] };
  for (const [name, on] of Object.entries(clusters)) {
    const config = requireObject(load(readFileSync(on.kubeconfig, 'utf8')), 'kubeconfig');
    joined.contexts.push({ name, context: { cluster: name, user: name } });
    joined.clusters.push({ name, cluster: objectAt(objectsAt(config, 'clusters')[0] ?? {}, 'cluster') });
    joined.users.push({ name, user: objectAt(objectsAt(config, 'users')[0] ?? {}, 'user') });
  }
  const [current] = Object.keys(clusters);
  writeFileSync(path, dump({ apiVersion: 'v1', kind: 'Config', ...joined, 'current-context': current }));
  return path;
}
