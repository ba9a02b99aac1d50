import type { TestCluster } from './cluster.ts';
import { kubectl } from './shop.ts';

/** Every node is ready, every agent, and every pod of the shop: a Service has no endpoints on a node that is not. */
export async function settled(on: TestCluster): Promise<void> {
  await kubectl(on, 'wait', '--for=condition=Ready', 'node', '--all', '--timeout=300s');
  await kubectl(on, 'rollout', 'status', '-n', 'ksnoop', 'daemonset/ksnoop-agent', '--timeout=300s');
  await kubectl(on, 'wait', '--for=condition=Ready', 'pod', '-n', 'shop', '--all', '--timeout=300s');
}
