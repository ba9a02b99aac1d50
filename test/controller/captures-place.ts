// Captures on a real API server: schema, policy, permissions and namespaces of two tenants. The agents stay as they are: controllers
// are processes of the test, with the permissions of their service account.
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { load } from 'js-yaml';
import { call, find } from '../../src/capture/kube/api.ts';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { resourcePath } from '../../src/capture/kube/resource.ts';
import { createClientKey } from '../../src/ticket/seal.ts';
import { messageOf } from '../../src/wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt } from '../../src/wire/guard.ts';
import { kubeconfigOf } from '../support/accounts.ts';
import { cluster, type TestCluster } from '../support/cluster.ts';
import { applyText, ensureAgent, ensureShop, kubectl } from '../support/shop.ts';

const captures = join(import.meta.dirname, '../../daemonset/captures');
const main = join(import.meta.dirname, '../../src/controller/main.ts');
export const ADMIN = 'admin';
/** The service account of the controllers, and its Lease. */
const NAME = 'ksnoop-controller';

/** A controller that runs as a process. */
export interface ControllerProcess {
  readonly child: ChildProcess;
  /** What it has logged. */
  readonly lines: readonly string[];
  /** Resolves with its exit code when it has ended. */
  readonly ended: Promise<number | null>;
  /** End it in order. */
  stop(): Promise<void>;
}

export class CapturesPlace {
  readonly on: TestCluster;
  /** A node with an agent. */
  readonly node: string;
  /** Namespaces of two tenants. */
  readonly ours: string;
  readonly theirs: string;
  readonly clientKey = createClientKey();
  /** Verifies the tickets. */
  readonly publicKey: KeyObject;
  readonly #directory = mkdtempSync(join(tmpdir(), 'ksnoop-captures-'));
  readonly #kubes = new Map<string, Kube>();
  readonly #controllers: ControllerProcess[] = [];
  readonly #keyFile = join(this.#directory, 'private.pem');

  /** @param name begins the names of the namespaces */
  static async open(name: string): Promise<CapturesPlace> {
    const on = await cluster();
    if ((await on.kubectl('get', 'deployment/client', '-n', 'shop')).code !== 0) await ensureShop();
    if ((await on.kubectl('get', 'daemonset/ksnoop-agent', '-n', 'ksnoop')).code !== 0) await ensureAgent();
    const agents = ['pods', '-n', 'ksnoop', '-l', 'app.kubernetes.io/name=ksnoop-agent'];
    const node = await kubectl(on, 'get', ...agents, '-o', 'jsonpath={.items[0].spec.nodeName}');
    const place = new CapturesPlace(on, node, name);
    await place.#install();
    return place;
  }

  private constructor(on: TestCluster, node: string, name: string) {
    this.on = on;
    this.node = node;
    [this.ours, this.theirs] = [`${name}-a`, `${name}-b`];
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.publicKey = publicKey;
    writeFileSync(this.#keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }

  async #install(): Promise<void> {
    const files = ['policy.yaml', 'crd.yaml', 'roles.yaml'].flatMap((file) => ['-f', join(captures, file)]);
    await kubectl(this.on, 'apply', '--server-side', ...files);
    await kubectl(this.on, 'wait', '--for=condition=Established', 'crd/captures.ksnoop.io');
    const objects = [
      ...[this.ours, this.theirs].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      binding(this.ours, 'tenant', 'ksnoop-captures', 'tenant-a'),
      binding(this.theirs, 'tenant', 'ksnoop-captures', 'tenant-b'),
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'ksnoop-test-writes-captures' },
        rules: [{ apiGroups: ['ksnoop.io'], resources: ['captures'], verbs: ['create', 'get', 'patch'] }],
      },
      // May write Captures, and has no permission to capture.
      binding(this.ours, 'writer', 'ksnoop-test-writes-captures', 'writer'),
      this.pod(this.ours, 'one'),
      this.pod(this.theirs, 'other'),
    ];
    await applyText(this.on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  }

  /** Remove everything, and end the controllers. */
  async close(): Promise<void> {
    for (const controller of this.#controllers) await controller.stop();
    for (const kube of this.#kubes.values()) kube.close();
    // The kind before the policy that protects it.
    const files = ['crd.yaml', 'policy.yaml', 'roles.yaml'].flatMap((file) => ['-f', join(captures, file)]);
    await this.on.kubectl('delete', '--ignore-not-found', ...files);
    const rest = ['clusterrole/ksnoop-test-writes-captures', `namespace/${this.ours}`, `namespace/${this.theirs}`];
    await this.on.kubectl('delete', '--wait=false', '--ignore-not-found', ...rest);
    await this.on.kubectl('delete', 'lease', '-n', 'ksnoop', NAME, '--ignore-not-found');
    rmSync(this.#directory, { recursive: true });
  }

  /** A pod that does nothing, for its network namespace. It need not run: a pod that has a node is a target. */
  pod(namespace: string, name: string): JsonObject {
    const containers = [{ name: 'main', image: 'ksnoop.test/pause:1', command: ['/pause'] }];
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name, labels: { app: name } },
      spec: { nodeName: this.node, terminationGracePeriodSeconds: 0, containers },
    };
  }

  /** @param through address and port of a proxy on this machine that leads to the API server */
  async startController(through?: string): Promise<ControllerProcess> {
    const kubeconfig = await kubeconfigOf(this.on, 'ksnoop', NAME, this.#directory);
    if (through !== undefined) redirect(kubeconfig, through);
    const number = this.#controllers.length;
    const child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env.PATH,
        KUBECONFIG: kubeconfig,
        KSNOOP_TICKET_KEY: this.#keyFile,
        KSNOOP_READY_FILE: join(this.#directory, `ready-${number}`),
        POD_NAME: `controller-${number}`,
      },
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const lines: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
    const ended = once(child, 'exit').then(([code]: unknown[]) => (typeof code === 'number' ? code : null));
    const stop = async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill();
      await ended;
    };
    const controller = { child, lines, ended, stop };
    this.#controllers.push(controller);
    return controller;
  }

  /** The API server as a user: the administrator, who acts for that user. Much faster than kubectl. */
  async as(user: string): Promise<Kube> {
    const known = this.#kubes.get(user);
    if (known !== undefined) return known;
    const config = load(readFileSync(this.on.kubeconfig, 'utf8'));
    if (!isObject(config)) throw new Error('no kubeconfig');
    const users = objectsAt(config, 'users').map((entry) => ({
      ...entry,
      user: { ...objectAt(entry, 'user'), ...(user !== ADMIN && { as: user }) },
    }));
    const kubeconfig = join(this.#directory, `${user}.kubeconfig`);
    writeFileSync(kubeconfig, JSON.stringify({ ...config, users }), { mode: 0o600 });
    const kube = await loadKube({ kubeconfig });
    this.#kubes.set(user, kube);
    return kube;
  }

  /** Of a Capture of the first tenant. */
  path(...name: string[]): string {
    return resourcePath('ksnoop.io/v1alpha1', this.ours, 'captures', ...name);
  }

  /** Create a Capture as a user. @returns the refusal; empty where there is none */
  async create(name: string, spec: JsonObject, user = 'tenant-a'): Promise<string> {
    const object = {
      apiVersion: 'ksnoop.io/v1alpha1',
      kind: 'Capture',
      metadata: { name },
      spec: {
        targets: ['pod/one'],
        limits: { duration: '10m' },
        requestedBy: user,
        clientKey: this.clientKey.public,
        ...spec,
      },
    };
    const request = {
      method: 'POST',
      path: this.path(),
      query: { fieldValidation: 'Strict' },
      body: JSON.stringify(object),
    } as const;
    return refusal(call(await this.as(user), request));
  }

  /** Change a Capture as the administrator. @returns the refusal; empty where there is none */
  async patch(name: string, change: JsonObject, ...subresource: string[]): Promise<string> {
    const [method, contentType] = ['PATCH', 'application/merge-patch+json'] as const;
    const body = JSON.stringify(change);
    return refusal(call(await this.as(ADMIN), { method, path: this.path(name, ...subresource), body, contentType }));
  }

  async delete(name: string): Promise<string> {
    return refusal(call(await this.as(ADMIN), { method: 'DELETE', path: this.path(name) }));
  }

  async statusOf(name: string): Promise<JsonObject> {
    return objectAt((await find(await this.as(ADMIN), this.path(name))) ?? {}, 'status');
  }

  /** `True Allowed` of a condition; empty without it. */
  async conditionOf(name: string, type: string): Promise<string> {
    const found = objectsAt(await this.statusOf(name), 'conditions').find((condition) => condition.type === type);
    return found === undefined ? '' : `${found.status} ${found.reason}`;
  }
}

function binding(namespace: string, name: string, role: string, user: string): JsonObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
}

/** @returns what the API server says where it refuses; empty where it does not */
async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return '';
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Have a kubeconfig's cluster reached at another address; its certificate is checked as before. */
function redirect(kubeconfig: string, address: string): void {
  const config = load(readFileSync(kubeconfig, 'utf8'));
  if (!isObject(config)) throw new Error('no kubeconfig');
  for (const entry of objectsAt(config, 'clusters')) {
    const one = objectAt(entry, 'cluster');
    Object.assign(one, { server: `https://${address}`, 'tls-server-name': 'kubernetes.default.svc' });
  }
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
}
