import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { isObject, objectAt, objectsAt } from '../../src/wire/guard.ts';
import type { TestCluster } from './cluster.ts';
import { kubectl } from './shop.ts';

/** A rule of a Role. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The label of the Roles and RoleBindings of `accountWith`, so that a test can remove its own. */
export const ACCOUNT_LABEL = 'ksnoop.test/account-in';

/**
 * The objects of an account in a namespace of the test's own, with rules in other namespaces.
 * @param rules by the namespace they hold in
 */
export function accountWith(
  namespace: string,
  name: string,
  rules: Readonly<Record<string, readonly Rule[]>>,
): object[] {
  const labels = { [ACCOUNT_LABEL]: namespace };
  const role = `${namespace}-${name}`;
  const within = ([place, granted]: [string, readonly Rule[]]) => [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: role, namespace: place, labels },
      rules: granted,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: role, namespace: place, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
  return [account, ...Object.entries(rules).flatMap(within)];
}

/** Take the rights of a test's accounts away again. */
export async function removeAccounts(on: TestCluster, namespace: string, places: readonly string[]): Promise<void> {
  for (const place of places) {
    await on.kubectl('delete', 'role,rolebinding', '-n', place, '-l', `${ACCOUNT_LABEL}=${namespace}`);
  }
  await on.kubectl('delete', 'namespace', namespace, '--wait=false');
}

/** The admin's kubeconfig, its user replaced by an account's token. @param directory where it is written */
export async function kubeconfigOf(
  on: TestCluster,
  namespace: string,
  name: string,
  directory: string,
): Promise<string> {
  const token = (await kubectl(on, 'create', 'token', name, '-n', namespace)).trim();
  const config = load(readFileSync(on.kubeconfig, 'utf8'));
  if (!isObject(config)) throw new Error('no kubeconfig');
  for (const entry of objectsAt(config, 'users')) Object.assign(objectAt(entry, 'user'), { token });
  const users = objectsAt(config, 'users').map((entry) => ({ ...entry, user: { token } }));
  const file = join(directory, `${name}.kubeconfig`);
  writeFileSync(file, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return file;
}
