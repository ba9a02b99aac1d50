import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Output } from '../../../src/run/outputs/output.ts';
import { pcapng } from '../../../src/run/outputs/pcapng.ts';
import { OutputWithKeys } from '../../../src/run/outputs/with-keys.ts';
import { openRotation } from '../../../src/run/rotation/rotating-output.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { interfaceDescription } from '../../../src/wire/pcapng-write.ts';
import { recordTls } from '../../analyze/protocols/tls/decrypt/recorded.ts';
import { tlsCapture } from '../../analyze/protocols/tls/decrypt/tls-capture.ts';
import { packetBlock } from '../../support/packet-blocks.ts';
import { PLAIN } from './plain.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-with-keys-'));
let opened = 0;
let frames: Buffer[] = [];
let keys = '';
/** Packets before the ClientHello. */
let before = 0;
let stranger = '';

const ORIGIN = { stream: 0, index: 0, gap: undefined, remarks: [] };
const described = interfaceDescription({ linkType: 1, snaplen: 262_144, name: 'shop/web/eth0', description: '' });

beforeAll(async () => {
  const recorded = await recordTls({
    version: 'TLSv1.3',
    talk: [['GET /a HTTP/1.1\r\nHost: web.shop\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok']],
  });
  const read = new CaptureFramer({
    interface: () => {},
    packet: (bytes, offset, caplen) => void frames.push(Buffer.from(bytes.subarray(offset, offset + caplen))),
  });
  frames = [];
  read.push(tlsCapture(recorded.steps));
  keys = recorded.keyLog;
  stranger = (await recordTls({ version: 'TLSv1.2', talk: [] })).keyLog;
  before = frames.findIndex((frame) => frame[54] === 22 && frame[55] === 3 && frame[59] === 1);
  expect(before).toBe(3);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function paths() {
  opened += 1;
  return { file: join(directory, `${opened}.pcapng`), log: join(directory, `${opened}.log`) };
}

/** An output into a file, with a clock that the test moves. */
function begin({ file, log }: ReturnType<typeof paths>) {
  const clock = { now: 0 };
  const writer = new ByteWriter(openSync(file, 'w'), () => {});
  const inner = pcapng.create({ ...PLAIN, writer });
  const output = new OutputWithKeys(inner, log, () => clock.now);
  output.addInterface(0, described, 0, described.length, ORIGIN);
  const end = async () => {
    await output.close('user');
    writer.close();
  };
  return { output, clock, end };
}

let time = 1_700_000_000_000_000_000n;
function send(output: Output, packets: readonly Buffer[]) {
  for (const bytes of packets) {
    time += 1_000_000n;
    const block = packetBlock({ interfaceId: 0, time, bytes });
    output.write(BLOCK.enhancedPacket, 0, block, 0, block.length);
  }
  output.flush();
}

/** What is in a file: packets, and the number of packets before each block of secrets. */
function contents(file: string) {
  const secrets: number[] = [];
  let [packets, lines] = [0, ''];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: () => {
      packets += 1;
    },
    secrets: (text) => {
      secrets.push(packets);
      lines += text;
    },
  });
  framer.push(readFileSync(file));
  return { packets, secrets, lines };
}

function flushed(output: Output, { file }: ReturnType<typeof paths>) {
  output.flush();
  return contents(file);
}

const requestsIn = (file: string) =>
  execFileSync('tshark', ['-r', file, '-Y', 'http.request', '-T', 'fields', '-e', 'http.request.uri'], {
    encoding: 'utf8',
  }).trim();

test('a ClientHello and all behind it wait until the secrets of its connection are there', async () => {
  const place = paths();
  const { output, end } = begin(place);
  send(output, frames);
  // What a program writes first is not enough to decrypt the data.
  const all = keys.split('\n').filter((line) => line !== '');
  writeFileSync(place.log, `${stranger}${all.slice(0, 2).join('\n')}\n`);
  const written = () => flushed(output, place).packets;
  await expect.poll(written).toBe(before);
  appendFileSync(place.log, `${all.slice(2).join('\n')}\n`);
  await expect.poll(written, { timeout: 20_000 }).toBe(frames.length);
  await end();
  const { secrets, lines } = contents(place.file);
  expect(secrets).toEqual([before]);
  expect(lines.split('\n')).toHaveLength(4 + 1);
  expect(lines).not.toContain(stranger.split(' ')[1]);
  expect(lines).not.toContain('EXPORTER');
  expect(requestsIn(place.file)).toBe('/a');
  expect(output.omitted).toBe('secrets of 1 TLS connection written');
}, 60_000);

test('nothing waits where the secrets are there before', async () => {
  const place = paths();
  writeFileSync(place.log, keys);
  const { output, end } = begin(place);
  send(output, frames.slice(0, before + 1));
  await expect.poll(() => flushed(output, place).packets, { timeout: 20_000 }).toBe(before + 1);
  send(output, frames.slice(before + 1));
  await expect.poll(() => contents(place.file).packets, { timeout: 20_000 }).toBe(frames.length);
  expect(contents(place.file).secrets).toEqual([before]);
  await end();
  expect(requestsIn(place.file)).toBe('/a');
}, 60_000);

test('without secrets packets leave after a while, and secrets that come later are written then', async () => {
  const place = paths();
  const { output, clock, end } = begin(place);
  send(output, frames);
  clock.now = 1499;
  output.flush();
  send(output, []);
  expect(output.omitted).toBe('secrets of 0 TLS connections written');
  clock.now = 1500;
  output.flush();
  await expect.poll(() => contents(place.file).packets, { timeout: 20_000 }).toBe(frames.length);
  expect(output.omitted).toBe('secrets of 0 TLS connections written; 1 connection without');
  writeFileSync(place.log, keys);
  await expect.poll(() => flushed(output, place).secrets, { timeout: 20_000 }).toEqual([frames.length]);
  await end();
  expect(output.omitted).toBe('secrets of 1 TLS connection written');
}, 60_000);

test('more than 16 MiB do not wait', async () => {
  const place = paths();
  const { output, end } = begin(place);
  send(output, frames.slice(0, before + 1));
  const filler = Buffer.alloc(60_000);
  const many = new Array<Buffer>(300).fill(filler);
  send(output, many.slice(0, 250));
  await expect.poll(() => contents(place.file).packets, { timeout: 20_000 }).toBe(before);
  send(output, many.slice(250));
  await expect.poll(() => contents(place.file).packets, { timeout: 20_000 }).toBe(before + 1 + 300);
  await end();
}, 60_000);

test('what waits at the end is written, with the secrets that are there by then', async () => {
  const place = paths();
  const { output, end } = begin(place);
  send(output, frames);
  writeFileSync(place.log, keys);
  await end();
  expect(contents(place.file)).toMatchObject({ packets: frames.length, secrets: [before] });
  expect(requestsIn(place.file)).toBe('/a');
}, 60_000);

test('of several files, the one with the ClientHello has the secrets', async () => {
  const place = paths();
  writeFileSync(place.log, keys);
  // Each file has one packet, or two.
  const rotation = { bytes: 400, intervalMs: Number.POSITIVE_INFINITY, files: Number.POSITIVE_INFINITY, ring: false };
  const sink = openRotation({ path: place.file, force: true, rotation }, pcapng.create, () => {});
  const output = new OutputWithKeys(sink.output(PLAIN), place.log);
  output.addInterface(0, described, 0, described.length, ORIGIN);
  send(output, frames);
  await output.close('user');
  await sink.close(false);
  const files = execFileSync('ls', [directory], { encoding: 'utf8' }).split('\n');
  const all = files.filter((name) => name.startsWith(`${opened}-`)).map((name) => contents(join(directory, name)));
  expect(all.length).toBeGreaterThan(2);
  let packets = 0;
  for (const { packets: some, secrets } of all) {
    const has = packets <= before && before < packets + some;
    expect(secrets).toEqual(has ? [before - packets] : []);
    packets += some;
  }
  expect(packets).toBe(frames.length);
}, 60_000);
