// A recording whose trigger keeps the packets around failed requests.
import type { ChildProcess } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RecordingOrder, RecordingPiece } from '../../../src/wire/recording.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run } from '../namespaces.ts';
import { MIB, orderOf, RecordedAgent } from './recorded-agent.ts';

const WEB = join(import.meta.dirname, 'web.ts');
let pair: NamespacePair;
let server: ChildProcess;
let agent: RecordedAgent;
beforeAll(async () => {
  pair = makePair();
  server = await background(pair.inside(pair.right, 'node', WEB, 'serve'));
});
beforeEach(async () => {
  agent = new RecordedAgent();
  await agent.ready();
});
afterEach(() => agent.close());
afterAll(() => {
  server.kill('SIGKILL');
  pair.remove();
});

const web = (...words: (string | number)[]) => run(pair.inside(pair.left, 'node', WEB, ...words.map(String)));

const triggered = (where: string, changes: Partial<RecordingOrder> = {}) =>
  orderOf([pair.left], {
    ring: { files: 8, fileBytes: 2 * MIB },
    trigger: { where, beforeMs: 200, afterMs: 200 },
    ...changes,
  });

async function stopped(capture: string) {
  await agent.request('POST', { kind: 'stop', capture }, { body: { reason: 'stopped' } });
  return agent.until(capture, ({ state }) => state === 'finished');
}

/** Fields of the packets in kept pieces, one line each, as tshark reads them. */
async function read(capture: string, pieces: readonly RecordingPiece[], filter: string, ...fields: string[]) {
  const lines: string[] = [];
  for (const { name, sha256, kept } of pieces) {
    expect(kept).toBe(true);
    const { body } = await agent.request('GET', { kind: 'piece', capture, piece: name });
    expect(createHash('sha256').update(body).digest('hex')).toBe(sha256);
    const path = join(agent.directory, name);
    writeFileSync(path, body);
    const argv = ['tshark', '-r', path, '-d', 'tcp.port==8080,http', '-Y', filter, '-T', 'fields'];
    lines.push(...run([...argv, ...fields.flatMap((field) => ['-e', field])]).split('\n'));
  }
  return lines.filter(Boolean);
}

it('the packets of 50 failed requests are kept, each once, with the whole connections', async () => {
  const capture = randomUUID();
  await agent.put(capture, triggered('http.status >= 500'));
  for (let round = 0; round < 5; round += 1) {
    const paths = Array.from({ length: 10 }, (_, index) => `/fail/${round * 10 + index}`);
    web('get', RIGHT_ADDRESS, ...paths.flatMap((path) => ['/ok', path, '/ok']));
  }
  const { triggers, triggerProblem, pieces } = await stopped(capture);
  expect(triggers).toBe(50);
  expect(triggerProblem).toBeUndefined();
  const failed = await read(capture, pieces, 'http.request.uri contains "/fail/"', 'http.request.uri', 'tcp.srcport');
  expect(new Set(failed).size).toBe(50);
  expect(failed).toHaveLength(50);
  expect(await read(capture, pieces, 'http.response.code==500', 'frame.time_epoch')).toHaveLength(50);
  const opened = new Set(await read(capture, pieces, 'tcp.flags.syn==1 && tcp.dstport==8080', 'tcp.srcport'));
  for (const line of failed) expect(opened).toContain(line.split('\t')[1]);
  const all = await read(capture, pieces, 'tcp', 'frame.time_epoch', 'ip.id', 'ip.src');
  expect(new Set(all).size).toBe(all.length);
});

it('of a long connection everything is kept that is before the window, and of others nothing', async () => {
  const capture = randomUUID();
  await agent.put(capture, triggered('http.status >= 500', { trigger: { where: 'failed', beforeMs: 0, afterMs: 0 } }));
  web('get', RIGHT_ADDRESS, '/other');
  web('keep', RIGHT_ADDRESS, 10, 50, '/fail/late');
  web('get', RIGHT_ADDRESS, '/after');
  const { triggers, pieces } = await stopped(capture);
  expect(triggers).toBe(1);
  const requests = await read(capture, pieces, 'http.request', 'http.request.uri');
  expect(requests).toEqual([...new Array(10).fill('/ok'), '/fail/late']);
  expect(await read(capture, pieces, 'tcp.flags.syn==1 && tcp.flags.ack==0', 'tcp.srcport')).toHaveLength(1);
});

it('packets are kept soon after the window has passed, while the recording runs', async () => {
  const capture = randomUUID();
  await agent.put(capture, triggered('http.path == "/fail/now"'));
  web('get', RIGHT_ADDRESS, '/fail/now');
  const { pieces } = await agent.until(capture, (state) => state.pieces.some(({ kept }) => kept));
  const kept = pieces.filter((piece) => piece.kept);
  expect(await read(capture, kept, 'http.request', 'http.request.uri')).toEqual(['/fail/now']);
  expect((await stopped(capture)).pieces).toEqual(kept);
});

it('a thread that dies is started again, what it did not evaluate stays in the ring, and that is reported', async () => {
  const capture = randomUUID();
  await agent.put(capture, triggered('http.status >= 500'));
  web('get', RIGHT_ADDRESS, '/fail/1');
  await agent.until(capture, ({ triggers }) => triggers === 1);
  // What the thread is to read cannot be read.
  const piece = join(agent.directory, 'recordings', capture, '00001.pcapng');
  rmSync(piece);
  mkdirSync(piece);
  web('get', RIGHT_ADDRESS, '/fail/2');
  await agent.until(capture, ({ triggerProblem }) => triggerProblem?.includes('was not evaluated for a time') === true);
  rmdirSync(piece);
  // It is started again while packets come.
  await agent.until(capture, ({ triggers }) => {
    web('get', RIGHT_ADDRESS, '/fail/3');
    return triggers > 1;
  });
  const { state, pieces } = await stopped(capture);
  expect(state).toBe('finished');
  expect(pieces.some(({ kept }) => !kept)).toBe(true);
  const kept = pieces.filter((piece) => piece.kept);
  expect(await read(capture, kept, 'http.request', 'http.request.uri')).toContain('/fail/3');
});

it('after a restart the trigger is evaluated again, and what may not be kept is reported', async () => {
  const capture = randomUUID();
  await agent.put(capture, triggered('http.status >= 500'));
  web('get', RIGHT_ADDRESS, '/fail/1');
  await agent.until(capture, ({ pieces }) => pieces.some(({ kept }) => kept));
  await agent.restart();
  await agent.until(capture, ({ pods }) => pods.length > 0 && pods.every(({ capturing }) => capturing));
  web('get', RIGHT_ADDRESS, '/fail/2');
  await agent.until(capture, ({ triggers }) => triggers === 2);
  const { pieces, triggerProblem } = await stopped(capture);
  expect(triggerProblem).toMatch(/^The agent was restarted before .* of the last 4 s before that may not be kept/);
  const kept = pieces.filter((piece) => piece.kept);
  expect(await read(capture, kept, 'http.request', 'http.request.uri')).toEqual(['/fail/1', '/fail/2']);
  expect(pieces.length).toBeGreaterThan(kept.length);
});

it('what does not fit into the bytes of a recording is not kept, and that is reported', async () => {
  const capture = randomUUID();
  await agent.put(capture, triggered('http.status >= 500', { ring: { files: 2, fileBytes: MIB }, maxBytes: 2 * MIB }));
  web('get', RIGHT_ADDRESS, '/fail/1');
  expect(await stopped(capture)).toMatchObject({
    triggers: 1,
    triggerProblem: expect.stringContaining('The bytes for packets to be kept are used up'),
    pieces: [],
  });
});

it.each([
  ['by a name', 'dst.service == "api"', 'A trigger cannot look at dst.service: a node knows no names for addresses.'],
  ['by an index', 'src["pod"] == "api"', 'A trigger cannot look at src or dst as a whole'],
  ['that is misspelt', 'http.statsu >= 500', 'The trigger "http.statsu >= 500": there is no field "http.statsu"'],
  ['that is no test', 'http.status', 'the expression must be true or false'],
  ['that is nested deeply', `${'('.repeat(2_000)}true${')'.repeat(2_000)}`, 'The trigger "((('],
  ['with a long pattern', `label.matches("${'(a+)+'.repeat(250)}")`, 'The trigger "label.matches'],
  ['with a call', '[1,2,3].map(x, x * x).size() > 2 && process.exit(1)', 'The trigger "[1,2,3]'],
])('a trigger %s is refused', async (_, where, message) => {
  const capture = randomUUID();
  const refused = await agent.request('PUT', { kind: 'recording', capture }, { body: triggered(where) });
  expect(JSON.parse(refused.body.toString())).toMatchObject({
    code: 'BAD_TRIGGER',
    message: expect.stringContaining(message),
  });
  expect(refused.status).toBe(400);
  expect((await agent.request('GET', { kind: 'recording', capture })).status).toBe(404);
});
