// Recordings of network namespaces, by a process that records as the agent does.
import { type ChildProcess, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { RecordingPiece, RecordingState } from '../../../src/wire/recording.ts';
import { HANG_MS } from '../../support/hang.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run, traffic } from '../namespaces.ts';
import { MIB, orderOf, RecordedAgent } from './recorded-agent.ts';

let pair: NamespacePair;
let sink: ChildProcess;
let agent: RecordedAgent;
beforeAll(async () => {
  pair = makePair();
  sink = await background(traffic(pair, pair.right, 'sink'));
});
beforeEach(async () => {
  agent = new RecordedAgent({ bytes: 256 * MIB });
  await agent.ready();
});
afterEach(() => agent.close());
afterAll(() => {
  sink.kill('SIGKILL');
  pair.remove();
});

const send = (...numbers: number[]) => run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, ...numbers));

/** A piece as a file, its bytes checked. */
async function fetched(capture: string, { name, bytes, sha256 }: RecordingPiece): Promise<string> {
  const { status, body } = await agent.request('GET', { kind: 'piece', capture, piece: name });
  expect(status).toBe(200);
  expect(body.length).toBe(bytes);
  expect(createHash('sha256').update(body).digest('hex')).toBe(sha256);
  const path = join(agent.directory, `${capture}-${name}`);
  writeFileSync(path, body);
  return path;
}

/** UDP packets in a file, as tshark reads it. */
const packetsIn = (path: string) =>
  run(['tshark', '-r', path, '-Y', 'udp.port==7000', '-T', 'fields', '-e', 'frame.number']).split('\n').filter(Boolean)
    .length;

it('a recording has every packet until it is stopped, in pieces that can each be read', async () => {
  const capture = randomUUID();
  const order = orderOf([pair.left], { ring: { files: 60, fileBytes: MIB } });
  const begun = await agent.put(capture, order);
  expect(begun).toMatchObject({ state: 'recording', user: 'administrator', pods: [{ capturing: true }] });
  send(4_000, 100, 1_000, 1);
  const { status } = await agent.request('POST', { kind: 'stop', capture }, { body: { reason: 'stopped' } });
  expect(status).toBe(200);
  const ended = await agent.until(capture, ({ state }) => state === 'finished');
  expect(ended).toMatchObject({ reason: 'stopped', dropped: 0, gaps: 0, pods: [{ capturing: false }] });
  expect(ended.pieces.length).toBeGreaterThan(3);
  let packets = 0;
  for (const piece of ended.pieces) packets += packetsIn(await fetched(capture, piece));
  expect(packets).toBe(4_000);
  expect(ended.packets).toBe(ended.pieces.reduce((sum, piece) => sum + piece.packets, 0));
  // An order of what has ended starts nothing.
  expect(await agent.put(capture, order)).toMatchObject({ state: 'finished' });
});

it('the pieces of a ring are replaced in turn', async () => {
  const capture = randomUUID();
  await agent.put(capture, orderOf([pair.left], { ring: { files: 2, fileBytes: MIB } }));
  send(6_000, 100, 1_000, 1);
  await agent.until(capture, ({ pieces: [first] }) => first !== undefined && first.name > '00003.pcapng');
  await agent.request('POST', { kind: 'stop', capture }, { body: { reason: 'withdrawn' } });
  const ended = await agent.until(capture, ({ state }) => state === 'finished');
  expect(ended.reason).toBe('withdrawn');
  expect(ended.pieces.length).toBeLessThanOrEqual(2);
  const directory = join(agent.directory, 'recordings', capture);
  expect(readdirSync(directory).sort()).toEqual([...ended.pieces.map(({ name }) => name), 'state.json'].sort());
});

it('a recording ends when its bytes are written, or its time has passed', async () => {
  const [small, short] = [randomUUID(), randomUUID()];
  await agent.put(small, orderOf([pair.left], { maxBytes: 2 * MIB }));
  send(4_000, 100, 1_000, 1);
  const ended = await agent.until(small, ({ state }) => state === 'finished');
  expect(ended.reason).toBe('bytes');
  expect(ended.pieces.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(2 * MIB + 1024);
  await agent.put(short, orderOf([pair.left], { endsAt: Date.now() + 1_000 }));
  expect(await agent.until(short, ({ state }) => state === 'finished')).toMatchObject({ reason: 'duration' });
});

it('a process that is killed is followed by one that goes on, and states the gap', async () => {
  const capture = randomUUID();
  await agent.put(capture, orderOf([pair.left]));
  send(1_000, 100, 200, 1);
  await agent.until(capture, ({ packets }) => packets >= 1_000);
  await agent.restart();
  await agent.until(capture, ({ state, pods }) => state === 'recording' && pods.every(({ capturing }) => capturing));
  send(500, 100, 200, 1);
  await agent.until(capture, ({ packets }) => packets >= 500);
  await agent.request('POST', { kind: 'stop', capture }, { body: { reason: 'stopped' } });
  const ended = await agent.until(capture, ({ state }) => state === 'finished');
  expect(ended.gaps).toBe(1);
  expect(ended.pieces.length).toBe(2);
  const [before = '', after = ''] = await Promise.all(ended.pieces.map((piece) => fetched(capture, piece)));
  expect(packetsIn(before)).toBe(1_000);
  expect(packetsIn(after)).toBe(500);
  expect(run(['capinfos', after])).toMatch(/ksnoop: a gap before this section, from .*: the agent was restarted/);
  // What has ended is there after a restart too.
  await agent.restart();
  expect(await agent.state(capture)).toMatchObject({ state: 'finished', pieces: ended.pieces });
});

it('a fetch that was interrupted goes on where it ended', async () => {
  const capture = randomUUID();
  await agent.put(capture, orderOf([pair.left]));
  send(2_000, 100, 1_000, 1);
  await agent.until(capture, ({ packets }) => packets >= 2_000);
  await agent.request('POST', { kind: 'stop', capture }, { body: { reason: 'stopped' } });
  const { pieces } = await agent.until(capture, ({ state }) => state === 'finished');
  const [piece] = pieces;
  if (piece === undefined) throw new Error('no piece');
  const get = (range: string) =>
    agent.request('GET', { kind: 'piece', capture, piece: piece.name }, { headers: { range } });
  const whole = await agent.request('GET', { kind: 'piece', capture, piece: piece.name });
  const rest = await get('bytes=100000-');
  expect(rest.status).toBe(206);
  expect(rest.headers['content-range']).toBe(`bytes 100000-${piece.bytes - 1}/${piece.bytes}`);
  expect(Buffer.concat([whole.body.subarray(0, 100_000), rest.body]).equals(whole.body)).toBe(true);
  expect((await get(`bytes=${piece.bytes + 1}-`)).status).toBe(416);
  expect((await get('bytes=-5')).status).toBe(416);
  expect((await get('bytes=0-1,5-9')).status).toBe(416);
});

it('what the disk has no room for is refused by name, and a recording that is removed makes room', async () => {
  const [large, another] = [randomUUID(), randomUUID()];
  await agent.put(large, orderOf([pair.left], { maxBytes: 200 * MIB }));
  const refused = await agent.request('PUT', { kind: 'recording', capture: another }, { body: orderOf([pair.left]) });
  expect(refused.status).toBe(507);
  expect(JSON.parse(refused.body.toString())).toMatchObject({
    code: 'RECORDINGS_FULL',
    message: "The recording needs 64 MiB of the node's disk; recordings have 200 MiB of 256 MiB.",
  });
  expect((await agent.request('DELETE', { kind: 'recording', capture: large })).status).toBe(204);
  expect(readdirSync(join(agent.directory, 'recordings'))).toEqual([]);
  expect(await agent.put(another, orderOf([pair.left]))).toMatchObject({ state: 'recording' });
});

it('pods come and go while it runs', async () => {
  const capture = randomUUID();
  const order = orderOf([pair.left, pair.right]);
  expect((await agent.put(capture, { ...order, pods: [] })).pods).toEqual([]);
  expect((await agent.put(capture, order)).pods.map(({ capturing }) => capturing)).toEqual([true, true]);
  const [, right] = order.pods;
  expect((await agent.put(capture, { ...order, pods: right ? [right] : [] })).pods).toHaveLength(1);
  const missing = await agent.put(capture, { ...order, pods: orderOf(['none']).pods });
  expect(missing.pods).toMatchObject([{ capturing: false, message: expect.stringContaining('none') }]);
  const changed = await agent.request('PUT', { kind: 'recording', capture }, { body: { ...order, filter: 'udp' } });
  expect(changed.status).toBe(409);
});

it('a piece is uploaded to where the order says, and its state tells how that went', async () => {
  const capture = randomUUID();
  await agent.put(capture, orderOf([pair.left]));
  send(1_000, 100, 200, 1);
  await agent.until(capture, ({ packets }) => packets >= 1_000);
  await agent.request('POST', { kind: 'stop', capture }, { body: { reason: 'stopped' } });
  const { pieces } = await agent.until(capture, ({ state }) => state === 'finished');
  const [piece] = pieces;
  if (piece === undefined) throw new Error('no piece');
  const hashes: string[] = [];
  const store = createServer(async (request, response) => {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk);
    hashes.push(hash.digest('hex'));
    response.statusCode = request.url === '/taken' ? 200 : 403;
    response.setHeader('etag', '"e"').end();
  }).listen(0, '127.0.0.1');
  await once(store, 'listening');
  const { port } = store.address() as AddressInfo;
  const upload = (path: string) =>
    agent.request(
      'POST',
      { kind: 'upload', capture, piece: piece.name },
      { body: { url: `http://127.0.0.1:${port}${path}`, headers: {} } },
    );
  const uploadOf = ({ pieces: [first] }: RecordingState) => first?.upload;
  expect((await upload('/refused')).status).toBe(202);
  const refused = await agent.until(capture, (state) => uploadOf(state)?.state === 'failed');
  expect(uploadOf(refused)?.message).toContain('answers with the status 403');
  await upload('/taken');
  const taken = await agent.until(capture, (state) => uploadOf(state)?.state === 'done');
  expect(uploadOf(taken)).toEqual({ state: 'done', etag: '"e"' });
  expect(hashes).toEqual([piece.sha256, piece.sha256]);
  store.close();
});

it('a disk that is full ends a recording with the reason, and what was written can be read', async () => {
  const small = new RecordedAgent({ diskMib: 80 });
  try {
    await small.ready();
    const capture = randomUUID();
    await small.put(capture, orderOf([pair.left], { ring: { files: 8, fileBytes: 4 * MIB } }));
    // What is free is looked at once a second: a disk that others fill may take nothing before that.
    small.fillDisk(3);
    send(6_000, 100, 1_000, 1);
    const ended = await small.until(capture, ({ state }) => state === 'failed');
    expect(ended.message).toMatch(/^The disk takes no more: ENOSPC|^The node's disk is nearly full: 0 MiB are free/);
    // The file that was being written is there too.
    expect(ended.pieces.length).toBeGreaterThan(0);
    expect(ended.pieces.reduce((sum, { packets }) => sum + packets, 0)).toBe(ended.packets);
    for (const { name, bytes, sha256, packets } of ended.pieces) {
      const { body } = await small.request('GET', { kind: 'piece', capture, piece: name });
      expect([body.length, createHash('sha256').update(body).digest('hex')]).toEqual([bytes, sha256]);
      const path = join(small.directory, name);
      writeFileSync(path, body);
      expect(run(['capinfos', '-c', '-M', path])).toMatch(new RegExp(`packets: +${packets}$`, 'm'));
    }
    expect((await small.request('DELETE', { kind: 'recording', capture })).status).toBe(204);
  } finally {
    small.close();
  }
});

it('recordings leave free what others of the node need: before one begins, and while it runs', async () => {
  const small = new RecordedAgent({ diskMib: 80, freeMib: 10 });
  try {
    await small.ready();
    const capture = randomUUID();
    const large = await small.request(
      'PUT',
      { kind: 'recording', capture },
      { body: orderOf([pair.left], { maxBytes: 71 * MIB }) },
    );
    expect([large.status, JSON.parse(large.body.toString())]).toMatchObject([
      507,
      {
        code: 'RECORDINGS_FULL',
        message:
          "The recording needs 71 MiB of the node's disk; 80 MiB are free, of which recordings leave 10 MiB, and 0 MiB are for recordings that run.",
      },
    ]);
    await small.put(capture, orderOf([pair.left], { ring: { files: 8, fileBytes: 4 * MIB }, maxBytes: 40 * MIB }));
    // What is promised to one is not there for another.
    const second = await small.request(
      'PUT',
      { kind: 'recording', capture: randomUUID() },
      { body: orderOf([pair.left], { maxBytes: 40 * MIB }) },
    );
    expect(JSON.parse(second.body.toString()).message).toContain('40 MiB are for recordings that run');
    send(1_000, 100, 1_000, 1);
    await small.until(capture, ({ packets }) => packets >= 1_000);
    small.fillDisk(9);
    await vi.waitFor(
      async () => {
        send(100, 100, 1_000, 1);
        expect((await small.state(capture)).state).toBe('failed');
      },
      { timeout: HANG_MS, interval: 500 },
    );
    const ended = await small.state(capture);
    expect(ended.message).toBe(
      "The node's disk is nearly full: 9 MiB are free, of which recordings leave 10 MiB. What was recorded until then stays.",
    );
    const [piece] = ended.pieces;
    expect(piece?.packets).toBe(ended.packets);
    expect(ended.packets).toBeGreaterThanOrEqual(1_000);
  } finally {
    small.close();
  }
});

it('a file in a damaged part of the disk keeps no other from being read, and a state that cannot be read removes nothing', async () => {
  const [some, none] = [randomUUID(), randomUUID()];
  for (const capture of [some, none]) {
    await agent.put(capture, orderOf([pair.left], { maxBytes: 2 * MIB }));
    send(500, 100, 200, 1);
    await agent.until(capture, ({ packets }) => packets >= 500);
  }
  const path = (capture: string, name: string) => join(agent.directory, 'recordings', capture, name);
  await agent.restart(() => {
    // Reading it is answered with EIO.
    symlinkSync('/proc/self/mem', path(some, '00007.pcapng'));
    renameSync(path(none, 'state.json'), path(none, 'state.aside'));
    symlinkSync('/proc/self/mem', path(none, 'state.json'));
  });
  const known = await agent.until(some, ({ pods }) => pods.every(({ capturing }) => capturing));
  expect(known.message).toContain('1 files (00007.pcapng) cannot be read');
  expect(known.pieces.map(({ name }) => name)).toEqual(['00001.pcapng']);
  expect(known.pieces[0]?.packets).toBeGreaterThanOrEqual(500);
  // Nothing is written over it.
  send(500, 100, 200, 1);
  const names = () => readdirSync(join(agent.directory, 'recordings', some));
  await vi.waitFor(() => expect(names()).toContain('00008.pcapng'), { timeout: HANG_MS, interval: 50 });
  // Neither does a recording of the same Capture begin over what cannot be read.
  const asked = { body: orderOf([pair.left], { maxBytes: 2 * MIB }) };
  for (const [method, more] of [
    ['GET', {}],
    ['PUT', asked],
  ] as const) {
    const { status, body } = await agent.request(method, { kind: 'recording', capture: none }, more);
    expect([status, JSON.parse(body.toString())]).toMatchObject([500, { code: 'CANNOT_READ' }]);
    expect(JSON.parse(body.toString()).message).toMatch(/EIO.*Its files stay/);
  }
  expect(readdirSync(join(agent.directory, 'recordings', none)).sort()).toEqual([
    '00001.pcapng',
    'state.aside',
    'state.json',
  ]);
  renameSync(path(none, 'state.aside'), path(none, 'state.json'));
  const again = await vi.waitUntil(() => agent.state(none).catch(() => undefined), {
    timeout: HANG_MS,
    interval: 1_000,
  });
  expect(again.pieces.map(({ name }) => name)).toEqual(['00001.pcapng']);
  expect(again.pieces[0]?.packets).toBeGreaterThanOrEqual(500);
  expect((await agent.request('DELETE', { kind: 'recording', capture: none })).status).toBe(204);
  expect(readdirSync(join(agent.directory, 'recordings'))).toEqual([some]);
});

it('a recording that cannot be removed keeps no other from being read, and is removed when it can be', async () => {
  const [some, unusable, removed] = [randomUUID(), randomUUID(), randomUUID()];
  const directory = (capture: string) => join(agent.directory, 'recordings', capture);
  for (const capture of [some, unusable, removed])
    await agent.put(capture, orderOf([pair.left], { maxBytes: 2 * MIB }));
  const held = [unusable, removed].map((capture) => join(directory(capture), 'held'));
  try {
    await agent.restart(() => {
      writeFileSync(join(directory(unusable), 'state.json'), '{}');
      for (const place of held) {
        mkdirSync(place);
        run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place]);
      }
    });
    await agent.until(some, ({ state }) => state === 'recording');
    const ask = (method: 'GET' | 'DELETE', capture: string) =>
      agent.request(method, { kind: 'recording', capture }).then(({ status }) => status);
    expect(await ask('GET', unusable)).toBe(500);
    expect(await ask('DELETE', removed)).toBe(500);
    expect(await ask('DELETE', removed)).toBe(500);
    // What is left of it is no recording that an agent would go on with.
    await agent.restart();
    expect(await ask('GET', removed)).toBe(500);
    await agent.until(some, ({ state }) => state === 'recording');
    for (const place of held) run(['umount', place]);
    for (const capture of [unusable, removed]) expect(await ask('DELETE', capture)).toBe(204);
    expect(readdirSync(join(agent.directory, 'recordings'))).toEqual([some]);
  } finally {
    for (const place of held) spawnSync('umount', [place], { stdio: 'ignore' });
  }
});
