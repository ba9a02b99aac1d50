import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject, type JsonObject, objectAt, parseJson } from '../../src/wire/guard.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, shopPods } from '../support/shop.ts';
import { call, ensureStores } from '../support/stores.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-protocols-'));
const file = join(directory, 'protocols.pcapng');
const run = `protocols${Date.now()}`;
let on: TestCluster;
/** What was said, by the callers themselves, by ksnoop while it ran, and by ksnoop of the file. */
const said: { callers: Record<string, JsonObject>; live: JsonObject[]; read: JsonObject[] } = {
  callers: {},
  live: [],
  read: [],
};
/** Addresses of the servers' pods by app: what is seen there is counted, not the same on its way to the Service. */
const addresses: Record<string, string> = {};

beforeAll(async () => {
  on = await ensureStores();
  await ensureAgent();
  for (const app of ['postgres', 'mysql', 'talk']) addresses[app] = (await shopPods(on, app))[0]?.ip ?? '';
  const targets = ['deploy/caller', 'deploy/postgres', 'deploy/mysql', 'deploy/talk'];
  const live = new KsnoopProcess(['-n', 'shop', ...targets, '-o', 'json'], on.kubeconfig);
  const written = new KsnoopProcess(['-n', 'shop', ...targets, '-w', file], on.kubeconfig);
  await Promise.all([live.capturing(4), written.capturing(4)]);
  said.callers = {
    postgresql: await call(on, 'sql', '--kind', 'postgres', '--n', '60', '--run', run),
    mysql: await call(on, 'sql', '--kind', 'mysql', '--n', '60', '--run', run),
    grpc: await call(on, 'grpc', 'call', 'talk:50051', '60'),
    websocket: await call(on, 'websocket', 'send', 'ws://talk:8081/echo', '--n', '40', '--run', run),
    tls: await call(on, 'handshakes', 'make', 'talk:443', '--n', '40'),
  };
  const ended = [await live.stop(), await written.stop()];
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0);
  const read = await new KsnoopProcess(['read', file, '-o', 'json'], on.kubeconfig).finished();
  expect(read.code, read.stderr).toBe(0);
  said.live = records(ended[0]?.stdout);
  said.read = records(read.stdout);
});

afterAll(() => rmSync(directory, { recursive: true }));

function records(output: Buffer | undefined): JsonObject[] {
  const lines = output?.toString('utf8').split('\n').filter(Boolean) ?? [];
  return lines.map((line) => parseJson(line, 'record')).filter(isObject);
}

function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Of the records in which an app's pod was asked (or of messages, had a part): what each says. */
function ofKsnoop(all: readonly JsonObject[], app: string, protocol: string, word: (record: JsonObject) => string) {
  const own = all.filter((record) => {
    const ends = [objectAt(record, 'src'), objectAt(record, 'dst')];
    return record.protocol === protocol && ends.some(({ ip }) => ip === addresses[app]);
  });
  for (const record of own.filter(({ kind }) => kind === 'exchange')) {
    expect(objectAt(record, 'src')).toMatchObject({ namespace: 'shop', pod: expect.stringMatching(/^caller-/) });
    expect(objectAt(record, 'dst')).toMatchObject({ pod: expect.stringContaining(app), service: app });
  }
  return counted(own.map(word).filter((text) => text !== ''));
}

/**
 * The servers' ports that tshark has no protocol for. Without them it goes by the client's port, which may be one it knows: a TLS
 * connection from port 44818 is EtherNet/IP then.
 */
const DECODED_AS = ['tcp.port==50051,http2', 'tcp.port==8081,http', 'tcp.port==8443,tls'].flatMap((is) => ['-d', is]);

/** tshark's values of fields in the frames of a filter: by frame, by field. */
function tsharkRows(filter: string, ...fields: string[]): string[][][] {
  const argv = ['-n', '-r', file, ...DECODED_AS, '-Y', filter, '-T', 'fields', '-E', 'aggregator=\x1f'];
  const text = execFileSync('tshark', [...argv, ...fields.flatMap((field) => ['-e', field])], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1e9,
  });
  const lines = text.split('\n').filter(Boolean);
  return lines.map((line) => line.split('\t').map((values) => values.split('\x1f')));
}

/** tshark's values of one field, counted. */
function ofTshark(filter: string, field: string, word: (value: string) => string = (value) => value) {
  return counted(tsharkRows(filter, field).flatMap(([values = []]) => values.filter(Boolean).map(word)));
}

const table: string[] = [];
afterAll(() => console.error(['what the callers, ksnoop and tshark counted', ...table].join('\n')));

/** All four have counted the same. */
function expectSame(what: string, callers: object, live: unknown, read: unknown, tshark: unknown): void {
  const text = JSON.stringify(callers);
  table.push(`  ${what.padEnd(24)} ${text.length < 200 ? text : `${Object.keys(callers).length} of them`}`);
  expect({ live, read, tshark }).toEqual({ live: callers, read: callers, tshark: callers });
}

test.each([
  ['postgresql', 'postgres', 'pgsql.query', '42P01'],
  ['mysql', 'mysql', 'mysql.query', '1146'],
])('%s: every statement, and those that failed', (protocol, app, field, code) => {
  const report = said.callers[protocol] as JsonObject;
  expect(objectAt(report, 'errors')).toEqual({ [code]: 20 });
  const statement = (record: JsonObject) => String(objectAt(record, 'sql').statement ?? '');
  const ours = (all: readonly JsonObject[]) =>
    ofKsnoop(all, app, protocol, (record) =>
      statement(record).includes(run) ? statement(record).replace(/;$/, '') : '',
    );
  const theirs = ofTshark(`${field} contains "${run}" && ip.dst == ${addresses[app]}`, field, (text) =>
    text.replace(/;$/, ''),
  );
  expect(Object.values(theirs).reduce((sum, count) => sum + count, 0)).toBe(report.sent);
  expectSame(`${protocol} statements`, theirs, ours(said.live), ours(said.read), theirs);
  const failed = (all: readonly JsonObject[]) =>
    ofKsnoop(all, app, protocol, (record) =>
      record.failed === true && statement(record).includes(run)
        ? (String(record.status)
            .replace(/^ERROR /, '')
            .split(' ')[0] ?? '')
        : '',
    );
  expectSame(`${protocol} errors`, objectAt(report, 'errors'), failed(said.live), failed(said.read), report.errors);
});

test('gRPC: every call by its status', () => {
  const report = objectAt(said.callers.grpc as JsonObject, 'status');
  expect(report).toEqual({ OK: 20, NOT_FOUND: 20, UNIMPLEMENTED: 20 });
  const ours = (all: readonly JsonObject[]) =>
    ofKsnoop(all, 'talk', 'grpc', (record) => String(objectAt(record, 'grpc').status));
  const names: Record<string, string> = { 0: 'OK', 5: 'NOT_FOUND', 12: 'UNIMPLEMENTED' };
  const trailers = tsharkRows(
    `http2.header.name == "grpc-status" && ip.src == ${addresses.talk}`,
    'http2.header.name',
    'http2.header.value',
  );
  const codes = trailers.flatMap(([keys = [], values = []]) => values.filter((_, at) => keys[at] === 'grpc-status'));
  const theirs = counted(codes.map((code) => names[code] ?? code));
  expectSame('gRPC statuses', report, ours(said.live), ours(said.read), theirs);
});

test('WebSocket: every message by its kind', () => {
  const report = said.callers.websocket as JsonObject;
  // Each comes back: the server echoes.
  const both = { text: 2 * Number(report.text), binary: 2 * Number(report.binary) };
  const ours = (all: readonly JsonObject[]) =>
    ofKsnoop(all, 'talk', 'websocket', ({ kind, ...record }) =>
      kind === 'message' ? String(objectAt(record, 'websocket').opcode) : '',
    );
  const names: Record<string, string> = { 1: 'text', 2: 'binary' };
  const theirs = ofTshark(
    `websocket.opcode && ip.addr == ${addresses.talk}`,
    'websocket.opcode',
    (code) => names[code] ?? code,
  );
  const { text, binary } = theirs;
  expectSame('WebSocket messages', both, ours(said.live), ours(said.read), { text, binary });
});

test('TLS: every handshake by server name and version, and those that were refused', () => {
  const report = said.callers.tls as JsonObject;
  const callers = {
    ...objectAt(report, 'made'),
    ...Object.fromEntries(
      Object.entries(objectAt(report, 'refused')).map(([name, count]) => [`${name} refused`, count]),
    ),
  };
  const ours = (all: readonly JsonObject[]) =>
    ofKsnoop(all, 'talk', 'tls', (record) => {
      if (record.kind !== 'exchange') return '';
      const { sni, version } = objectAt(record, 'tls');
      return record.failed === true ? `${sni} refused` : `${sni} ${String(version).replace('TLS1', 'TLSv1')}`;
    });
  expectSame('TLS handshakes', callers, ours(said.live), ours(said.read), callers);
  const names = ofTshark(
    `tls.handshake.type == 1 && ip.dst == ${addresses.talk}`,
    'tls.handshake.extensions_server_name',
  );
  const own = counted(
    Object.entries(ours(said.read)).flatMap(([text, count]) => Array(count).fill(text.split(' ')[0])),
  );
  expectSame('TLS server names', names, own, own, names);
});
