import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { type PodView, podView } from '../../../src/capture/kube/pod.ts';
import { Events } from '../../../src/controller/events.ts';
import type { PolicyState } from '../../../src/controller/policy.ts';
import { Reconciler } from '../../../src/controller/reconciler.ts';
import { AgentPool } from '../../../src/controller/recording/agent-pool.ts';
import type { Destination } from '../../../src/controller/recording/destinations.ts';
import { createClientKey } from '../../../src/ticket/seal.ts';
import { verifyRecordingTicket } from '../../../src/ticket/sign.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { type JsonObject, objectAt, objectsAt } from '../../../src/wire/guard.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';
import { type PlayedRecordings, playedPiece, playRecordings } from '../../support/played-recordings.ts';
import { CAPTURE_UID, madeCapture } from '../made-capture.ts';

const KEY = 'shop/one';
const { privateKey } = generateKeyPairSync('ed25519');
const publicKey = createPublicKey(privateKey);
const uid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const BUCKET: Destination = {
  name: 'archive',
  prefix: 'ksnoop/',
  ca: undefined,
  bucket: {
    endpoint: new URL('http://s3.test:7070'),
    name: 'captures',
    region: 'us-east-1',
    forcePathStyle: true,
    accessKeyId: 'id',
    secretAccessKey: 'secret',
  },
};

let server: ObjectServer;
let kube: Kube;
let captures: Map<string, JsonObject>;
let agents: Map<string, PodView>;
let played: Map<string, PlayedRecordings>;
let policy: PolicyState;
/** Who may capture. */
let allowed: Set<string>;
/** Agents that have the claim mounted. */
let mounted: Set<string>;
let writes: number;
let now: number;
let reconciler: Reconciler;
let abort: AbortController;

function pod(name: string, number: number, node: string): TestObject {
  const made = podObject(name, { labels: { app: 'web' }, node });
  return { ...made, metadata: { ...made.metadata, uid: uid(number) } };
}

function agentOn(node: string, number: number): PodView {
  const made = podObject(`agent-${node}`, { namespace: 'ksnoop', node });
  return { ...podView({ ...made, metadata: { ...made.metadata, uid: uid(number) } }), ready: true };
}

let writer: Events;
/** NAME REASON: MESSAGE of events that were written. */
let events: string[];

/** Another controller, which knows nothing. */
function begin(): void {
  writer = new Events(kube, 'controller-1', () => {});
  abort = new AbortController();
  reconciler = new Reconciler({
    kube,
    cluster: {
      captures,
      agentOn: (node) => [...agents.values()].find(({ nodeName }) => nodeName === node),
      agents: () => [...agents.values()],
      agent: (wanted) => agents.get(wanted),
      mounts: (agent, { claim }) => claim === 'recordings' && mounted.has(agent),
      policy: () => policy,
    },
    pool: new AgentPool(({ uid: agent }) => {
      const found = played.get(agent);
      if (found === undefined) throw new Error(`no agent ${agent}`);
      return found.open();
    }),
    destination: (name, namespace) =>
      name === 'shared' || name === 'cold'
        ? { name, claim: name === 'shared' ? 'recordings' : 'cold-claim' }
        : name === 'archive' && namespace === 'shop'
          ? BUCKET
          : `The administrator has defined no destination ${name}.`,
    log: () => {},
    events: writer,
    key: privateKey,
    enqueue: () => {},
    signal: abort.signal,
    now: () => now,
    elapsed: () => now,
  });
  reconciler.start();
}

function end(): void {
  abort.abort();
  reconciler.close();
}

beforeEach(async () => {
  now = Date.now();
  writes = 0;
  mounted = new Set([uid(91), uid(92)]);
  events = [];
  policy = { protects: true, since: 0 };
  allowed = new Set(['alice']);
  captures = new Map();
  agents = new Map([agentOn('node1', 91), agentOn('node2', 92)].map((agent) => [agent.uid, agent]));
  played = new Map(
    await Promise.all([...agents.keys()].map(async (key) => [key, await playRecordings(key, publicKey)] as const)),
  );
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' } } };
  server = await startObjectServer(service, pod('web-1', 1, 'node1'), pod('web-2', 2, 'node2'));
  server.onWrite(({ method, path, body }) => {
    if (path.endsWith('/subjectaccessreviews')) {
      const { user } = objectAt(body, 'spec');
      return { ...body, status: { allowed: allowed.has(String(user)) } };
    }
    if (path.endsWith('/events')) {
      events.push(`${objectAt(body, 'involvedObject').name} ${body.reason}: ${body.message}`);
    }
    if (method !== 'PATCH' || !path.endsWith('/captures/one/status')) return body;
    writes += 1;
    const capture = captures.get(KEY) ?? {};
    const status: Record<string, unknown> = { ...objectAt(capture, 'status'), ...objectAt(body, 'status') };
    for (const key of Object.keys(status)) if (status[key] === null) delete status[key];
    const version = String(writes + 1);
    captures.set(KEY, { ...capture, metadata: { ...objectAt(capture, 'metadata'), resourceVersion: version }, status });
    return body;
  });
  kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  begin();
});
afterEach(async () => {
  end();
  kube.close();
  await Promise.all([...played.values()].map((agent) => agent.close()));
  await server.api.close();
});

function wanted(spec: JsonObject = {}): void {
  captures.set(KEY, madeCapture({ storage: { destination: 'node' }, clientKey: undefined, ...spec }, { created: now }));
}

function change(spec: JsonObject): void {
  const capture = captures.get(KEY) ?? {};
  captures.set(KEY, { ...capture, spec: { ...objectAt(capture, 'spec'), ...spec } });
}

const status = () => objectAt(captures.get(KEY) ?? {}, 'status');

/** `True Recording` */
function condition(type: string): string {
  const found = objectsAt(status(), 'conditions').find((item) => item.type === type);
  return found === undefined ? 'none' : `${found.status} ${found.reason}`;
}

const message = (type: string) => String(objectsAt(status(), 'conditions').find((item) => item.type === type)?.message);

/** Reconcile until something holds. */
async function until(holds: () => void): Promise<void> {
  await vi.waitFor(
    async () => {
      await reconciler.reconcile(KEY);
      holds();
    },
    { timeout: 60_000, interval: 20 },
  );
}

const recordingOn = (number: number) => played.get(uid(number))?.recordings.get(CAPTURE_UID);

/** A file is finished on a node. */
function finish(number: number, name: string, bytes = Buffer.from('packets')): void {
  const recording = recordingOn(number);
  if (recording === undefined) throw new Error('nothing is recorded');
  recording.bytes.set(name, bytes);
  const first = '1800000000123000000';
  const { pieces } = recording.state;
  recording.state = {
    ...recording.state,
    pieces: [...pieces, playedPiece(name, bytes, { first, last: first })],
    packets: recording.state.packets + 1,
  };
}

async function started(spec: JsonObject = {}): Promise<void> {
  wanted(spec);
  await until(() => expect(condition('Capturing')).toBe('True Recording'));
}

test('a Capture with storage is recorded on every node, with a ticket for its pods', async () => {
  const trigger = { where: 'http.status >= 500', before: '30s', after: '10s' };
  await started({ trigger, filter: 'port 80' });
  expect(status()).toMatchObject({
    phase: 'Running',
    targets: { wanted: 2, admitted: 2, capturing: 2, failed: 0 },
    nodes: [
      { node: 'node1', agent: uid(91), state: 'recording', capturing: 1 },
      { node: 'node2', agent: uid(92), state: 'recording', capturing: 1 },
    ],
  });
  expect(condition('Degraded')).toBe('False AsWanted');
  expect(recordingOn(91)?.order).toMatchObject({
    namespace: 'shop',
    name: 'one',
    filter: 'port 80',
    endsAt: Date.parse(String(objectAt(captures.get(KEY) ?? {}, 'metadata').creationTimestamp)) + 3_600_000,
    trigger: { where: 'http.status >= 500', beforeMs: 30_000, afterMs: 10_000 },
    pods: [{ name: 'web-1', uid: uid(1), hostNetwork: false }],
  });
  const ticket = played.get(uid(91))?.tickets.findLast((each) => each.kind === 'record');
  expect(ticket).toMatchObject({
    capture: CAPTURE_UID,
    sub: 'alice',
    node: 'node1',
    pods: [uid(1)],
    filter: 'port 80',
  });
});

test('a stopped recording is complete when every agent has ended it, and its files are in the status', async () => {
  await started();
  finish(91, '00001.pcapng');
  change({ state: 'Stopped' });
  await until(() => expect(status().phase).toBe('Complete'));
  expect(recordingOn(92)?.state).toMatchObject({ state: 'finished', reason: 'stopped' });
  const sha256 = playedPiece('', Buffer.from('packets')).sha256;
  expect(status().files).toEqual([
    {
      name: `node1-00000000/00001.pcapng`,
      node: 'node1',
      sha256,
      bytes: 7,
      first: '2027-01-15T08:00:00.123Z',
      last: '2027-01-15T08:00:00.123Z',
    },
  ]);
  expect(condition('Stored')).toBe('True OnNodes');
  expect(condition('Complete')).toBe('True Stopped');
  const before = writes;
  await reconciler.reconcile(KEY);
  expect(writes).toBe(before);
});

test('events of the Capture and of its pods have who records what, and at its end how much', async () => {
  await started({ filter: 'port 80' });
  await writer.written;
  expect(events).toContain('one CaptureStarted: alice records packets with filter "port 80" of 2 pods');
  for (const number of [91, 92])
    Object.assign(recordingOn(number)?.state ?? {}, { packets: number, bytes: number * 10 });
  change({ state: 'Stopped' });
  await until(() => expect(status().phase).toBe('Complete'));
  await reconciler.reconcile(KEY);
  await writer.written;
  const what = 'alice recorded packets with filter "port 80"';
  expect(events.filter((event) => event.includes('CaptureComplete')).sort()).toEqual([
    `one CaptureComplete: ${what}: 183 packets, 1830 bytes. It was stopped (spec.state).`,
    `web-1 CaptureComplete: ${what} (Capture one): 91 packets, 910 bytes on its node. It was stopped (spec.state).`,
    `web-2 CaptureComplete: ${what} (Capture one): 92 packets, 920 bytes on its node. It was stopped (spec.state).`,
  ]);
});

test('another controller goes on with what runs, and ends what ended meanwhile', async () => {
  await started();
  end();
  const started1 = recordingOn(91)?.state.startedAt;
  begin();
  await until(() =>
    expect(played.get(uid(91))?.requests.filter((line) => line === 'PUT recording').length).toBeGreaterThan(1),
  );
  expect(recordingOn(91)?.state).toMatchObject({ state: 'recording', startedAt: started1 });
  end();
  change({ state: 'Stopped' });
  begin();
  await until(() => expect(status().phase).toBe('Complete'));
  expect(recordingOn(91)?.state.state).toBe('finished');
});

test('a recording whose requester may no longer capture is ended, for good', async () => {
  await started();
  allowed.delete('alice');
  now += 61_000;
  await until(() => expect(status().phase).toBe('Complete'));
  expect(recordingOn(91)?.state).toMatchObject({ state: 'finished', reason: 'withdrawn' });
  expect(condition('Complete')).toBe('True PermissionWithdrawn');
  allowed.add('alice');
  await reconciler.reconcile(KEY);
  expect(status().phase).toBe('Complete');
});

test('without the policy nothing is recorded, and with it again it goes on', async () => {
  await started();
  policy = { protects: false, why: 'it was deleted' };
  await until(() => expect(recordingOn(91)?.order.pods).toEqual([]));
  expect(condition('PolicyMissing')).toBe('True PolicyMissing');
  policy = { protects: true, since: 0 };
  await until(() => expect(recordingOn(91)?.order.pods).toHaveLength(1));
  expect(recordingOn(91)?.state.state).toBe('recording');
});

test('what an agent refuses for good is refused with its sentence', async () => {
  for (const agent of played.values()) agent.failing = new KsnoopError('BAD_TRIGGER', 'The trigger knows no "htpp".');
  wanted({ trigger: { where: 'htpp' } });
  await until(() => expect(condition('Admitted')).toBe('False Invalid'));
  expect(message('Admitted')).toBe('The trigger knows no "htpp".');
  expect(status().phase).toBe('Refused');
});

test('an agent that is gone leaves a degraded recording, and the next agent of the node records', async () => {
  await started();
  finish(92, '00001.pcapng');
  // At the next look.
  now += 1;
  await until(() => expect(objectsAt(status(), 'files')).toHaveLength(1));
  agents.delete(uid(92));
  await until(() => expect(condition('Degraded')).toBe('True AgentLost'));
  expect(message('Degraded')).toContain('The agent on node node2 was replaced or removed: 1 finished files are lost.');
  expect(status().files).toEqual([]);
  const next = agentOn('node2', 93);
  played.set(next.uid, await playRecordings(next.uid, publicKey));
  agents.set(next.uid, next);
  await until(() => expect(recordingOn(93)?.order.pods).toHaveLength(1));
  await until(() => expect(status()).toMatchObject({ targets: { capturing: 2 } }));
  end();
  begin();
  await until(() => expect(condition('Degraded')).toBe('True AgentLost'));
}, 60_000);

test('the recording of a Capture that is gone is removed, also by a controller that never knew it', async () => {
  await started();
  captures.delete(KEY);
  await reconciler.reconcile(KEY);
  await vi.waitFor(() => expect(recordingOn(91)).toBeUndefined(), { timeout: 30_000 });
  await vi.waitFor(() => expect(recordingOn(92)).toBeUndefined(), { timeout: 30_000 });
});

test('files go to a bucket, each with a URL for it alone', async () => {
  await started({ storage: { destination: 'archive' } });
  finish(91, '00001.pcapng');
  change({ state: 'Stopped' });
  await until(() => expect(condition('Stored')).toBe('True Sent'));
  const [upload] = played.get(uid(91))?.uploads ?? [];
  const url = `http://s3.test:7070/captures/ksnoop/shop/one-${CAPTURE_UID}/node1-00000000/00001.pcapng`;
  expect(upload?.url).toMatch(`${url}?`);
  expect(upload?.headers).toEqual({
    'x-amz-checksum-sha256': Buffer.from(playedPiece('', Buffer.from('packets')).sha256, 'hex').toString('base64'),
  });
  expect(objectsAt(status(), 'files')).toMatchObject([{ url }]);
});

test('files go to a claim: each agent copies its own to the directory of the Capture', async () => {
  await started({ storage: { destination: 'shared' } });
  finish(91, '00001.pcapng');
  change({ state: 'Stopped' });
  await until(() => expect(condition('Stored')).toBe('True Sent'));
  expect(played.get(uid(91))?.copies).toEqual([
    { piece: '00001.pcapng', volume: 'shared', directory: 'node1-00000000' },
  ]);
  const url = `pvc://recordings/shop/one-${CAPTURE_UID}/node1-00000000/00001.pcapng`;
  expect(objectsAt(status(), 'files')).toMatchObject([{ url }]);
});

test('a claim that no agent has mounted is refused, with the way to mount it', async () => {
  wanted({ storage: { destination: 'cold' } });
  await until(() => expect(condition('Admitted')).toBe('False NoDestination'));
  expect(message('Admitted')).toBe(
    'No agent has the claim cold-claim of the destination cold mounted. An administrator mounts it: ksnoop install --captures',
  );
});

/** The agents of both nodes are replaced; the new ones know nothing. */
async function replaceAgents(): Promise<void> {
  for (const [node, before, after] of [
    ['node1', 91, 93],
    ['node2', 92, 94],
  ] as const) {
    agents.delete(uid(before));
    agents.set(uid(after), agentOn(node, after));
    played.set(uid(after), await playRecordings(uid(after), publicKey));
  }
  mounted = new Set([uid(94)]);
}

test('what agents of before have left on a claim is given by those that have it mounted, and goes with the Capture', async () => {
  await started({ storage: { destination: 'shared' } });
  finish(91, '00001.pcapng');
  change({ state: 'Stopped' });
  await until(() => expect(status().phase).toBe('Complete'));
  await replaceAgents();
  const key = createClientKey();
  change({ fetch: { key: key.public, by: 'alice' } });
  await until(() => expect(objectAt(status(), 'fetch').key).toBe(key.public));
  expect(condition('Degraded')).toBe('False AsWanted');
  expect(objectsAt(objectAt(status(), 'fetch'), 'nodes')).toMatchObject([{ node: 'node2', agent: { uid: uid(94) } }]);
  captures.delete(KEY);
  await reconciler.reconcile(KEY);
  const requests = (number: number) => played.get(uid(number))?.requests ?? [];
  await vi.waitFor(() => expect(requests(94)).toContain('DELETE recording'), { timeout: 30_000 });
  expect(requests(93)).not.toContain('DELETE recording');
});

test('a ring is sent when it has ended, what a trigger keeps at once', async () => {
  const ring = { files: 2, fileBytes: 2 ** 20 };
  await started({ storage: { destination: 'archive' }, limits: { duration: '1h', ring } });
  finish(91, '00001.pcapng');
  await until(() => expect(objectsAt(status(), 'files')).toHaveLength(1));
  expect(played.get(uid(91))?.uploads).toEqual([]);
  change({ state: 'Stopped' });
  await until(() => expect(played.get(uid(91))?.uploads).toHaveLength(1));
});

test('the status names the newest files only, and counts all, also for the controllers that follow', async () => {
  await started({ storage: { destination: 'archive' } });
  const sent = (number: number, count: number) => {
    const recording = recordingOn(number);
    if (recording === undefined) throw new Error('nothing is recorded');
    const pieces = Array.from({ length: count }, (_, index) => {
      const first = String(1_800_000_000_000_000_000n + BigInt(number * 1_000 + index));
      const name = `${String(index + 1).padStart(5, '0')}.pcapng`;
      return { ...playedPiece(name, Buffer.from('x'), { first, last: first }), upload: { state: 'done' as const } };
    });
    recording.state = { ...recording.state, pieces };
  };
  sent(91, 700);
  sent(92, 600);
  change({ state: 'Stopped' });
  await until(() => expect(condition('Stored')).toBe('True Sent'));
  const stated = () => {
    expect(objectsAt(status(), 'files')).toHaveLength(1_000);
    expect(objectAt(status(), 'counters')).toMatchObject({ files: 1_300, sent: 1_300 });
    expect(message('Stored')).toBe('1300 of 1300 finished files are in archive.');
  };
  stated();
  end();
  begin();
  // One that knows the status alone, and finds an agent gone: with nothing that is not in the bucket.
  agents.delete(uid(91));
  await until(() => expect(condition('Degraded')).toBe('False AsWanted'));
  stated();
}, 60_000);

test('a destination that is not defined for the namespace is refused by its name', async () => {
  wanted({ storage: { destination: 'elsewhere' } });
  await until(() => expect(condition('Admitted')).toBe('False NoDestination'));
  expect(message('Admitted')).toBe('The administrator has defined no destination elsewhere.');
});

test('whoever fetches gets tickets that only their key opens, while they may capture', async () => {
  await started();
  finish(91, '00001.pcapng');
  change({ state: 'Stopped' });
  await until(() => expect(status().phase).toBe('Complete'));
  const key = createClientKey();
  change({ fetch: { key: key.public, by: 'bob' } });
  await until(() => expect(objectAt(status(), 'fetch').message).toMatch(/^bob may not create pods\/exec/));
  expect(objectAt(status(), 'fetch').nodes ?? null).toBeNull();
  allowed.add('bob');
  now += 16_000;
  await until(() => expect(objectsAt(objectAt(status(), 'fetch'), 'nodes')).toHaveLength(2));
  const [first = {}] = objectsAt(objectAt(status(), 'fetch'), 'nodes');
  const sealed = Buffer.from(String(first.sealed), 'base64');
  expect(verifyRecordingTicket(key.open(sealed), [publicKey])).toMatchObject({
    kind: 'fetch',
    capture: CAPTURE_UID,
    sub: 'bob',
    agent: uid(91),
  });
  expect(() => createClientKey().open(sealed)).toThrow();
  // After a while the request is too old.
  now += 31 * 60_000;
  await until(() => expect(objectAt(status(), 'fetch').message).toMatch(/^Too much time/));
  change({ fetch: undefined });
  await until(() => expect(status().fetch).toBeUndefined());
});
