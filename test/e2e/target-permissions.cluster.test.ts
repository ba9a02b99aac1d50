// What each kind of target needs of RBAC: with a right that is missing, the words that name it, and what still works.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountWith, kubeconfigOf, type Rule, removeAccounts } from '../support/accounts.ts';
import { cluster, type TestCluster } from '../support/cluster.ts';
import { type Finished, KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop } from '../support/shop.ts';

const NAMESPACE = 'ksnoop-target-permissions';
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-target-permissions-'));
let on: TestCluster;

const rule = (group: string, resource: string, ...verbs: string[]): Rule => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
});
const AGENTS = [rule('', 'pods', 'list'), rule('', 'pods/exec', 'get', 'create')];
const SEE = rule('', 'pods', 'get', 'list');
const FOLLOW = rule('', 'pods', 'get', 'list', 'watch');
const DEPLOYMENTS = rule('apps', 'deployments', 'get', 'list', 'watch');
const INGRESS = [
  rule('networking.k8s.io', 'ingresses', 'get', 'list', 'watch'),
  rule('', 'services', 'get', 'list', 'watch'),
];

beforeAll(async () => {
  on = await cluster();
  if ((await on.kubectl('get', 'deployment/client', '-n', 'shop')).code !== 0) await ensureShop();
  if ((await on.kubectl('get', 'daemonset/ksnoop-agent', '-n', 'ksnoop')).code !== 0) await ensureAgent();
  const user = (name: string, ...shop: Rule[]) => accountWith(NAMESPACE, name, { shop, ksnoop: AGENTS });
  await applyText(
    on,
    [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      ...user('pods', FOLLOW),
      ...user('deployments', FOLLOW, DEPLOYMENTS),
      ...user('frozen', SEE, DEPLOYMENTS),
      ...user('ingress', FOLLOW, ...INGRESS),
    ]
      .map((object) => JSON.stringify(object))
      .join('\n---\n'),
  );
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await removeAccounts(on, NAMESPACE, ['shop', 'ksnoop']);
});

/** Run as one of the accounts. */
async function as(name: string, ...args: string[]): Promise<Finished> {
  const kubeconfig = await kubeconfigOf(on, NAMESPACE, name, directory);
  return new KsnoopProcess(['-n', 'shop', ...args], kubeconfig).finished();
}
const briefly = () => ['--duration', '1s', '-w', join(directory, `${Math.random()}.pcapng`)];

test('who may read pods alone is told the rule for a Deployment', async () => {
  const { code, stderr } = await as('pods', 'deploy/web', ...briefly());
  expect(stderr).toMatch(/FORBIDDEN/);
  expect(stderr).toContain('- {apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"]}');
  expect(code).toBe(1);
});

test('the rules that docs/permissions.md names for a Deployment are enough, and nothing is missed', async () => {
  const { code, stderr } = await as('deployments', 'deploy/web', ...briefly());
  expect(stderr).toContain('2 targets');
  expect(stderr).not.toContain('not followed');
  expect(code, stderr).toBe(0);
});

test('without the right to watch, the pods there are captured, and the rule is named once', async () => {
  const { code, stderr } = await as('frozen', 'deploy/web', ...briefly());
  expect(stderr).toContain('2 targets');
  expect(stderr.match(/changes are not followed/g)).toHaveLength(1);
  expect(stderr).toContain('resources: ["pods"], verbs: ["list", "watch"]');
  expect(code, stderr).toBe(0);
  const frozen = await as('frozen', 'deploy/web', '--no-follow', ...briefly());
  expect(frozen.stderr).not.toContain('not followed');
  expect(frozen.code).toBe(0);
});

test('who may not look for an ingress controller gets the backends, and a word on the controller', async () => {
  const { code, stderr } = await as('ingress', 'ingress/shop', ...briefly());
  expect(stderr).toContain('2 targets');
  expect(stderr).toContain('the controller of ingress/shop is not captured');
  expect(code, stderr).toBe(0);
});

test('a dry run shows which permissions are missing', async () => {
  const frozen = await as('frozen', 'deploy/web', '--dry-run');
  const permissions = frozen.stdout.toString('utf8');
  expect(permissions).toMatch(/^no +watch pods +shop +without it, pods that start later are not captured$/m);
  expect(permissions).toMatch(/^yes +create pods\/exec +ksnoop +to reach the agents$/m);
  expect(frozen.code).toBe(0);
  const pods = await as('pods', 'deploy/web', '--dry-run');
  expect(pods.stdout.toString('utf8')).toMatch(/^NO +get deployments\.apps +shop +to find the deployment$/m);
  expect(pods.code).toBe(1);
});
