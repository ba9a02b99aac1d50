// Requests through a VXLAN tunnel that Linux makes between two network namespaces, captured by tcpdump at both ends.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TraceRecord } from '../../../src/analyze/trace/record.ts';
import { LEFT_ADDRESS, makePair, type NamespacePair, RIGHT_ADDRESS, run } from '../../agent/namespaces.ts';
import { HANG_MS } from '../../support/hang.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';

const [CLIENT, SERVER, PORT] = ['10.98.0.1', '10.98.0.2', 8080] as const;
const REQUESTS = 60;
/** A last request: when both ends' files have it at both devices, they have all before it. */
const LAST = 'n=999';
/** A buffer that holds all packets: none is dropped when tcpdump is late. */
const CAPTURING = [
  '-i',
  'any',
  '-s',
  '65536',
  '-B',
  '65536',
  '-U',
  '--immediate-mode',
  '-Z',
  'root',
  '--time-stamp-precision=nano',
];

/** A response is small, or 60,000 bytes, which segmentation offload makes a few large packets of; every tenth takes 100 ms. */
const SERVING = `
  require('http').createServer(({ url }, response) => {
    const n = Number(url.split('=')[1]);
    setTimeout(() => response.end('x'.repeat(n % 3 === 0 ? 60000 : 200)), n % 10 === 0 ? 100 : 0);
  }).listen(${PORT}, '${SERVER}', () => console.log('listening'));`;
const REQUESTING = `
  const http = require('http');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
  const get = (n) => new Promise((done, fail) => http.get({ host: '${SERVER}', port: ${PORT}, path: '/?n=' + n, agent },
    (response) => response.resume().on('end', done)).on('error', fail));
  (async () => {
    for (let n = 0; n < ${REQUESTS}; n += 2) await Promise.all([get(n), get(n + 1)]);
    await get(999);
    agent.destroy();
  })();`;

let pair: NamespacePair;
let directory: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  pair = makePair();
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-vxlan-'));
  for (const [name, remote, address] of [
    [pair.left, RIGHT_ADDRESS, CLIENT],
    [pair.right, LEFT_ADDRESS, SERVER],
  ] as const) {
    const link = ['link', 'add', 'vxlan0', 'type', 'vxlan', 'id', '7', 'remote', remote];
    run(['ip', '-n', name, ...link, 'dstport', '4789', 'dev', 'eth0']);
    run(['ip', '-n', name, 'address', 'add', `${address}/24`, 'dev', 'vxlan0']);
    run(['ip', '-n', name, 'link', 'set', 'vxlan0', 'up']);
  }
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  pair.remove();
  rmSync(directory, { recursive: true });
});

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + HANG_MS; !holds(); ) {
    if (Date.now() > deadline) throw new Error('it does not come about');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function start(name: string, ...argv: string[]): ChildProcess {
  const [command = '', ...rest] = pair.inside(name, ...argv);
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  return child;
}

/** All requests through the tunnel, as the captures of both ends show them. */
async function traced(): Promise<TraceRecord[]> {
  const server = start(pair.right, process.execPath, '-e', SERVING);
  let isListening = false;
  server.stdout?.once('data', () => {
    isListening = true;
  });
  const files = [pair.left, pair.right].map((name, index) => {
    const file = join(directory, `${index}.pcap`);
    start(name, 'tcpdump', ...CAPTURING, '-w', file);
    return file;
  });
  const sizes = () => files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  await until(() => isListening && sizes().every((size) => size >= 24));
  const [command = '', ...rest] = pair.inside(pair.left, process.execPath, '-e', REQUESTING);
  execFileSync(command, rest, { timeout: HANG_MS });
  await until(() => files.every((file) => readFileSync(file, 'latin1').split(LAST).length > 2));
  const { stdout, stderr, code } = await new KsnoopProcess(['trace', ...files, '--json'], '/nowhere').finished();
  expect(code, stderr).toBe(0);
  const records = stdout.toString().trim().split('\n');
  return records
    .map((line) => JSON.parse(line) as TraceRecord)
    .filter(({ protocol, label }) => protocol === 'http' && !label.includes(LAST));
}

const numberOf = ({ label }: TraceRecord) => Number(/n=(\d+)/.exec(label)?.[1]);

test('each request is one trace over both ends of the tunnel and its inside, and its parts add up', async () => {
  const traces = await traced();
  expect(new Set(traces.map(numberOf)).size).toBe(REQUESTS);
  expect(traces).toHaveLength(REQUESTS);
  for (const { label, hops, total } of traces) {
    // vxlan0 and eth0 of the client, eth0 and vxlan0 of the server.
    expect(hops.filter(({ kind }) => kind === 'network').length, label).toBe(3);
    expect(
      hops.reduce((sum, { latency }) => sum + latency, 0),
      label,
    ).toBe(total);
    expect(
      hops.flatMap(({ lost }) => lost),
      label,
    ).toEqual([]);
  }
  for (const trace of traces.filter((one) => numberOf(one) % 10 === 0)) {
    const beyond = trace.hops.find(({ kind }) => kind === 'beyond' || kind === 'server');
    expect(beyond?.latency, trace.label).toBeGreaterThanOrEqual(95e6);
  }
});

test('what a rule of nftables drops behind the tunnel is lost there, and nowhere else', async () => {
  run(pair.inside(pair.right, 'nft', 'add table ip loss'));
  run(pair.inside(pair.right, 'nft', 'add chain ip loss input { type filter hook input priority 0; }'));
  run(pair.inside(pair.right, 'nft', 'add rule ip loss input udp dport 4789 numgen inc mod 6 == 5 drop'));
  const traces = await traced();
  expect(new Set(traces.map(numberOf)).size).toBe(REQUESTS);
  const lost = traces.flatMap(({ hops }) => {
    const networks = hops.filter(({ kind }) => kind === 'network');
    return networks.flatMap((hop, index) => hop.lost.map((one) => ({ ...one, index })));
  });
  expect(lost.length).toBeGreaterThan(0);
  // Between eth0 and vxlan0 of the server, where requests come in.
  for (const one of lost) expect(one).toMatchObject({ of: 'request', index: 2 });
});
