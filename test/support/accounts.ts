import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { isObject, objectAt, objectsAt } from '../../src/wire/guard.ts';
import type { TestCluster } from './cluster.ts';
import { applyText, kubectl } from './shop.ts';

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

/**
 * A kubeconfig of a user with a client certificate, which the cluster itself signs (CertificateSigningRequest).
 * @param groups of the user
 */
export async function certificateKubeconfig(
  on: TestCluster,
  user: string,
  groups: readonly string[],
  directory: string,
): Promise<string> {
  const [key, request] = [join(directory, `${user}.key`), join(directory, `${user}.csr`)];
  const subject = `${groups.map((group) => `/O=${group}`).join('')}/CN=${user}`;
  const words = ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync('openssl', [...words, '-keyout', key, '-out', request, '-subj', subject], { stdio: 'ignore' });
  const name = `ksnoop-test-${user}`;
  await on.kubectl('delete', 'csr', name, '--ignore-not-found');
  const object = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: readFileSync(request).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      expirationSeconds: 3600,
    },
  };
  await applyText(on, JSON.stringify(object));
  await kubectl(on, 'certificate', 'approve', name);
  await kubectl(on, 'wait', 'csr', name, '--for=jsonpath={.status.certificate}', '--timeout=60s');
  const certificate = await kubectl(on, 'get', 'csr', name, '-o', 'jsonpath={.status.certificate}');
  await kubectl(on, 'delete', 'csr', name);
  const config = load(readFileSync(on.kubeconfig, 'utf8'));
  if (!isObject(config)) throw new Error('no kubeconfig');
  const own = { 'client-certificate-data': certificate, 'client-key-data': readFileSync(key).toString('base64') };
  const users = objectsAt(config, 'users').map((entry) => ({ ...entry, user: own }));
  const file = join(directory, `${user}.kubeconfig`);
  writeFileSync(file, JSON.stringify({ ...config, users }), { mode: 0o600 });
  for (const made of [key, request]) rmSync(made);
  return file;
}
