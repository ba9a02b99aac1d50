import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { type PodView, podView } from '../../src/capture/kube/pod.ts';
import { AgentRecordings } from '../../src/capture/tenant/agent-recordings.ts';
import { Events } from '../../src/controller/events.ts';
import { TARGETS_MAXIMUM, TARGETS_OF_NAMESPACE } from '../../src/controller/limits.ts';
import type { PolicyState } from '../../src/controller/policy.ts';
import { Reconciler } from '../../src/controller/reconciler.ts';
import { AgentPool } from '../../src/controller/recording/agent-pool.ts';
import { verifyTicket } from '../../src/ticket/sign.ts';
import { type JsonObject, objectAt, objectsAt } from '../../src/wire/guard.ts';
import { parseSealedTickets, type Ticket } from '../../src/wire/ticket.ts';
import { HANG_MS } from '../support/hang.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../support/object-server.ts';
import { CAPTURE_UID, clientKey, madeCapture } from './made-capture.ts';

const KEY = 'shop/one';
const { privateKey } = generateKeyPairSync('ed25519');
const publicKey = createPublicKey(privateKey);
const uid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

let server: ObjectServer;
let kube: Kube;
let captures: Map<string, JsonObject>;
let agents: Map<string, PodView>;
let policy: PolicyState;
/** What the authorizer allows, `verb resource[/subresource] in NAMESPACE`. */
let allowed: Set<string>;
let reviews: JsonObject[];
let written: JsonObject[];
let logged: string[];
let events: { kind: unknown; reason: unknown; message: unknown }[];
let now: number;
let reconciler: Reconciler;
let looked: number;
let writer: Events;
let openAgent: () => AgentRecordings;
const abort = new AbortController();

function pod(name: string, number: number, options: Parameters<typeof podObject>[1] = {}): TestObject {
  const made = podObject(name, { labels: { app: 'web' }, ...options });
  return { ...made, metadata: { ...made.metadata, uid: uid(number) } };
}

function service(selector?: Record<string, string>): TestObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ...(selector && { selector }) } };
}

beforeEach(async () => {
  now = Date.now();
  captures = new Map([[KEY, madeCapture({}, { created: now })]]);
  agents = new Map(['node1', 'node2'].map((node, index) => [node, agentOn(node, 90 + index)]));
  policy = { protects: true, since: 0 };
  allowed = new Set(['capture captures in shop']);
  openAgent = () => {
    throw new Error('no agent records');
  };
  [reviews, written, events, logged, looked] = [[], [], [], [], 0];
  server = await startObjectServer(service({ app: 'web' }), pod('web-1', 1), pod('web-2', 2, { node: 'node2' }));
  server.onWrite(({ method, path, body }) => {
    if (path.endsWith('/subjectaccessreviews')) {
      reviews.push(objectAt(body, 'spec'));
      const { verb, resource, subresource, namespace = '' } = objectAt(objectAt(body, 'spec'), 'resourceAttributes');
      const words = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} in ${namespace}`;
      return { ...body, status: { allowed: allowed.has(words) } };
    }
    if (path.endsWith('/events')) {
      events.push({ kind: objectAt(body, 'involvedObject').kind, reason: body.reason, message: body.message });
      return body;
    }
    if (method === 'PATCH' && path.endsWith('/captures/one/status')) {
      expect(objectAt(body, 'metadata').uid).toBe(CAPTURE_UID);
      written.push(objectAt(body, 'status'));
      const capture = captures.get(KEY) ?? {};
      captures.set(KEY, { ...capture, status: { ...objectAt(capture, 'status'), ...objectAt(body, 'status') } });
      return body;
    }
    return undefined;
  });
  kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  writer = new Events(kube, 'controller-1', (line) => logged.push(line));
  reconciler = new Reconciler({
    kube,
    cluster: {
      captures,
      agentOn: (node) => agents.get(node),
      agents: () => [...agents.values()],
      agent: (wanted) => [...agents.values()].find((each) => each.uid === wanted),
      mounts: () => true,
      policy: () => policy,
    },
    pool: new AgentPool(() => openAgent()),
    destination: (name) => `The administrator has defined no destination ${name}.`,
    log: () => {},
    events: writer,
    key: privateKey,
    enqueue: () => {
      looked += 1;
    },
    signal: abort.signal,
    now: () => now,
    elapsed: () => now,
  });
});
afterEach(async () => {
  reconciler.close();
  kube.close();
  await server.api.close();
});

function agentOn(node: string, number: number): PodView {
  const made = podObject(`agent-${node}`, { namespace: 'ksnoop', node });
  return { ...podView({ ...made, metadata: { ...made.metadata, uid: uid(number) } }), ready: true };
}

/** Reconcile until the targets were looked up. */
async function settled(): Promise<number | undefined> {
  const before = looked;
  const first = await reconciler.reconcile(KEY);
  if (reconciler.running === 0 || first !== undefined) return first;
  await vi.waitFor(() => expect(looked).toBeGreaterThan(before), { timeout: HANG_MS });
  return reconciler.reconcile(KEY);
}

function status(): JsonObject {
  return objectAt(captures.get(KEY) ?? {}, 'status');
}

/** `Admitted True Allowed` of the status. */
function condition(type: string): string {
  const found = objectsAt(status(), 'conditions').find((item) => item.type === type);
  return found === undefined ? 'none' : `${found.status} ${found.reason}`;
}

/** What the client reads in the tickets. */
function tickets(): Ticket[] {
  return parseSealedTickets(status().tickets).map(({ sealed }) =>
    verifyTicket(clientKey.open(Buffer.from(sealed, 'base64')), [publicKey]),
  );
}

test('a Capture gets a ticket for each node, for the pods of its targets, and events', async () => {
  await settled();
  expect(status()).toMatchObject({
    phase: 'Running',
    observedGeneration: 1,
    targets: { wanted: 2, admitted: 2, failed: 0 },
  });
  expect(condition('Admitted')).toBe('True Allowed');
  expect(condition('PolicyMissing')).toBe('False InForce');
  expect(tickets()).toMatchObject([
    {
      capture: CAPTURE_UID,
      sub: 'alice',
      node: 'node1',
      agent: uid(90),
      pods: [uid(1)],
      filter: '',
      snaplen: 262_144,
      hostNetwork: false,
    },
    { node: 'node2', agent: uid(91), pods: [uid(2)] },
  ]);
  for (const { iat, exp } of tickets()) expect(exp - iat).toBeLessThan(60_000);
  await writer.written;
  expect(events.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual([
    'Capture CaptureStarted',
    'Pod CaptureStarted',
    'Pod CaptureStarted',
  ]);
  expect(events[1]?.message).toBe('alice captures all packets (Capture one)');
});

test('nothing is written again while nothing changes, and every renewal asks for the permission and has another jti', async () => {
  await settled();
  const [count, first, asked] = [written.length, tickets(), reviews.length];
  now += 5_000;
  await reconciler.reconcile(KEY);
  expect([written.length, reviews.length]).toEqual([count, asked]);
  now += 15_000;
  await reconciler.reconcile(KEY);
  expect(reviews.length).toBeGreaterThan(asked);
  const second = tickets();
  expect(second.map(({ node }) => node)).toEqual(first.map(({ node }) => node));
  for (const { jti } of second) expect(first.map((ticket) => ticket.jti)).not.toContain(jti);
});

test('a permission that is withdrawn takes the tickets away, and comes back with them', async () => {
  await settled();
  allowed.clear();
  now += 20_000;
  await reconciler.reconcile(KEY);
  expect(status()).toMatchObject({ phase: 'Pending', tickets: [], targets: { admitted: 0 } });
  expect(condition('Admitted')).toBe('False Forbidden');
  expect(reconciler.running).toBe(0);
  allowed.add('create pods/exec in shop');
  await settled();
  expect(tickets()).toHaveLength(2);
});

test('without a permission nothing is looked up', async () => {
  allowed = new Set(['capture captures in other', 'capture-host-network captures in ']);
  await settled();
  expect(condition('Admitted')).toBe('False Forbidden');
  expect(server.api.seen.filter((line) => /pods|services/.test(line))).toEqual([]);
});

test('Captures of one requester share an answer for 2 s, and those of another have their own', async () => {
  const two = 'shop/two';
  captures.set(two, madeCapture({}, { created: now, name: 'two', uid: uid(300) }));
  await Promise.all([reconciler.reconcile(KEY), reconciler.reconcile(two)]);
  expect(reviews).toHaveLength(1);
  captures.set('shop/three', madeCapture({ requestedBy: 'bob' }, { created: now, name: 'three', uid: uid(301) }));
  await reconciler.reconcile('shop/three');
  captures.set(
    'shop/four',
    madeCapture({ requestedByGroups: ['team'] }, { created: now, name: 'four', uid: uid(302) }),
  );
  await reconciler.reconcile('shop/four');
  expect(reviews.map(({ user, groups }) => [user, groups])).toEqual([
    ['alice', ['system:authenticated']],
    ['bob', ['system:authenticated']],
    ['alice', ['team', 'system:authenticated']],
  ]);
  now += 2_000;
  captures.set('shop/five', madeCapture({}, { created: now, name: 'five', uid: uid(303) }));
  await reconciler.reconcile('shop/five');
  expect(reviews).toHaveLength(4);
});

test('the authorizer is asked about the user with the groups that the policy confirmed', async () => {
  const name = 'system:serviceaccount:shop:robot';
  captures.set(
    KEY,
    madeCapture({ requestedBy: name, requestedByGroups: ['team'], requestedByExtra: { scopes: ['a'] } }),
  );
  await settled();
  expect(reviews[0]).toEqual({
    user: name,
    groups: ['team', 'system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    extra: { scopes: ['a'] },
    resourceAttributes: { namespace: 'shop', verb: 'capture', group: 'ksnoop.io', resource: 'captures' },
  });
});

test('without the policy nothing is admitted, nor what was made before it', async () => {
  policy = { protects: false, why: 'the policy is missing' };
  await settled();
  expect(condition('PolicyMissing')).toBe('True PolicyMissing');
  expect(condition('Admitted')).toBe('False PolicyMissing');
  expect(status()).toMatchObject({ phase: 'Pending', tickets: [] });
  policy = { protects: true, since: now + 60_000 };
  await settled();
  expect(status()).toMatchObject({ phase: 'Refused', tickets: [] });
  expect(reviews).toEqual([]);
});

test('it ends with its duration and when it is stopped, and its tickets are never valid for longer', async () => {
  captures.set(KEY, madeCapture({ limits: { duration: '30s' } }, { created: now }));
  await settled();
  for (const { exp } of tickets()) expect(exp).toBeLessThanOrEqual(now + 30_000);
  now += 30_000;
  expect(await reconciler.reconcile(KEY)).toBeUndefined();
  expect(status()).toMatchObject({ phase: 'Complete', tickets: [] });
  expect(condition('Complete')).toBe('True DurationReached');
  const { completionTime } = status();
  now += 5_000;
  captures.set(KEY, { ...madeCapture({ state: 'Stopped' }), status: status() });
  await reconciler.reconcile(KEY);
  expect(condition('Complete')).toBe('True Stopped');
  expect(status().completionTime).toBe(completionTime);
  expect(reconciler.running).toBe(0);
});

test('a Service without a selector reaches no pod of another namespace', async () => {
  server.put(service());
  server.put(pod('secret', 7, { namespace: 'bank', ip: '10.244.9.9' }));
  server.put({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    endpoints: [
      { addresses: ['10.244.9.9'], targetRef: { kind: 'Pod', name: 'secret', namespace: 'bank' } },
      { addresses: ['10.244.9.9'] },
      { addresses: ['10.244.1.9'], targetRef: { kind: 'Pod', name: 'web-1', namespace: 'shop' } },
    ],
  });
  await settled();
  expect(tickets().flatMap(({ pods }) => pods)).toEqual([uid(1)]);
  expect(JSON.stringify(status())).not.toContain('bank');
});

test('pods on the network of their node need hostNetwork and its verb; static pods are never captured', async () => {
  const onNode = pod('web-3', 3);
  server.put({ ...onNode, spec: { ...objectAt(onNode, 'spec'), hostNetwork: true } });
  const mirror = pod('web-4', 4, { owner: { kind: 'Node', name: 'node1', apiVersion: 'v1' } });
  const annotations = { 'kubernetes.io/config.hash': 'a'.repeat(32) };
  server.put({ ...mirror, metadata: { ...mirror.metadata, annotations } });
  await settled();
  expect(tickets().flatMap(({ pods }) => pods)).toEqual([uid(1), uid(2)]);
  expect(status()).toMatchObject({ targets: { wanted: 4, admitted: 2, failed: 2 } });
  expect(condition('Degraded')).toBe('True PodsNotCaptured');
  captures.set(KEY, madeCapture({ hostNetwork: true }, { uid: CAPTURE_UID }));
  reconciler.close();
  await settled();
  expect(condition('Admitted')).toBe('False Forbidden');
  allowed.add('capture-host-network captures in ');
  await settled();
  const host = tickets().filter(({ hostNetwork }) => hostNetwork);
  expect(host.flatMap(({ pods }) => pods)).toEqual([uid(3)]);
});

test('a pod that joins has its own check, and a node without an agent is named', async () => {
  await settled();
  const asked = reviews.length;
  now += 3_000;
  const before = looked;
  server.put(pod('web-5', 5, { node: 'node3' }));
  server.put(pod('web-6', 6, { node: 'node2' }));
  await vi.waitFor(
    async () => {
      expect(looked).toBeGreaterThan(before);
      await reconciler.reconcile(KEY);
      expect(status()).toMatchObject({ targets: { wanted: 4, admitted: 3, failed: 1 } });
    },
    { timeout: HANG_MS },
  );
  expect(reviews.length).toBeGreaterThan(asked);
  expect(objectsAt(status(), 'nodes')).toContainEqual({
    node: 'node3',
    pods: 1,
    message: 'No agent is ready on node node3.',
  });
});

test('what cannot be served is refused with its reason', async () => {
  captures.set(KEY, madeCapture({ targets: ['node/node1'] }));
  await reconciler.reconcile(KEY);
  expect(condition('Admitted')).toBe('False Invalid');
  captures.set(KEY, madeCapture({ storage: { destination: 'nowhere' } }));
  await settled();
  expect(condition('Admitted')).toBe('False NoDestination');
  // A public key of a small order: the shared secret would be known to everybody.
  captures.set(KEY, madeCapture({ clientKey: `${'A'.repeat(43)}=` }));
  await settled();
  expect(condition('Admitted')).toBe('False Invalid');
  expect(status()).toMatchObject({ phase: 'Refused', tickets: [] });
});

test('a Capture that is deleted is forgotten, and one of its name is another one', async () => {
  await settled();
  const first = tickets();
  captures.set(KEY, { ...madeCapture({ requestedBy: 'bob' }), status: status() });
  captures.delete(KEY);
  expect(await reconciler.reconcile(KEY)).toBeUndefined();
  expect(reconciler.running).toBe(0);
  captures.set(KEY, madeCapture({ requestedBy: 'bob' }));
  await settled();
  expect(tickets()[0]).toMatchObject({ sub: 'bob' });
  expect(tickets()[0]?.jti).not.toBe(first[0]?.jti);
});

test('an authorizer that cannot answer admits nothing', async () => {
  server.onWrite(() => undefined);
  await expect(reconciler.reconcile(KEY)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(reconciler.running).toBe(0);
  expect(written).toEqual([]);
});

test('the Captures of one namespace do not take the place of all others', async () => {
  const targets = Array.from({ length: 32 }, (_, index) => `svc/web-${index}`);
  const names = Array.from({ length: 19 }, (_, index) => `shop/many-${index}`);
  for (const [index, name] of names.entries()) {
    captures.set(name, madeCapture({ targets }, { created: now, name: name.slice(5), uid: uid(100 + index) }));
  }
  for (const name of names) await reconciler.reconcile(name);
  expect(reconciler.running).toBe(Math.floor(TARGETS_OF_NAMESPACE / 32));
  const other = madeCapture({}, { created: now, uid: uid(200) });
  captures.set('other/one', { ...other, metadata: { ...objectAt(other, 'metadata'), namespace: 'other' } });
  allowed.add('capture captures in other');
  await reconciler.reconcile('other/one');
  expect(reconciler.running).toBe(Math.floor(TARGETS_OF_NAMESPACE / 32) + 1);
});

test('the targets of all Captures together are bounded', async () => {
  const targets = Array.from({ length: 32 }, (_, index) => `pod/web-${index}`);
  const each = Math.floor(TARGETS_OF_NAMESPACE / 32);
  const wanted = Math.ceil(TARGETS_MAXIMUM / 32) + 1;
  captures.clear();
  for (let index = 0; index < wanted; index += 1) {
    const namespace = `shop-${Math.floor(index / each)}`;
    const made = madeCapture({ targets }, { created: now, name: `many-${index}`, uid: uid(100 + index) });
    captures.set(`${namespace}/${index}`, { ...made, metadata: { ...objectAt(made, 'metadata'), namespace } });
    allowed.add(`capture captures in ${namespace}`);
  }
  for (const name of captures.keys()) await reconciler.reconcile(name);
  expect(reconciler.running).toBe(Math.floor(TARGETS_MAXIMUM / 32));
});

test('the event of a refusal is written once, however often it is refused', async () => {
  allowed.clear();
  for (let count = 0; count < 5; count += 1) {
    now += 15_000;
    await reconciler.reconcile(KEY);
  }
  await writer.written;
  expect(events.map(({ reason }) => reason)).toEqual(['CaptureRefused']);
});

test('the events of an end are written when its status is, at another attempt', async () => {
  await settled();
  const [, object = {}] = [...captures].find(([key]) => key === KEY) ?? [];
  captures.set(KEY, { ...object, spec: { ...objectAt(object, 'spec'), state: 'Stopped' } });
  const permit = server.forbid(/^PATCH .*status/);
  await expect(reconciler.reconcile(KEY)).rejects.toThrow('Forbidden');
  expect(status().phase).toBe('Running');
  permit();
  await reconciler.reconcile(KEY);
  await reconciler.reconcile(KEY);
  await writer.written;
  expect(status().phase).toBe('Complete');
  expect(events.filter(({ reason }) => reason === 'CaptureComplete').map(({ kind }) => kind)).toEqual([
    'Capture',
    'Pod',
    'Pod',
  ]);
});

/** What has an event of its end, which is written when the agents have answered. */
async function endsOf(count: number): Promise<unknown[]> {
  const ends = () => events.filter(({ reason }) => reason === 'CaptureComplete');
  await vi.waitFor(() => expect(ends()).toHaveLength(count), { timeout: HANG_MS });
  return ends().map(({ kind, message }) => `${kind}: ${String(message).split('. ').at(-1)}`);
}

test('a Capture that is deleted before its end could be written has the events of an end', async () => {
  await settled();
  const object = captures.get(KEY) ?? {};
  captures.set(KEY, { ...object, spec: { ...objectAt(object, 'spec'), state: 'Stopped' } });
  server.forbid(/^PATCH .*status/);
  await expect(reconciler.reconcile(KEY)).rejects.toThrow('Forbidden');
  captures.delete(KEY);
  await reconciler.reconcile(KEY);
  const deleted = 'The Capture was deleted.';
  expect(await endsOf(3)).toEqual([`Capture: ${deleted}`, `Pod: ${deleted}`, `Pod: ${deleted}`]);
});

test('pods that were captured and are gone have the events of an end', async () => {
  captures.set(KEY, madeCapture({ targets: ['pod/web-1', 'pod/nothing'] }, { created: now }));
  await settled();
  server.remove('Pod', 'web-1');
  await vi.waitFor(
    async () => {
      await reconciler.reconcile(KEY);
      expect(status()).toMatchObject({ targets: { admitted: 0 } });
    },
    { timeout: HANG_MS },
  );
  now += 20_000;
  await settled();
  captures.delete(KEY);
  await reconciler.reconcile(KEY);
  expect(await endsOf(2)).toEqual(['Capture: The Capture was deleted.', 'Pod: The Capture was deleted.']);
});

test('a Capture whose status the watch has not brought yet does not end again without its amounts', async () => {
  const { promise, reject } = Promise.withResolvers<Duplex>();
  openAgent = () => new AgentRecordings(() => promise);
  await settled();
  const object = captures.get(KEY) ?? {};
  const stopped = { ...object, spec: { ...objectAt(object, 'spec'), state: 'Stopped' } };
  for (let looks = 0; looks < 2; looks += 1) {
    captures.set(KEY, stopped);
    await reconciler.reconcile(KEY);
  }
  await writer.written;
  expect(events.filter(({ reason }) => reason === 'CaptureComplete')).toEqual([]);
  reject(new Error('no agent answers'));
  await endsOf(3);
});

test('events that cannot be written are logged once, and written when they can be', async () => {
  server.forbid(/^POST .*events/);
  await settled();
  await writer.written;
  expect(events).toEqual([]);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('an event in namespace shop was not written');
});
