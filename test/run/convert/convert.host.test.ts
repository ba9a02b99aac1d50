// `ksnoop read IN -w OUT`, judged by tshark: what comes out is what went in, less what was asked to go.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nameResolution, withComment } from '../../../src/wire/pcapng-write.ts';
import { BUILT_EPOCH_NS, builtPcapng, handshake } from '../../support/built-capture.ts';
import { readCaptureFile } from '../../support/capture-file.ts';
import { KSNOOP_IN_SHELL, KsnoopProcess } from '../../support/ksnoop-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-convert-'));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string) => join(directory, name);
const captures = join(import.meta.dirname, '../../analyze/protocols/captures');
const HTTP2 = join(captures, 'http2.pcap');

beforeAll(() => {
  const connection = (client: number, from: number) => {
    const ports = [client, 80] as const;
    const answer = client === 40_001 ? 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n' : 'HTTP/1.1 204 Yes\r\n\r\n';
    return [
      ...handshake([100, 900], from).map((segment) => ({ ...segment, ports })),
      {
        side: 0 as const,
        sequence: 101,
        flags: 'P.',
        payload: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
        at: from + 3,
        ports,
      },
      { side: 1 as const, sequence: 901, flags: 'P.', payload: answer, at: from + 4, ports },
    ];
  };
  const segments = [...connection(40_000, 0), ...connection(40_001, 1_000), ...connection(40_002, 2_000)];
  writeFileSync(at('three.pcapng'), builtPcapng(segments, ['shop/web-1/any']));
  const whole = builtPcapng(segments, ['shop/web-1/any']);
  // Names before the packets, and a comment on the interface: the first block after it has gone by.
  const interfaceAt = whole.readUInt32LE(4);
  const packetsAt = interfaceAt + whole.readUInt32LE(interfaceAt + 4);
  const described = withComment(whole.subarray(interfaceAt, packetsAt), 'kept by ksnoop');
  const named = nameResolution([{ address: '10.0.0.2', names: ['shop/web-1'] }]);
  const parts = [whole.subarray(0, interfaceAt), described, named, whole.subarray(packetsAt)];
  writeFileSync(at('commented.pcapng'), Buffer.concat(parts));
});

function ksnoop(...args: string[]) {
  return new KsnoopProcess(args).finished();
}

/** Every packet's time, lengths and bytes, as a reader written apart has them; tshark finds as many. */
async function packets(path: string): Promise<string[]> {
  const frames = (await readCaptureFile(path)) ?? [];
  const argv = ['-n', '-r', path, '-T', 'fields', '-e', 'frame.time_epoch', '-e', 'frame.cap_len', '-e', 'frame.len'];
  const text = execFileSync('tshark', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = text.split('\n').filter(Boolean);
  expect(lines.length).toBe(frames.length);
  return lines.map((line, at) => `${line.replaceAll('\t', ' ')} ${frames[at]?.bytes.toString('hex')}`);
}

test('pcap becomes pcapng and pcap again, packet by packet', async () => {
  expect((await ksnoop('read', HTTP2, '-w', at('one.pcapng'))).code).toBe(0);
  expect((await ksnoop('read', at('one.pcapng'), '-w', at('one.pcap'))).code).toBe(0);
  expect(await packets(at('one.pcapng'))).toEqual(await packets(HTTP2));
  expect(await packets(at('one.pcap'))).toEqual(await packets(HTTP2));
  expect(readFileSync(at('one.pcap')).readUInt32LE(0)).toBe(0xa1b23c4d);
  expect(statSync(at('one.pcap')).mode & 0o777).toBe(0o600);
});

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
])('%s, through a file, a pipe and a FIFO', async (name, compress) => {
  writeFileSync(at(`in.${name}`), compress(readFileSync(HTTP2)));
  expect((await ksnoop('read', at(`in.${name}`), '-w', at(`${name}.pcap`))).code).toBe(0);
  expect(await packets(at(`${name}.pcap`))).toEqual(await packets(HTTP2));
  const words = `cat ${at(`in.${name}`)} | ${KSNOOP_IN_SHELL} read - -w - | cat > ${at(`${name}-pipe.pcapng`)}`;
  execFileSync('sh', ['-c', words], { stdio: 'ignore' });
  expect(await packets(at(`${name}-pipe.pcapng`))).toEqual(await packets(HTTP2));
  execFileSync('mkfifo', [at(`${name}.fifo`)]);
  const writer = spawn('sh', ['-c', `cat ${at(`in.${name}`)} > ${at(`${name}.fifo`)}`]);
  const { code } = await ksnoop('read', at(`${name}.fifo`), '-w', at(`${name}-fifo.pcap`));
  if (writer.exitCode === null) await once(writer, 'close');
  expect(code).toBe(0);
  expect(await packets(at(`${name}-fifo.pcap`))).toEqual(await packets(HTTP2));
});

test('-s cuts what is kept, and says how long a packet was', async () => {
  const { code } = await ksnoop('read', HTTP2, '-s', '60', '-w', at('short.pcapng'));
  expect(code).toBe(0);
  const cut = (await packets(at('short.pcapng'))).map((line) => line.split(' ').slice(0, 3));
  const whole = (await packets(HTTP2)).map((line) => line.split(' ').slice(0, 3));
  expect(cut).toEqual(whole.map(([time, caplen, len]) => [time, String(Math.min(60, Number(caplen))), len]));
});

test('-f, --from and --to choose packets; names, comments and the interface stay', async () => {
  const from = new Date(Number(BUILT_EPOCH_NS / 1_000_000n) + 1_000).toISOString();
  const { code, stderr } = await ksnoop(
    ...['read', at('commented.pcapng'), '--from', from, '--to', '+1500ms', '-f', 'tcp port 40001'],
    ...['-w', at('chosen.pcapng')],
  );
  expect(code, stderr).toBe(0);
  expect(await packets(at('chosen.pcapng'))).toEqual((await packets(at('three.pcapng'))).slice(5, 10));
  const told = execFileSync('capinfos', [at('chosen.pcapng')], { encoding: 'utf8' });
  expect(told).toContain('kept by ksnoop');
  expect(told).toContain('shop/web-1/any');
  const hosts = ['-N', 'n', '-r', at('chosen.pcapng'), '-T', 'fields', '-e', 'ip.dst_host'];
  expect(execFileSync('tshark', hosts, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toContain(
    'shop/web-1',
  );
});

test('--where with -w keeps whole connections', async () => {
  const { code } = await ksnoop('read', at('three.pcapng'), '--where', 'http.status >= 500', '-w', at('failed.pcapng'));
  expect(code).toBe(0);
  expect(await packets(at('failed.pcapng'))).toEqual((await packets(at('three.pcapng'))).slice(5, 10));
});

test('an existing file is written over only with --force', async () => {
  copyFileSync(HTTP2, at('there.pcap'));
  const { code, stderr } = await ksnoop('read', at('three.pcapng'), '-w', at('there.pcap'));
  expect([code, stderr]).toEqual([2, expect.stringContaining('--force')]);
  expect(readFileSync(at('there.pcap')).equals(readFileSync(HTTP2))).toBe(true);
  expect((await ksnoop('read', at('three.pcapng'), '--force', '-w', at('there.pcap'))).code).toBe(0);
  expect(await packets(at('there.pcap'))).toEqual(await packets(at('three.pcapng')));
});

test('the file itself is never what it is converted to', async () => {
  copyFileSync(HTTP2, at('self.pcap'));
  const { code } = await ksnoop('read', at('self.pcap'), '--force', '-w', at('self.pcap'));
  expect(code).not.toBe(0);
  expect(readFileSync(at('self.pcap')).equals(readFileSync(HTTP2))).toBe(true);
});

test('a capture cut in a packet gives what is whole, says at which byte it ends, and code 5', async () => {
  const bytes = readFileSync(HTTP2);
  writeFileSync(at('cut.pcap'), bytes.subarray(0, bytes.length - 5));
  const { code, stderr } = await ksnoop('read', at('cut.pcap'), '-w', at('rest.pcapng'));
  expect(code).toBe(5);
  expect(stderr).toMatch(/begins at byte \d+/);
  expect(await packets(at('rest.pcapng'))).toEqual((await packets(HTTP2)).slice(0, -1));
});

test('what is no capture leaves no file behind', async () => {
  writeFileSync(at('text'), 'this is a text of some length, and no capture at all\n');
  const { code, stderr } = await ksnoop('read', at('text'), '-w', at('nothing.pcapng'));
  expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining('NO_CAPTURE')]);
  expect(code).not.toBe(0);
  expect(existsSync(at('nothing.pcapng'))).toBe(false);
});

test('stdin that was partly read goes on where it is', async () => {
  writeFileSync(at('behind'), Buffer.concat([Buffer.from('head\n'), readFileSync(HTTP2)]));
  const words = `{ read line; ${KSNOOP_IN_SHELL} read - -w ${at('partly.pcap')}; } < ${at('behind')}`;
  execFileSync('bash', ['-c', words], { stdio: 'ignore' });
  expect(await packets(at('partly.pcap'))).toEqual(await packets(HTTP2));
});
