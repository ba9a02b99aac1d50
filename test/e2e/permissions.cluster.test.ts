// Who may capture is what RBAC says; agents that are missing are told of. Both with the words that help.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountWith, kubeconfigOf, type Rule, removeAccounts } from '../support/accounts.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, ksnoop, kubectl, type ShopPod, shopPods } from '../support/shop.ts';

const NAMESPACE = 'ksnoop-permissions';
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-permissions-'));
let on: TestCluster;
let pods: ShopPod[];

const PODS = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] };
const FORWARD = { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] };
const EXEC = { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] };

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  pods = await shopPods(on, 'web');
  await applyText(
    on,
    [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      ...user('nothing', [], []),
      ...user('no-agent', [PODS], []),
      ...user('no-exec', [PODS], [PODS]),
      ...user('exec', [PODS], [PODS, EXEC]),
      ...user('forward', [PODS], [PODS, FORWARD]),
    ]
      .map((object) => JSON.stringify(object))
      .join('\n---\n'),
  );
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await removeAccounts(on, NAMESPACE, ['shop', 'ksnoop']);
  await ensureAgent();
});

/** An account with these rules in the shop and in the agents' namespace. */
const user = (name: string, shop: Rule[], ksnoop: Rule[]) => accountWith(NAMESPACE, name, { shop, ksnoop });

async function capture(kubeconfig: string, pod = pods[0]) {
  const args = ['-n', 'shop', `pod/${pod?.name}`, '--duration', '1s', '-w', join(directory, `${Math.random()}.pcapng`)];
  return new KsnoopProcess(args, kubeconfig).finished();
}

test.each([
  ['nothing', /pods.*in namespace shop/],
  ['no-agent', /pods.*in namespace ksnoop/],
  ['no-exec', /pods\/exec.*in namespace ksnoop/s],
])('a user without a permission (%s) is told the rule that is missing', async (name, rule) => {
  const { code, stderr } = await capture(await kubeconfigOf(on, NAMESPACE, name, directory));
  expect(stderr).toMatch(/FORBIDDEN/);
  expect(stderr).toMatch(rule);
  expect(stderr).toMatch(/verbs/);
  expect(code).toBe(1);
});

test.each(['exec', 'forward'])('one of the ways to the agents is enough (%s)', async (name) => {
  const { code, stderr } = await capture(await kubeconfigOf(on, NAMESPACE, name, directory));
  expect(stderr).toContain('packets captured');
  expect(code, stderr).toBe(0);
});

test('a node without an agent, then no agents at all', async () => {
  const [first, second] = pods;
  const expression = { key: 'kubernetes.io/hostname', operator: 'NotIn', values: [first?.node] };
  const nodeAffinity = {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [expression] }] },
  };
  const patch = JSON.stringify({ spec: { template: { spec: { affinity: { nodeAffinity } } } } });
  await kubectl(on, 'patch', 'daemonset/ksnoop-agent', '-n', 'ksnoop', '--type=merge', '-p', patch);
  await kubectl(on, 'rollout', 'status', '-n', 'ksnoop', 'daemonset/ksnoop-agent', '--timeout=300s');
  const there = ['-l', 'app.kubernetes.io/name=ksnoop-agent', '--field-selector', `spec.nodeName=${first?.node}`];
  await kubectl(on, 'wait', '--for=delete', 'pod', '-n', 'ksnoop', ...there, '--timeout=300s');
  const without = await capture(on.kubeconfig, first);
  expect(without.stderr).toContain(`Node ${first?.node} has no ksnoop agent`);
  expect(without.code).toBe(1);
  expect((await capture(on.kubeconfig, second)).code).toBe(0);

  expect((await ksnoop(on, 'uninstall')).code).toBe(0);
  const none = await capture(on.kubeconfig, second);
  expect(none.stderr).toMatch(/not installed.*ksnoop install/s);
  expect(none.code).toBe(1);
});
