import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, requests, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-exact-'));
let on: TestCluster;

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Run ksnoop, its stdout piped straight into a program; both their results. */
async function piped(args: string[], program: string, programArgs: string[], during: () => Promise<void>) {
  const ksnoop = new KsnoopProcess(args, on.kubeconfig, 'pipe');
  // Node's pipes are sockets, which tshark refuses; behind cat it has the pipe it has in a shell.
  const reader = spawn('sh', ['-c', 'cat | "$@"', 'sh', program, ...programArgs], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let output = '';
  reader.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  if (ksnoop.child.stdout === null) throw new Error('no stdout');
  ksnoop.child.stdout.pipe(reader.stdin);
  const closed = once(reader, 'close');
  await ksnoop.capturing(2);
  await during();
  const { code, stderr } = await ksnoop.stop();
  await closed;
  return { code, stderr, rows: output.split('\n').filter((line) => line !== '') };
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

test('tshark counts in the stream exactly the requests and statuses that the client reports', async () => {
  const pods = await shopPods(on, 'web');
  expect(pods.map(({ node }) => node).sort()).toEqual(['node1', 'node2']);
  const run = `exact${Date.now()}`;
  let report: Awaited<ReturnType<typeof requests>> | undefined;
  const started = Date.now() / 1000;
  const targets = pods.map(({ name }) => `pod/${name}`);
  // A request names the run in its URI; the response to it is found by its stream.
  const fields = ['frame.interface_name', 'frame.time_epoch', 'tcp.stream', 'http.request.uri', 'http.response.code'];
  const wanted = 'http && ((tcp.dstport == 8080 && http.request) || (tcp.srcport == 8080 && http.response))';
  const addresses = pods.map(({ ip }) => ip);
  const { code, stderr, rows } = await piped(
    ['-n', 'shop', ...targets],
    'tshark',
    [
      ...['-r', '-', '-Y', wanted, '-T', 'fields', '-E', 'separator=|'],
      ...[...fields, 'ip.src', 'ip.dst'].flatMap((field) => ['-e', field]),
    ],
    async () => {
      report = await requests(on, { n: 1000, run });
    },
  );
  expect(code, stderr).toBe(0);
  const packets = rows.map((row) => {
    const [name = '', time = '', stream = '', uri = '', status = '', source = '', target = ''] = row.split('|');
    return { name, time, stream, uri, status, source, target };
  });
  const asked = packets.filter(({ uri, target }) => uri.includes(`run=${run}`) && addresses.includes(target));
  expect(report?.sent).toBe(1000);
  expect(asked).toHaveLength(1000);
  const streams = new Set(asked.map(({ stream }) => stream));
  const answered = packets.filter((p) => p.status !== '' && streams.has(p.stream) && addresses.includes(p.source));
  expect(count(answered.map(({ status }) => status))).toEqual(report?.status);
  const names = Object.keys(count(asked.map(({ name }) => name))).sort();
  expect(names).toEqual(pods.map(({ name }) => `shop/${name}/any`).sort());
  for (const { time } of asked) {
    expect(time).toMatch(/^\d+\.\d{9}$/);
    expect(Number(time)).toBeGreaterThan(started);
    expect(Number(time)).toBeLessThan(Date.now() / 1000);
  }
  expect(stderr).toMatch(
    /2 targets, .*: [\d,]+ packets captured, [\d,]+ received, 0 dropped by kernel, 0 dropped by ksnoop, 0 truncated/,
  );
});

test('tcpdump reads the pcap form, with nanoseconds', async () => {
  const file = join(directory, 'web.pcap');
  const [pod] = await shopPods(on, 'web');
  const args = ['-n', 'shop', `pod/${pod?.name}`, '-o', 'pcap', '-w', file, '-f', 'tcp port 8080'];
  const ksnoop = new KsnoopProcess(args, on.kubeconfig);
  await ksnoop.capturing(1);
  await requests(on, { n: 50, run: 'pcap', paths: 'ok' });
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  const printed = execFileSync('tcpdump', ['-nr', file, '--time-stamp-precision=nano', '-tt'], { encoding: 'utf8' });
  const lines = printed.trim().split('\n');
  expect(stderr).toContain(`${lines.length.toLocaleString('en-US')} packets captured`);
  expect(lines[0]).toMatch(/^\d{10}\.\d{9} /);
  expect(stderr).toMatch(/the pcap form leaves out/);
});

test('the file is for its owner alone, and is not written over without --force', async () => {
  const file = join(directory, 'mode.pcapng');
  const [pod] = await shopPods(on, 'cache');
  const args = ['-n', 'shop', `pod/${pod?.name}`, '-w', file, '--count', '5'];
  const first = new KsnoopProcess(args, on.kubeconfig);
  await first.capturing(1);
  await requests(on, { n: 20, run: 'mode', paths: 'ok' });
  expect((await first.finished()).code).toBe(0);
  expect(execFileSync('stat', ['-c', '%a', file], { encoding: 'utf8' }).trim()).toBe('600');
  expect(execFileSync('capinfos', ['-Tmrc', file], { encoding: 'utf8' })).toMatch(/,5$/m);
  const second = await new KsnoopProcess(args, on.kubeconfig).finished();
  expect(second.code).toBe(2);
  expect(second.stderr).toContain('FILE_EXISTS');
});

test('addresses have names in the file', async () => {
  const file = join(directory, 'names.pcapng');
  const [pod] = await shopPods(on, 'web');
  const ksnoop = new KsnoopProcess(['-n', 'shop', `pod/${pod?.name}`, '-w', file], on.kubeconfig);
  await ksnoop.capturing(1);
  await requests(on, { n: 20, run: 'names', paths: 'ok' });
  await ksnoop.stop();
  const columns = execFileSync(
    'tshark',
    ['-r', file, '-N', 'n', '-T', 'fields', '-e', 'ip.src_host', '-e', 'ip.dst_host'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  expect(columns).toContain(`shop/${pod?.name}`);
  expect(columns).toContain('api.shop');
});
