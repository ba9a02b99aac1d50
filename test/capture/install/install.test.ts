import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { install, plannedObjects } from '../../../src/capture/install/install.ts';
import { daemonsetDirectory, readKustomization } from '../../../src/capture/install/manifests.ts';
import { KINDS, prepared } from '../../../src/capture/install/objects.ts';
import { status } from '../../../src/capture/install/status.ts';
import { uninstall } from '../../../src/capture/install/uninstall.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, stringsAt } from '../../../src/wire/guard.ts';
import { VERSION } from '../../../src/wire/version.ts';
import { type ApiServer, status as failure, json, startApiServer } from '../../support/api-server.ts';

interface Stored {
  apiVersion?: string;
  kind?: string;
  metadata: Record<string, unknown> & { name: string; labels?: Record<string, string> };
  [member: string]: unknown;
}

/** Keeps objects by path: enough to see what is applied, listed and deleted. Not Kubernetes: no controller runs. */
let store: Map<string, Stored>;
let directory: string;
let server: ApiServer;
let kube: Kube;
const DAEMONSET = '/apis/apps/v1/namespaces/ksnoop/daemonsets/ksnoop-agent';
const NAMESPACE = '/api/v1/namespaces/ksnoop';

beforeEach(async () => {
  store = new Map();
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-manifests-'));
  write('base/kustomization.yaml', 'resources: [namespace.yaml, daemonset.yaml]');
  write(
    'base/namespace.yaml',
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: ksnoop, labels: {pod-security.kubernetes.io/enforce: privileged}}',
  );
  write(
    'base/daemonset.yaml',
    `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ksnoop-agent, namespace: ksnoop}
spec:
  template:
    spec:
      containers:
      - {name: agent, image: PLACEHOLDER, securityContext: {capabilities: {drop: [ALL]}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ksnoop-agent, namespace: ksnoop}
`,
  );
  write('overlays/selinux/kustomization.yaml', 'resources: [../../base]\npatches: [{path: patch.yaml}]');
  write(
    'overlays/selinux/patch.yaml',
    `
kind: DaemonSet
metadata: {name: ksnoop-agent}
spec: {template: {spec: {containers: [{name: agent, securityContext: {seLinuxOptions: {type: spc_t}}}]}}}
`,
  );
  server = await startApiServer({
    onRequest: async (request, response) => {
      const [path = '', query = ''] = (request.url ?? '').split('?');
      const resources = discovered(path);
      if (resources !== undefined) return json(response, 200, resources);
      const found = typed(path);
      if (request.method === 'PATCH') {
        const object = JSON.parse(await textOf(request));
        store.set(path, { ...object, metadata: { uid: path, generation: 1, ...object.metadata } });
        return json(response, 200, object);
      }
      if (request.method === 'DELETE') {
        store.delete(path);
        return found
          ? json(response, 200, { kind: 'Status', apiVersion: 'v1' })
          : json(response, 404, failure(404, 'NotFound', 'gone'));
      }
      if (found) return json(response, 200, found);
      const wanted = new URLSearchParams(query).get('labelSelector')?.split(',') ?? [];
      const items = [...store]
        // Of a namespace, or of all namespaces.
        .filter(([key]) =>
          [key, key.replace(/\/namespaces\/[^/]+(?=\/)/, '')].some((each) => isDirectlyBelow(path, each)),
        )
        .map(([, object]) => object)
        .filter(({ metadata }) =>
          wanted.every((pair) => metadata.labels?.[pair.split('=')[0] ?? ''] === pair.split('=')[1]),
        );
      const isCollection = items.length > 0 || /s$/.test(path);
      if (isCollection) json(response, 200, { ...kindAt(`${path}/any`, 'List'), metadata: {}, items });
      else json(response, 404, failure(404, 'NotFound', `${path} not found`));
    },
  });
  kube = await loadKube({ kubeconfig: server.kubeconfig() });
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await server.close();
});

const RESOURCES = [
  ...KINDS,
  ...['Pod', 'Event', 'Node', 'PersistentVolumeClaim'].map((kind) => {
    return { kind, api: 'v1', plural: `${kind.toLowerCase()}s`, namespaced: kind !== 'Node' };
  }),
];

/** The kinds of a group and version, as the API server lists them. */
function discovered(path: string): object | undefined {
  const kinds = RESOURCES.filter(({ api }) => path === `/${api.includes('/') ? 'apis' : 'api'}/${api}`);
  if (kinds.length === 0) return undefined;
  const resources = kinds.map(({ kind, plural, namespaced }) => ({ kind, name: plural, namespaced, verbs: [] }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: kinds[0]?.api, resources };
}

function isDirectlyBelow(path: string, key: string): boolean {
  return key.startsWith(`${path}/`) && !key.slice(path.length + 1).includes('/');
}

/** The kind of the object at a path, or of the list that holds it. */
function kindAt(path: string, suffix = ''): { apiVersion?: string; kind?: string } {
  const resource = RESOURCES.find(({ plural }) => path.split('/').at(-2) === plural);
  return resource === undefined ? {} : { apiVersion: resource.api, kind: `${resource.kind}${suffix}` };
}

function typed(path: string): Stored | undefined {
  const found = store.get(path);
  return found && { ...kindAt(path), ...found };
}

function write(name: string, text: string): void {
  mkdirSync(join(directory, name, '..'), { recursive: true });
  writeFileSync(join(directory, name), text);
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

/** Play the DaemonSet controller and a kubelet: nodes n1, n2 …, each with an agent that is ready or waits for a reason. */
function play(reasons: readonly string[]): void {
  const daemonSet = store.get(DAEMONSET);
  if (daemonSet === undefined) return;
  const ready = reasons.filter((reason) => reason === '').length;
  const all = reasons.length;
  store.set(DAEMONSET, {
    ...daemonSet,
    status: { desiredNumberScheduled: all, updatedNumberScheduled: all, numberReady: ready, observedGeneration: 1 },
  });
  reasons.forEach((reason, index) => {
    const name = `ksnoop-agent-${index + 1}`;
    store.set(`${NAMESPACE}/pods/${name}`, {
      metadata: { name, namespace: 'ksnoop', uid: name, labels: { 'app.kubernetes.io/name': 'ksnoop-agent' } },
      spec: { nodeName: `n${index + 1}`, containers: [{ name: 'agent' }] },
      status: {
        phase: reason === '' ? 'Running' : 'Pending',
        conditions: [{ type: 'Ready', status: reason === '' ? 'True' : 'False' }],
        containerStatuses: [{ name: 'agent', state: reason === '' ? { running: {} } : { waiting: { reason } } }],
      },
    });
  });
}

const options = () => ({ kube, manifests: directory, image: 'agent:1' });

test('applies the objects with image, secrets and labels, and waits with progress', async () => {
  const lines: string[] = [];
  const controller = setInterval(
    () => play(lines.some((line) => line.includes('n2')) ? ['', ''] : ['', 'ImagePullBackOff']),
    20,
  );
  const now = await install({ ...options(), pullSecrets: ['registry'] }, (line) => lines.push(line));
  clearInterval(controller);
  expect(lines.slice(0, 3)).toEqual([
    'applied Namespace ksnoop',
    'applied ServiceAccount ksnoop/ksnoop-agent',
    'applied DaemonSet ksnoop/ksnoop-agent',
  ]);
  expect(lines).toContain('1 of 2 nodes ready; n2: ImagePullBackOff');
  expect(lines.at(-1)).toBe('2 of 2 nodes ready');
  expect(now).toMatchObject({ installed: true, image: 'agent:1', version: VERSION, desired: 2, ready: 2 });
  expect(now.nodes.map(({ node, state }) => `${node} ${state}`)).toEqual(['n1 ready', 'n2 ready']);
  expect(store.get(DAEMONSET)).toMatchObject({
    metadata: { labels: { 'app.kubernetes.io/managed-by': 'ksnoop', 'app.kubernetes.io/version': VERSION } },
    spec: {
      template: {
        spec: { imagePullSecrets: [{ name: 'registry' }], containers: [{ name: 'agent', image: 'agent:1' }] },
      },
    },
  });
  const applied = server.seen.find((line) => line.startsWith('PATCH'));
  expect(applied).toContain('fieldManager=ksnoop&force=true');
});

test('agents that do not come are an error with the reasons of their nodes', async () => {
  const controller = setInterval(() => play(['', 'ImagePullBackOff', 'CrashLoopBackOff']), 20);
  const installing = install({ ...options(), timeoutMs: 700 }, () => {});
  await expect(installing).rejects.toMatchObject({
    code: 'AGENTS_NOT_READY',
    message: 'After 0.7 s 1 of 3 nodes ready; n2: ImagePullBackOff; n3: CrashLoopBackOff.',
    hint: expect.stringContaining('The nodes cannot get agent:1: bring it to them'),
  });
  clearInterval(controller);
});

test('a wait that is interrupted ends with what interrupted it', async () => {
  const abort = new AbortController();
  const interrupted = new KsnoopError('INTERRUPTED', 'Interrupted.');
  const installing = install({ ...options(), signal: abort.signal }, (line) => {
    if (!line.startsWith('applied')) abort.abort(interrupted);
  });
  await expect(installing).rejects.toBe(interrupted);
});

test('an agent on a node that is down itself is not waited for', async () => {
  const controller = setInterval(() => play(['', 'NodeLost']), 20);
  const node = (name: string, ready: string) =>
    store.set(`/api/v1/nodes/${name}`, {
      metadata: { name },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    });
  node('n1', 'True');
  node('n2', 'Unknown');
  const now = await install({ ...options(), timeoutMs: 5000 }, () => {});
  clearInterval(controller);
  expect(now.nodes[1]).toMatchObject({ node: 'n2', state: 'not ready', reason: 'the node itself is not ready' });
});

test('the first time an image has to be named, later the installed one is kept', async () => {
  await expect(install({ ...options(), image: undefined }, () => {})).rejects.toMatchObject({
    code: 'IMAGE_REQUIRED',
    exit: 2,
  });
  expect(store.size).toBe(0);
  await install({ ...options(), pullSecrets: ['registry'], timeoutMs: 0 }, () => {});
  await install({ ...options(), image: undefined, timeoutMs: 0 }, () => {});
  expect(JSON.stringify(store.get(DAEMONSET))).toContain('"imagePullSecrets":[{"name":"registry"}]');
});

test.each([
  ['docker.io/library/ksnoop-agent', true],
  ['localhost/ksnoop-agent', true],
  // Any user who may run pods can bring this to the nodes, and agents are privileged.
  ['evil.example/ksnoop-agent', false],
  ['docker.io/library/not-ksnoop-agent', false],
])('without an image %s of this version is taken where every node has it: %s', async (name, isTaken) => {
  const node = (number: number, ...names: string[]) =>
    store.set(`/api/v1/nodes/n${number}`, {
      metadata: { name: `n${number}` },
      status: { conditions: [{ type: 'Ready', status: 'True' }], images: [{ names }] },
    });
  const image = `${name}:${VERSION}`;
  node(1, image, `${name}:0.0.1`);
  node(2, `${name}:0.0.1`);
  const bare = () => install({ ...options(), image: undefined, timeoutMs: 0 }, () => {});
  await expect(bare()).rejects.toMatchObject({
    code: 'IMAGE_REQUIRED',
    hint: expect.stringContaining(`ksnoop image push REGISTRY/ksnoop-agent:${VERSION}`),
  });
  node(2, image);
  if (isTaken) {
    await bare();
    expect(JSON.stringify(store.get(DAEMONSET))).toContain(image);
  } else await expect(bare()).rejects.toMatchObject({ code: 'IMAGE_REQUIRED' });
});

test('an overlay is joined to the base by the names of containers', async () => {
  await install({ ...options(), overlay: 'selinux', timeoutMs: 0 }, () => {});
  expect(store.get(DAEMONSET)).toMatchObject({
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: 'agent',
              image: 'agent:1',
              securityContext: { capabilities: { drop: ['ALL'] }, seLinuxOptions: { type: 'spc_t' } },
            },
          ],
        },
      },
    },
  });
});

test('claims that are destinations of recordings are mounted into the agents, while they are defined', async () => {
  const claim = (name: string, mode: string) => {
    const path = `${NAMESPACE}/persistentvolumeclaims/${name}`;
    store.set(path, { metadata: { name, namespace: 'ksnoop' }, spec: { accessModes: [mode] } });
  };
  const define = (data: Record<string, string>) =>
    store.set(`${NAMESPACE}/configmaps/ksnoop-destinations`, { metadata: { name: 'ksnoop-destinations' }, data });
  const planned = async () => {
    const objects = await plannedObjects({ ...options(), captures: true, manifests: daemonsetDirectory() }, () => {});
    const found = objects.find(({ kind }) => kind === 'DaemonSet');
    const pod = objectAt(objectAt(objectAt(found ?? {}, 'spec'), 'template'), 'spec');
    const [agent = {}] = objectsAt(pod, 'containers');
    const own = (list: readonly JsonObject[]) =>
      list.filter(({ name }) => /^recordings-|^KSNOOP_VOLUMES$/.test(String(name)));
    return [own(objectsAt(pod, 'volumes')), own(objectsAt(agent, 'volumeMounts')), own(objectsAt(agent, 'env'))];
  };
  expect(await planned()).toEqual([[], [], []]);
  claim('recordings', 'ReadWriteMany');
  claim('disk', 'ReadWriteOnce');
  define({ archive: 'type: s3', broken: '{', shared: 'type: pvc\nclaim: recordings' });
  expect(await planned()).toEqual([
    [{ name: 'recordings-shared', persistentVolumeClaim: { claimName: 'recordings' } }],
    [{ name: 'recordings-shared', mountPath: '/var/lib/ksnoop-volumes/shared', subPath: 'ksnoop' }],
    [{ name: 'KSNOOP_VOLUMES', value: '/var/lib/ksnoop-volumes' }],
  ]);
  for (const [definition, why] of [
    ['type: pvc\nclaim: nowhere', 'namespace ksnoop has no PersistentVolumeClaim nowhere'],
    ['type: pvc\nclaim: disk', 'its claim disk is not ReadWriteMany'],
    ['type: pvc', 'its claim is no name'],
  ] as const) {
    define({ shared: definition });
    await expect(planned()).rejects.toMatchObject({ code: 'BAD_DESTINATION', message: expect.stringContaining(why) });
  }
});

test('uninstall removes what install applied, and is fine with nothing', async () => {
  await install({ ...options(), timeoutMs: 0 }, () => {});
  store.set(`${NAMESPACE}/serviceaccounts/default`, { metadata: { name: 'default', namespace: 'ksnoop' } });
  const removed = await uninstall({ kube }, () => {});
  expect(removed).toEqual(['DaemonSet ksnoop/ksnoop-agent', 'ServiceAccount ksnoop/ksnoop-agent', 'Namespace ksnoop']);
  expect([...store.keys()]).toEqual([`${NAMESPACE}/serviceaccounts/default`]);
  expect(await uninstall({ kube }, () => {})).toEqual([]);
  expect(await status(kube)).toMatchObject({ installed: false, nodes: [] });
});

test.each([
  [{}, 'kubectl delete -k daemonset/base'],
  [{ 'meta.helm.sh/release-name': 'net', 'meta.helm.sh/release-namespace': 'tools' }, 'helm uninstall net -n tools'],
])('agents that others have applied stay, with what removes them: %j', async (annotations, hint) => {
  const labels = { 'app.kubernetes.io/name': 'ksnoop-agent' };
  store.set(DAEMONSET, { metadata: { name: 'ksnoop-agent', namespace: 'ksnoop', labels, annotations } });
  const refused = await uninstall({ kube }, () => {}).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code: 'INSTALLED_OTHERWISE', hint: expect.stringContaining(hint) });
  expect(store.has(DAEMONSET)).toBe(true);
});

test('a namespace that was there before stays', async () => {
  store.set(NAMESPACE, { metadata: { name: 'ksnoop', labels: { team: 'net' } } });
  await install({ ...options(), timeoutMs: 0 }, () => {});
  const removed = await uninstall({ kube }, () => {});
  expect(removed).toEqual(['DaemonSet ksnoop/ksnoop-agent', 'ServiceAccount ksnoop/ksnoop-agent']);
  expect(store.has(NAMESPACE)).toBe(true);
});

test('a manifest that is broken is named', () => {
  write('base/daemonset.yaml', 'a: [');
  expect(() => readKustomization(join(directory, 'base'))).toThrow(/daemonset\.yaml cannot be used/);
});

test.each(['base', 'overlays/selinux'])(
  "nothing of the package's own %s is lost on the way to the API server",
  async (where) => {
    const overlay = where === 'base' ? undefined : 'selinux';
    const manifests = daemonsetDirectory();
    await install({ kube, manifests, overlay, image: 'agent:1', timeoutMs: 0 }, () => {});
    const expected = prepared(readKustomization(join(manifests, where)), { image: 'agent:1', pullSecrets: [] });
    const applied = [...store.values()].map(({ metadata: { uid: _, generation: __, ...metadata }, ...rest }) => {
      return { ...rest, metadata };
    });
    expect(applied).toEqual(expected);
  },
);

test("the package's own manifests are read, and the overlay reaches the pod", () => {
  const kinds = (objects: readonly Record<string, unknown>[]) => objects.map(({ kind }) => kind);
  const changes = { image: 'agent:1', pullSecrets: [] };
  const base = prepared(readKustomization(join(daemonsetDirectory(), 'base')), changes);
  expect(kinds(base)).toEqual(['Namespace', 'ServiceAccount', 'NetworkPolicy', 'DaemonSet']);
  const selinux = prepared(readKustomization(join(daemonsetDirectory(), 'overlays', 'selinux')), changes);
  expect(kinds(selinux)).toEqual(kinds(base));
  expect(selinux.at(-1)).toMatchObject({
    spec: {
      template: {
        spec: {
          hostPID: true,
          securityContext: { runAsUser: 0, seLinuxOptions: { type: 'spc_t' } },
          containers: [{ name: 'agent', image: 'agent:1' }],
        },
      },
    },
  });
});

test('Captures of tenants are installed with a key pair that is kept, stay without the option, and are removed', async () => {
  const own = { kube, manifests: daemonsetDirectory(), image: 'agent:1', timeoutMs: 0 };
  await install({ ...own, captures: true }, () => {});
  const keys = () => {
    const secret = stringsAt(store.get(`${NAMESPACE}/secrets/ksnoop-ticket-key`) ?? {}, 'data')['private.pem'] ?? '';
    const pem =
      stringsAt(store.get(`${NAMESPACE}/configmaps/ksnoop-ticket-key-public`) ?? {}, 'data')['public.pem'] ?? '';
    return { privateKey: createPrivateKey(Buffer.from(secret, 'base64')), publicKey: createPublicKey(pem) };
  };
  const first = keys();
  expect(first.privateKey.asymmetricKeyType).toBe('ed25519');
  expect(createPublicKey(first.privateKey).equals(first.publicKey)).toBe(true);
  const applied = [...store.keys()];
  await install({ ...own, image: 'agent:2' }, () => {});
  expect([...store.keys()]).toEqual(applied);
  expect(keys().privateKey.equals(first.privateKey)).toBe(true);
  expect(JSON.stringify(store.get('/apis/apps/v1/namespaces/ksnoop/deployments/ksnoop-controller'))).toContain(
    'agent:2',
  );
  const now = await status(kube);
  expect(now.captures).toEqual({ desired: 2, ready: 0, settled: false, reason: '', missing: [] });
  store.delete('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/captures.ksnoop.io');
  expect((await status(kube)).captures?.missing).toEqual(['ValidatingAdmissionPolicy captures.ksnoop.io']);
  const removed = await uninstall({ kube }, () => {});
  expect(store.size).toBe(0);
  expect(removed).toContain('CustomResourceDefinition captures.ksnoop.io');
  const at = (kind: string) => removed.findIndex((name) => name.startsWith(kind));
  expect(at('Deployment')).toBeLessThan(at('CustomResourceDefinition'));
  expect(at('CustomResourceDefinition')).toBeLessThan(at('ValidatingAdmissionPolicyBinding'));
});

test('without Captures none of their objects is applied', async () => {
  await install({ kube, manifests: daemonsetDirectory(), image: 'agent:1', timeoutMs: 0 }, () => {});
  expect([...store.keys()].filter((path) => /captures|secrets|controller/.test(path))).toEqual([]);
  expect((await status(kube)).captures).toBeUndefined();
});

test('a Secret without a key is not replaced', async () => {
  store.set(`${NAMESPACE}/secrets/ksnoop-ticket-key`, {
    metadata: { name: 'ksnoop-ticket-key' },
    data: { 'private.pem': 'bm90aGluZw==' },
  });
  const installing = install(
    { kube, manifests: daemonsetDirectory(), image: 'agent:1', captures: true, timeoutMs: 0 },
    () => {},
  );
  await expect(installing).rejects.toMatchObject({
    code: 'BAD_MANIFEST',
    message: expect.stringContaining('no Ed25519 key'),
  });
});

const OBSERVED = '/apis/apps/v1/namespaces/ksnoop/deployments/ksnoop-observe';
const observe = {
  targets: ['svc/web'],
  namespaces: ['shop', 'pay'],
  flags: ['--otlp', 'http://collector:4318'],
  headersSecret: 'otlp',
  ca: '-----BEGIN CERTIFICATE-----',
};
const role = (namespace: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/ksnoop-observe`;

test('an observation is installed with permissions where its targets are, stays without the option, changes, and is removed', async () => {
  const own = { kube, manifests: daemonsetDirectory(), image: 'agent:1', timeoutMs: 0 };
  await install({ ...own, observe }, () => {});
  const first = [...store.keys()];
  for (const namespace of ['ksnoop', 'shop', 'pay']) expect(first).toContain(role(namespace));
  expect(JSON.stringify(store.get(role('ksnoop')))).toMatch(/pods\/portforward(?!.*pods\/exec)/);
  // With the agents it gets their image, and all that it had.
  await install({ ...own, image: 'agent:2' }, () => {});
  expect([...store.keys()]).toEqual(first);
  expect(JSON.stringify(store.get(OBSERVED))).toContain('"image":"agent:2"');
  expect((await status(kube)).observe).toMatchObject({
    targets: ['svc/web'],
    namespaces: ['shop', 'pay'],
    available: false,
    reason: 'it has no pod',
  });
  // What it no longer observes is no longer permitted, and a Role of others stays.
  store.set(role('other').replace('ksnoop-observe', 'mine'), {
    metadata: { name: 'mine', namespace: 'other', labels: store.get(role('shop'))?.metadata.labels ?? {} },
  });
  await install({ ...own, observe: { ...observe, namespaces: ['shop'], ca: undefined } }, () => {});
  expect(store.has(role('shop'))).toBe(true);
  expect(store.has(role('pay'))).toBe(false);
  expect(store.has(`${NAMESPACE}/configmaps/ksnoop-observe`)).toBe(false);
  const removed = await uninstall({ kube, observeOnly: true }, () => {});
  expect(removed).toContain('Role shop/ksnoop-observe');
  expect([...store.keys()].filter((path) => path.includes('ksnoop-observe'))).toEqual([]);
  expect(store.has(DAEMONSET)).toBe(true);
  await install({ ...own, observe }, () => {});
  expect(await uninstall({ kube }, () => {})).toContain('RoleBinding pay/ksnoop-observe');
  expect([...store.keys()]).toEqual([role('other').replace('ksnoop-observe', 'mine')]);
});

test('agents that take tickets are reached by exec, and what is planned is not applied', async () => {
  const own = { kube, manifests: daemonsetDirectory(), image: 'agent:1', timeoutMs: 0 };
  const objects = await plannedObjects({ ...own, observe, captures: true }, () => {});
  expect(store.size).toBe(0);
  const kinds = objects.map(({ kind }) => kind);
  expect(kinds).toContain('Deployment');
  // The key pair is made when it is installed: neither its private key is printed, nor a public one that has none.
  expect(kinds).not.toContain('Secret');
  expect(JSON.stringify(objects)).not.toContain('PUBLIC KEY');
  const ofAgents = objects.find(
    (object) => object.kind === 'Role' && /"ksnoop-observe","namespace":"ksnoop"/.test(JSON.stringify(object)),
  );
  expect(JSON.stringify(ofAgents)).toMatch(/pods\/exec/);
  expect(JSON.stringify(ofAgents)).not.toMatch(/portforward/);
});

test('an annotation that somebody edited is an error, and does not keep it from being removed', async () => {
  const own = { kube, manifests: daemonsetDirectory(), image: 'agent:1', timeoutMs: 0 };
  for (const text of ['', '[1]', '{"targets":[1],"namespaces":[],"flags":[]}', '{'.repeat(5000)]) {
    await install({ ...own, observe }, () => {});
    const deployment = store.get(OBSERVED);
    if (deployment === undefined) throw new Error('no Deployment');
    deployment.metadata.annotations = { 'ksnoop.io/observe': text };
    await expect(install(own, () => {})).rejects.toMatchObject({ code: 'BAD_MANIFEST' });
    expect((await status(kube)).observe?.reason).toContain('is not as ksnoop wrote it');
    await uninstall({ kube }, () => {});
    expect(store.size).toBe(0);
  }
});
