import { vi } from 'vitest';
import { type JsonObject, objectAt, objectsAt, parseJson, requireObject } from '../../src/wire/guard.ts';
import type { TestCluster } from './cluster.ts';
import { HANG_MS } from './hang.ts';
import { kubectl } from './shop.ts';

/** Every node is ready, and has an agent that is. Whether the shop answers is shown by requests: pods that are not ready may be in its namespace all the time. */
export async function settled(on: TestCluster): Promise<void> {
  await kubectl(on, 'wait', '--for=condition=Ready', 'node', '--all', '--timeout=300s');
  // The DaemonSet's own status counts a pod that is being deleted until it is gone.
  await vi.waitFor(
    async () => {
      const nodes = await items(on, 'nodes');
      const agents = await items(on, 'pods', '-n', 'ksnoop');
      const lacking = nodes
        .map((node) => objectAt(node, 'metadata').name)
        .filter((name) => !agents.some((pod) => objectAt(pod, 'spec').nodeName === name && isReadyAgent(pod)));
      if (lacking.length > 0) throw new Error(`no agent is ready on ${lacking.join(', ')}`);
    },
    { timeout: 2 * HANG_MS, interval: 500 },
  );
}

async function items(on: TestCluster, ...what: string[]): Promise<readonly JsonObject[]> {
  return objectsAt(
    requireObject(parseJson(await kubectl(on, 'get', ...what, '-o', 'json'), 'kubectl'), 'kubectl'),
    'items',
  );
}

function isReadyAgent(pod: JsonObject): boolean {
  const { name, deletionTimestamp } = objectAt(pod, 'metadata');
  const conditions = objectsAt(objectAt(pod, 'status'), 'conditions');
  const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return String(name).startsWith('ksnoop-agent-') && deletionTimestamp === undefined && isReady;
}
