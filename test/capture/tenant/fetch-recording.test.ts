// Which files of a recording are fetched: from an API server with a Capture, whose controller the test plays, and a played agent.
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { RecordingFetch } from '../../../src/capture/tenant/fetch-recording.ts';
import { seal } from '../../../src/ticket/seal.ts';
import { signRecordingTicket } from '../../../src/ticket/sign.ts';
import { isObject, type JsonObject, objectAt } from '../../../src/wire/guard.ts';
import type { RecordingPiece } from '../../../src/wire/recording.ts';
import { type ApiServer, json, startApiServer } from '../../support/api-server.ts';
import { type PlayedRecordings, playedPiece, playRecordings } from '../../support/played-recordings.ts';
import { forward } from './tenant-place.ts';

const CAPTURE = '00000000-0000-4000-8000-00000000000c';
const AGENT = '00000000-0000-4000-8000-000000000091';
const DIRECTORY = `https://s3.test/captures/ksnoop/shop/night-${CAPTURE}/`;
const path = '/apis/ksnoop.io/v1alpha1/namespaces/shop/captures';
const { privateKey } = generateKeyPairSync('ed25519');
const { signal } = new AbortController();
let server: ApiServer;
let kube: Kube;
let agent: PlayedRecordings;
let status: JsonObject;
let spec: JsonObject;
let version: number;
let watches: Set<ServerResponse>;

beforeEach(async () => {
  watches = new Set();
  version = 1;
  spec = { targets: ['svc/web'], storage: { destination: 'archive' } };
  agent = await playRecordings(AGENT, createPublicKey(privateKey));
  server = await startApiServer({
    onRequest: (request, response) => {
      request.toArray().then((chunks) => answer(`${request.method} ${request.url}`, chunks.join(''), response));
    },
    onExec: (socket) => forward(socket, agent.port),
  });
  kube = await loadKube({ kubeconfig: server.kubeconfig({ namespace: 'shop' }) });
});
afterEach(async () => {
  kube.close();
  await agent.close();
  await server.close();
});

const object = () => ({
  metadata: { name: 'night', namespace: 'shop', uid: CAPTURE, resourceVersion: String(version) },
  spec,
  status,
});

function answer(request: string, body: string, response: ServerResponse): void {
  if (request.startsWith('POST /apis/authentication.k8s.io/')) {
    json(response, 201, { status: { userInfo: { username: 'alice', groups: [] } } });
  } else if (request.startsWith('PATCH ')) {
    const { fetch } = objectAt(JSON.parse(body), 'spec');
    if (isObject(fetch)) status = { ...status, fetch: granted(String(fetch.key)) };
    version += 1;
    for (const watch of watches) watch.write(`${JSON.stringify({ type: 'MODIFIED', object: object() })}\n`);
    json(response, 200, object());
  } else if (request.includes('watch=true')) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    watches.add(response);
    response.write(`${JSON.stringify({ type: 'MODIFIED', object: object() })}\n`);
  } else if (request.startsWith(`GET ${path}?`)) {
    json(response, 200, { metadata: { resourceVersion: '1' }, items: [object()] });
  } else json(response, 200, object());
}

/** What the controller answers to whoever fetches: a ticket for the agent. */
function granted(key: string): JsonObject {
  const iat = Date.now();
  const ticket = {
    sub: 'alice',
    node: 'node1',
    agent: AGENT,
    iat,
    exp: iat + 50_000,
    jti: randomBytes(16).toString('hex'),
  };
  const signed = signRecordingTicket({ kind: 'fetch', capture: CAPTURE, ...ticket }, privateKey);
  const sealed = seal(signed, key).toString('base64');
  return {
    key,
    nodes: [{ node: 'node1', agent: { namespace: 'ksnoop', name: 'agent-1', uid: AGENT }, sealed }],
    urls: [],
  };
}

const pieceName = (number: number) => `${String(number).padStart(5, '0')}.pcapng`;

function named(number: number, isSent = true): JsonObject {
  const name = `node1-00000000/${pieceName(number)}`;
  const { sha256, bytes } = playedPiece('', Buffer.from(`packets ${number}`));
  return { name, node: 'node1', sha256, bytes, ...(isSent && { url: `${DIRECTORY}${name}` }) };
}

/** The agent knows these files, the first ones of them as sent. */
function known(files: number, sent: number): void {
  const pieces = Array.from({ length: files }, (_, index): RecordingPiece => {
    const piece = playedPiece(pieceName(index + 1), Buffer.from(`packets ${index + 1}`));
    return index < sent ? { ...piece, upload: { state: 'done' } } : piece;
  });
  const order = {
    namespace: 'shop',
    name: 'night',
    pods: [],
    filter: '',
    snaplen: 65_535,
    endsAt: 0,
    maxBytes: 0,
    keepMs: 0,
  };
  agent.recordings.set(CAPTURE, {
    order,
    bytes: new Map(),
    state: {
      ...{
        capture: CAPTURE,
        namespace: 'shop',
        name: 'night',
        user: 'alice',
        state: 'finished',
        startedAt: 1,
        endsAt: 2,
      },
      ...{ pods: [], packets: 1, bytes: 1, dropped: 0, triggers: 0, gaps: 0, pieces },
    },
  });
}

async function files() {
  const fetch = await RecordingFetch.begin(kube, { namespace: 'shop', name: 'night' }, () => Promise.reject(), signal);
  try {
    return await fetch.files(signal);
  } finally {
    await fetch.close();
  }
}

test('files in a bucket that the status does not name are those that their agent names', async () => {
  known(7, 6);
  status = { files: [named(5), named(6), named(7, false)], counters: { files: 7, sent: 6 } };
  const { files: found, missing } = await files();
  expect(found.map(({ name }) => name).sort()).toEqual(
    [1, 2, 3, 4, 5, 6].map((number) => `node1-00000000/${pieceName(number)}`),
  );
  expect(found.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
  expect(missing).toEqual(['1 finished files are not at the destination archive yet.']);
});

test('files in a bucket that nobody names any more are missing, and where they are is stated', async () => {
  status = { files: [named(5), named(6)], counters: { files: 6, sent: 6 } };
  const { files: found, missing } = await files();
  expect(found).toHaveLength(2);
  expect(missing).toEqual([
    `4 files of the recording may be in the bucket that no status and no agent names any more: they are not fetched. They are below ${DIRECTORY}.`,
  ]);
});

test('a controller of before, which counts no files, may have left some out', async () => {
  status = { files: Array.from({ length: 1_000 }, (_, index) => named(index + 1)) };
  expect((await files()).missing).toEqual([expect.stringMatching(/^Older files of the recording may be/)]);
  status = { files: Array.from({ length: 999 }, (_, index) => named(index + 1)) };
  expect(await files()).toMatchObject({ missing: [] });
});

test('files on a claim come from an agent that has it mounted, also those of an agent that is gone', async () => {
  known(1, 1);
  agent.recordings.get(CAPTURE)?.bytes.set(pieceName(5), Buffer.from('packets 5'));
  const gone = { ...named(5), name: `node9-11111111/${pieceName(5)}` };
  const lost = { ...named(6), name: `node9-11111111/${pieceName(6)}` };
  const url = (file: JsonObject) => `pvc://recordings/shop/night-${CAPTURE}/${file.name}`;
  status = {
    files: [gone, lost].map((file) => ({ ...file, node: 'node9', url: url(file) })),
    counters: { files: 3, sent: 2 },
  };
  const read = async (index: number) => {
    const fetch = await RecordingFetch.begin(
      kube,
      { namespace: 'shop', name: 'night' },
      () => Promise.reject(),
      signal,
    );
    try {
      const { files: found, missing } = await fetch.files(signal);
      expect(missing).toEqual(['1 finished files are not at the destination archive yet.']);
      let text = '';
      for await (const chunk of (await found[index]?.open(3, signal)) ?? []) text += String(chunk);
      return text;
    } finally {
      await fetch.close();
    }
  };
  expect(await read(0)).toBe('kets 5');
  await expect(read(1)).rejects.toMatchObject({ code: 'NO_SUCH_RECORDING' });
  expect(agent.requests).toEqual(['GET stored', 'GET stored']);
});

test('where the status names all files, no agent is asked', async () => {
  known(2, 2);
  status = { files: [named(1), named(2)], counters: { files: 2, sent: 2 } };
  expect((await files()).files).toHaveLength(2);
  expect(agent.requests).toEqual([]);
});
