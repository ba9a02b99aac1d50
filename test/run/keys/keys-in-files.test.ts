import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatNamed } from '../../../src/run/convert/index.ts';
import { readKeyLog } from '../../../src/run/keys/read-key-log.ts';
import { secretsBlocks } from '../../../src/run/keys/secrets-blocks.ts';
import { convert } from '../../../src/run/reading/convert.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { BlockFramer } from '../../../src/wire/pcapng-read.ts';
import { recordTls } from '../../analyze/protocols/tls/decrypt/recorded.ts';
import { tlsCapture } from '../../analyze/protocols/tls/decrypt/tls-capture.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-keys-'));
const [capture, keyLog, written] = ['tls.pcap', 'keys.log', 'new.pcapng'].map((name) => join(directory, name)) as [
  string,
  string,
  string,
];
let other = '';

beforeAll(async () => {
  const talk = ['/a', '/b'].map(
    (path) =>
      [`GET ${path} HTTP/1.1\r\nHost: web.shop\r\n\r\n`, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'] as const,
  );
  const recorded = await recordTls({ version: 'TLSv1.3', talk });
  writeFileSync(capture, tlsCapture(recorded.steps));
  other = (await recordTls({ version: 'TLSv1.3', talk: [] })).keyLog;
  writeFileSync(keyLog, `# comment\n${other}${recorded.keyLog}`);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function write(from: string, to: string, options: { readonly keyLog?: string; readonly withoutKeys?: boolean }) {
  const format = formatNamed('pcapng');
  if (format === undefined) throw new Error('no pcapng');
  const reading = { paths: [from], follow: false, filter: undefined, from: undefined, to: undefined, where: undefined };
  await convert(
    { ...reading, showSecrets: false, keyLog: options.keyLog },
    { format, target: { kind: 'file', path: to }, snaplen: 262_144, force: true, withoutKeys: options.withoutKeys },
    new AbortController().signal,
    {},
  );
}

/** Lines of secrets in a file, and how many packets came before each block. */
function secretsIn(path: string): { readonly lines: string; readonly before: readonly number[] } {
  let packets = 0;
  let lines = '';
  const before: number[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: () => {
      packets += 1;
    },
    secrets: (text) => {
      lines += text;
      before.push(packets);
    },
  });
  framer.push(readFileSync(path));
  return { lines, before };
}

test('the secrets of the captured connections alone stand before the packets, and tshark decrypts with them', async () => {
  await write(capture, written, { keyLog });
  const { lines, before } = secretsIn(written);
  expect(before).toEqual([0]);
  expect(lines.split('\n').filter((line) => line !== '')).toHaveLength(4);
  const stranger = other.split(' ')[1] ?? '';
  expect(lines).not.toContain(stranger);
  expect(lines).not.toContain('EXPORTER');
  const uris = execFileSync('tshark', ['-r', written, '-Y', 'http.request', '-T', 'fields', '-e', 'http.request.uri'], {
    encoding: 'utf8',
  });
  expect(uris.trim().split('\n')).toEqual(['/a', '/b']);
});

/** A pcap file as pcapng in big-endian order, its section written twice with the packets in the second. */
function bigEndianOf(pcap: Buffer): Buffer {
  const block = (type: number, body: Buffer) => {
    const padding = (4 - (body.length % 4)) % 4;
    const whole = Buffer.concat([Buffer.alloc(8), body, Buffer.alloc(padding + 4)]);
    whole.writeUInt32BE(type, 0);
    whole.writeUInt32BE(whole.length, 4);
    whole.writeUInt32BE(whole.length, whole.length - 4);
    return whole;
  };
  const section = block(0x0a0d0d0a, Buffer.from('1a2b3c4d00010000ffffffffffffffff', 'hex'));
  const described = Buffer.alloc(8);
  described.writeUInt16BE(pcap.readUInt32LE(20), 0);
  const packets: Buffer[] = [];
  for (let at = 24; at < pcap.length; ) {
    const size = pcap.readUInt32LE(at + 8);
    const head = Buffer.alloc(20);
    head.writeUInt32BE(at, 8);
    head.writeUInt32BE(size, 12);
    head.writeUInt32BE(size, 16);
    packets.push(block(6, Buffer.concat([head, pcap.subarray(at + 16, at + 16 + size)])));
    at += 16 + size;
  }
  return Buffer.concat([section, section, block(1, described), ...packets]);
}

test('a big-endian section gets the secrets in its own byte order', async () => {
  const bigEndian = join(directory, 'big-endian.pcapng');
  writeFileSync(bigEndian, bigEndianOf(readFileSync(capture)));
  await write(bigEndian, written, { keyLog });
  const { lines, before } = secretsIn(written);
  expect(before).toEqual([0]);
  expect(lines.split('\n').filter((line) => line !== '')).toHaveLength(4);
  const shown = execFileSync(
    'tshark',
    ['-r', written, '-Y', 'http.request', '-T', 'fields', '-e', 'http.request.uri'],
    {
      encoding: 'utf8',
    },
  );
  expect(shown.trim().split('\n')).toEqual(['/a', '/b']);
});

/** The capture with its secrets behind the packets, as a capture that ran may have them. */
async function withLateSecrets(path: string): Promise<void> {
  await write(capture, path, { keyLog });
  const blocks: Buffer[] = [];
  const secrets: Buffer[] = [];
  const framer = new BlockFramer(({ type, bytes, offset, length }) => {
    (type === BLOCK.decryptionSecrets ? secrets : blocks).push(Buffer.from(bytes.subarray(offset, offset + length)));
  });
  framer.push(readFileSync(path));
  writeFileSync(path, Buffer.concat([...blocks, ...secrets, ...secrets, wireguardSecrets()]));
  expect(secretsIn(path).before[0]).toBeGreaterThan(3);
}

/** A Decryption Secrets Block of another kind (WGKL). */
function wireguardSecrets(): Buffer {
  const block = Buffer.alloc(24, 'x');
  for (const [index, word] of [10, 24, 0x57474b4c, 4].entries()) block.writeUInt32LE(word, index * 4);
  block.writeUInt32LE(24, 20);
  return block;
}

test('secrets behind the packets are moved to the front, those of another kind stay', async () => {
  const late = join(directory, 'late.pcapng');
  await withLateSecrets(late);
  for (const options of [{}, { keyLog: join(directory, 'another.log') }]) {
    if (options.keyLog !== undefined) writeFileSync(options.keyLog, other);
    rmSync(written, { force: true });
    await write(late, written, options);
    const { lines, before } = secretsIn(written);
    expect(before).toEqual([0]);
    expect(lines.split('\n').filter((line) => line !== '')).toHaveLength(4);
    expect(readFileSync(written).subarray(-24)).toEqual(wireguardSecrets());
    const uris = execFileSync(
      'tshark',
      ['-r', written, '-Y', 'http.request', '-T', 'fields', '-e', 'http.request.uri'],
      { encoding: 'utf8' },
    );
    expect(uris.trim().split('\n')).toEqual(['/a', '/b']);
  }
});

test('of a pipe, which cannot be read a second time, they stay behind the packets', async () => {
  const [late, pipe] = [join(directory, 'late.pcapng'), join(directory, 'pipe')];
  await withLateSecrets(late);
  execFileSync('mkfifo', [pipe]);
  const source = spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', late, pipe]);
  try {
    await write(pipe, written, {});
  } finally {
    source.kill();
  }
  expect(secretsIn(written)).toEqual(secretsIn(late));
});

test('more than are moved to the front stay where they are: none is lost', async () => {
  const many = join(directory, 'many.pcapng');
  const lines = Array.from({ length: 250_001 }, (_, index) => `line ${index}\n`);
  await write(capture, many, {});
  writeFileSync(many, Buffer.concat([readFileSync(many), ...secretsBlocks(lines)]));
  await write(many, written, {});
  const { lines: kept, before } = secretsIn(written);
  expect(kept).toBe(lines.join(''));
  expect(Math.min(...before)).toBeGreaterThan(3);
});

test('--no-keys leaves them out', async () => {
  await write(capture, written, { keyLog });
  const without = join(directory, 'without.pcapng');
  await write(written, without, { withoutKeys: true });
  expect(secretsIn(without)).toEqual({ lines: '', before: [] });
  await write(written, without, {});
  expect(secretsIn(without)).toEqual(secretsIn(written));
});

test('a file without secrets, and one that is not there, are named', async () => {
  await expect(readKeyLog(capture)).rejects.toMatchObject({ code: 'NO_KEYS' });
  await expect(readKeyLog(join(directory, 'none'))).rejects.toMatchObject({ code: 'NO_FILE' });
});
