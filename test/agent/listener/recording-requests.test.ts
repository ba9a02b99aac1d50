// What a ticket allows to be done with recordings: requests to a real listener, recordings without pods.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordingConnections } from '../../../src/agent/listener/recording-requests.ts';
import { listenForSessions } from '../../../src/agent/listener/session-listener.ts';
import { TicketGate } from '../../../src/agent/listener/ticket-gate.ts';
import { Recordings } from '../../../src/agent/recording/recordings.ts';
import { Volumes } from '../../../src/agent/recording/volumes.ts';
import { ownResources } from '../../../src/agent/session/resources.ts';
import { signRecordingTicket, signTicket } from '../../../src/ticket/sign.ts';
import type { RecordingOrder } from '../../../src/wire/recording.ts';
import type { RecordingTicket } from '../../../src/wire/recording-ticket.ts';
import { madeFetchTicket, madeListTicket, madeRecordTicket, madeTicket, signingKey } from '../../ticket/made-ticket.ts';

const key = signingKey();
const agent = randomUUID();
const node = 'worker-1';
const capture = randomUUID();
const pod = randomUUID();
let directory: string;
let server: Server;
let recordings: Recordings;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-requests-'));
  const protect = <Result>(_owner: object, task: () => Result) => task();
  const resources = ownResources();
  recordings = new Recordings({
    root: directory,
    bytes: 1e9,
    volumes: new Volumes(join(directory, 'volumes')),
    resources,
    log: () => {},
    protect,
  });
  await recordings.load();
  const gate = new TicketGate({ readKeys: () => key.pem, agent, node });
  const start = () => ({ connection: () => {} });
  server = listenForSessions({ port: 0, start, gate, recordings: recordingConnections(recordings, gate) });
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  for (const { capture: each } of recordings.list()) await recordings.remove(each);
  rmSync(directory, { recursive: true });
});

const sign = (ticket: RecordingTicket, by = key) => signRecordingTicket(ticket, by.privateKey).toString('base64url');
const record = (changes = {}) => madeRecordTicket({ agent, node, capture, pods: [pod], ...changes });
const fetching = (changes = {}) => madeFetchTicket({ agent, node, capture, ...changes });
const listing = (changes = {}) => madeListTicket({ agent, node, ...changes });

const order = (changes: Partial<RecordingOrder> = {}): RecordingOrder => ({
  ...{ namespace: 'shop', name: 'errors', pods: [], filter: 'tcp port 80', snaplen: 262_144 },
  ...{ endsAt: Date.now() + 60_000, maxBytes: 2 ** 20, keepMs: 60_000 },
  ...changes,
});

/** @returns the status, and the code of an error or why the ticket was refused */
async function ask(method: string, path: string, ticket: string | undefined, body?: object): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const headers = ticket === undefined ? {} : { 'ksnoop-ticket': ticket };
  const sent = request({ port, host: '127.0.0.1', method, path, headers, agent: false });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  const { code = '' } = text === '' ? {} : JSON.parse(text);
  return [response.statusCode, response.headers['ksnoop-refusal'] ?? code].filter(Boolean).join(' ');
}

const put = (ticket: string | undefined, changes: Partial<RecordingOrder> = {}) =>
  ask('PUT', `/recordings/${capture}`, ticket, order(changes));

test('a recording is started, listed, read, stopped and removed with tickets of its Capture', async () => {
  expect(await put(sign(record()))).toBe('200');
  expect(await ask('GET', '/recordings', sign(listing()))).toBe('200');
  expect(recordings.list()).toMatchObject([{ capture, namespace: 'shop', name: 'errors', state: 'recording' }]);
  expect(recordings.get(capture).state.user).toBe('alice');
  expect(await ask('GET', `/recordings/${capture}`, sign(fetching()))).toBe('200');
  expect(await ask('GET', `/recordings/${capture}/pieces/00009.pcapng`, sign(fetching()))).toBe(
    '404 NO_SUCH_RECORDING',
  );
  expect(await ask('POST', `/recordings/${capture}/stop`, sign(record()), { reason: 'stopped' })).toBe('200');
  expect(await ask('DELETE', `/recordings/${capture}`, sign(record()))).toBe('204');
  expect(await ask('GET', `/recordings/${capture}`, sign(record()))).toBe('404 NO_SUCH_RECORDING');
});

test.each<[string, () => string | undefined, string]>([
  ['no ticket', () => undefined, '401 missing'],
  ['a ticket that nobody signed', () => sign(record(), signingKey()), '401 unsigned'],
  [
    'a ticket of a stream',
    () => signTicket(madeTicket({ agent, node }), key.privateKey).toString('base64url'),
    '401 unsigned',
  ],
  ['an expired ticket', () => sign(record({ iat: Date.now() - 50_000, exp: Date.now() - 5_000 })), '401 expired'],
  ['a ticket of the future', () => sign(record({ iat: Date.now() + 30_000, exp: Date.now() + 60_000 })), '401 early'],
  ['the ticket of another agent', () => sign(record({ agent: randomUUID() })), '401 other-agent'],
  ['the ticket of another node', () => sign(record({ node: 'worker-2' })), '401 other-node'],
  ['the ticket of another Capture', () => sign(record({ capture: randomUUID() })), '403 TICKET_REFUSED'],
  ['a ticket to fetch', () => sign(fetching()), '403 TICKET_REFUSED'],
  ['a ticket to list', () => sign(listing()), '403 TICKET_REFUSED'],
  ['garbage', () => 'x'.repeat(100), '401 unsigned'],
])('a recording is not started with %s', async (_, ticket, refusal) => {
  expect(await put(ticket())).toBe(refusal);
  expect(recordings.list()).toEqual([]);
});

test('a ticket is taken once', async () => {
  const ticket = sign(record());
  expect(await put(ticket)).toBe('200');
  expect(await put(ticket)).toBe('401 used');
});

describe('a ticket does not allow more than it names', () => {
  const other = { namespace: 'shop', name: 'web', uid: randomUUID(), hostNetwork: false };
  test.each<[string, Partial<RecordingOrder>]>([
    ['another pod', { pods: [other] }],
    ['the network of the node', { pods: [{ ...other, uid: pod, hostNetwork: true }] }],
    ['another filter', { filter: 'tcp' }],
    ['another snaplen', { snaplen: 100 }],
    ['more time', { endsAt: Date.now() + 2 * 3_600_000 }],
    ['a further ticket that nobody signed', { tickets: ['abc'] }],
  ])('%s', async (_, changes) => {
    expect(await put(sign(record()), changes)).toBe('403 TICKET_REFUSED');
    expect(recordings.list()).toEqual([]);
  });

  test('a further ticket of another user or Capture', async () => {
    for (const changes of [{ sub: 'bob' }, { capture: randomUUID() }, { filter: '' }]) {
      const tickets = [sign(record({ pods: [other.uid], ...changes }))];
      expect(await put(sign(record()), { pods: [other], tickets })).toBe('403 TICKET_REFUSED');
    }
    const tickets = [sign(record({ pods: [other.uid] }))];
    expect(await put(sign(record()), { pods: [other], tickets })).toBe('200');
  });

  test('pieces with a ticket to record, and anything but reading with one to fetch', async () => {
    expect(await put(sign(record()))).toBe('200');
    const base = `/recordings/${capture}`;
    expect(await ask('GET', `${base}/pieces/00001.pcapng`, sign(record()))).toBe('403 TICKET_REFUSED');
    expect(await ask('DELETE', base, sign(fetching()))).toBe('403 TICKET_REFUSED');
    expect(await ask('POST', `${base}/stop`, sign(fetching()), { reason: 'stopped' })).toBe('403 TICKET_REFUSED');
    const upload = { url: 'http://127.0.0.1:1/', headers: {} };
    expect(await ask('POST', `${base}/pieces/00001.pcapng/upload`, sign(fetching()), upload)).toBe(
      '403 TICKET_REFUSED',
    );
    expect(await ask('GET', '/recordings', sign(fetching()))).toBe('403 TICKET_REFUSED');
    expect(await ask('GET', base, sign(fetching({ capture: randomUUID() })))).toBe('403 TICKET_REFUSED');
    expect(recordings.list()).toHaveLength(1);
  });
});

test('a file on a volume is sent to who fetches its Capture, from any byte, and to nobody else', async () => {
  const place = join(directory, 'volumes', 'shared', 'shop', `night-${capture}`, 'node1-aaaaaaaa');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, '00001.pcapng'), 'packets');
  const url = (uid: string, path = 'shared/shop/night/node1-aaaaaaaa/00001.pcapng') =>
    `/recordings/${uid}/stored/${path}`;
  const { port } = server.address() as AddressInfo;
  for (const [range, status, bytes] of [
    ['bytes=0-', 200, 'packets'],
    ['bytes=3-', 206, 'kets'],
    ['bytes=7-', 206, ''],
    ['bytes=8-', 416, expect.stringContaining('has 7 bytes')],
  ] as const) {
    const sent = request({
      port,
      path: url(capture),
      headers: { 'ksnoop-ticket': sign(fetching()), range },
      agent: false,
    });
    sent.end();
    const [response] = await once(sent, 'response');
    expect([response.statusCode, (await response.toArray()).join('')]).toEqual([status, bytes]);
  }
  expect(await ask('GET', url(capture), sign(record()))).toBe('403 TICKET_REFUSED');
  expect(await ask('GET', url(capture), sign(fetching({ capture: randomUUID() })))).toBe('403 TICKET_REFUSED');
  const foreign = randomUUID();
  expect(await ask('GET', url(foreign), sign(fetching({ capture: foreign })))).toBe('404 NO_SUCH_RECORDING');
  expect(await ask('GET', url(capture, 'cold/shop/night/node1-aaaaaaaa/00001.pcapng'), sign(fetching()))).toBe(
    '404 NO_SUCH_RECORDING',
  );
  expect(await ask('DELETE', `/recordings/${capture}`, sign(record()))).toBe('204');
  expect(await ask('GET', url(capture), sign(fetching()))).toBe('404 NO_SUCH_RECORDING');
});

test('paths and methods that are none are refused, and large bodies too', async () => {
  expect(await ask('GET', '/recordings/../etc/passwd', sign(listing()))).toBe('404 NO_SUCH_RECORDING');
  expect(await ask('PATCH', `/recordings/${capture}`, sign(record()))).toBe('400 INVALID_MESSAGE');
  expect(await ask('PUT', `/recordings/${capture}`, sign(record()), { more: 'x'.repeat(600_000) })).toBe(
    '400 INVALID_MESSAGE',
  );
  expect(await put(sign(record()), { ring: { files: 1, fileBytes: 1 } })).toBe('400 INVALID_MESSAGE');
});

test('a page of a browser is refused, and a session is not opened by another method', async () => {
  const { port } = server.address() as AddressInfo;
  for (const [head, status] of [
    [`GET /recordings HTTP/1.1\r\nhost: a\r\norigin: http://evil\r\n\r\n`, '403'],
    [`POST /session/${'a'.repeat(32)}?new HTTP/1.1\r\nhost: a\r\n\r\n`, '404'],
  ] as const) {
    const socket = connect(port, '127.0.0.1');
    socket.end(head);
    const [chunk] = await once(socket, 'data');
    expect(String(chunk)).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
  }
});

describe('a connection that brings no whole request is closed, so that it keeps no place of the listener', () => {
  const body = 'content-length: 100\r\n\r\n{';
  const head = (first: string, ticket?: string) =>
    `${first} HTTP/1.1\r\nhost: agent\r\n${ticket === undefined ? '' : `ksnoop-ticket: ${ticket}\r\n`}`;
  const cases: Record<string, () => string> = {
    'without a ticket': () => head(`PUT /recordings/${capture}`) + body,
    'with another path': () => head('PUT /recordings/x/y/z') + body,
    'with a ticket': () => head(`PUT /recordings/${capture}`, sign(record())) + body,
    'a second request': () =>
      `${head('GET /recordings', sign(record()))}\r\n${head(`PUT /recordings/${capture}`)}${body}`,
    'a request of an unknown path, whole': () => `${head('GET /recordings/x/y/z')}\r\n`,
  };
  test.each(Object.keys(cases))('%s', async (name) => {
    const gate = new TicketGate({ readKeys: () => key.pem, agent, node });
    const start = () => ({ connection: () => {} });
    const short = listenForSessions({ port: 0, start, gate, recordings: recordingConnections(recordings, gate, 50) });
    await once(short, 'listening');
    const socket = connect((short.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(cases[name]?.() ?? '');
    socket.resume();
    await once(socket, 'close');
    short.close();
    expect(recordings.list()).toEqual([]);
  });
});
