import { afterEach, expect, test } from 'vitest';
import { findTargets } from '../../../src/run/capture/find-targets.ts';
import { captureConfig } from '../../cli/config.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';

let server: ObjectServer;
afterEach(() => server.api.close());

const node = (name: string): TestObject => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });

async function planned(targets: string[]) {
  const kubeconfig = server.api.kubeconfig({ namespace: 'shop' });
  const found = await findTargets({ ...captureConfig({ kubeconfig }, targets), ownNodes: true }, AbortSignal.any([]));
  found.close();
  return { labels: [...found.labels.values()].sort(), warnings: found.warnings.join('\n') };
}

test('the nodes of the pods are captured, each once, and no others', async () => {
  server = await startObjectServer(
    ...['node1', 'node2', 'node3'].map(node),
    podObject('web-1', { node: 'node1' }),
    podObject('web-2', { node: 'node1' }),
    podObject('web-3', { node: 'node2' }),
  );
  const { labels } = await planned(['pod/web-*', 'node/node1']);
  expect(labels).toEqual(['node/node1', 'node/node2', 'shop/web-1', 'shop/web-2', 'shop/web-3']);
});

test('a node that may not be read is not captured, with the reason; its pods are', async () => {
  server = await startObjectServer(node('node1'), podObject('web-1', { node: 'node1' }));
  server.forbid(/nodes\/node1$/);
  const { labels, warnings } = await planned(['pod/web-1']);
  expect(labels).toEqual(['shop/web-1']);
  expect(warnings).toMatch(/the interfaces of node node1 are not captured: .*node1/);
});
