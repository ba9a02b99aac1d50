import type { TestCluster } from './cluster.ts';
import { kubectl } from './shop.ts';

/** Every node is ready, and every agent. Whether the shop answers is shown by requests: pods that are not ready may be in its namespace all the time. */
export async function settled(on: TestCluster): Promise<void> {
  await kubectl(on, 'wait', '--for=condition=Ready', 'node', '--all', '--timeout=300s');
  await kubectl(on, 'rollout', 'status', '-n', 'ksnoop', 'daemonset/ksnoop-agent', '--timeout=300s');
}
