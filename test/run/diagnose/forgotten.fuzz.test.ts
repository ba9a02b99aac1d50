// What takes minutes or the kernel's tables to make: connections that something forgets while they are idle, and a full
// connection tracking table. In namespaces of its own; needs root, nft and conntrack.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { Finding } from '../../../src/analyze/findings/finding.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run } from '../../agent/namespaces.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-forgotten-'));
afterAll(() => rmSync(directory, { recursive: true }));

let pair: NamespacePair;
beforeEach(() => {
  pair = makePair();
});
afterEach(() => pair.remove());

/** As the kernel's timers are exact, a little more than what forgets the connections. */
const FORGOTTEN_S = 62;
const IDLE_S = 66;

const nft = (rules: string) => run(pair.inside(pair.right, 'nft', rules));
const set = (name: string, value: number) =>
  run(pair.inside(pair.right, 'sh', '-c', `echo ${value} > /proc/sys/net/netfilter/${name}`));
const SERVER = `
  const server = require('node:http').createServer((_, response) => response.end('ok'));
  server.keepAliveTimeout = 600_000;
  server.listen(8080, () => console.log('listens'));`;
const node = (name: string, program: string) => pair.inside(name, 'node', '-e', program);

async function diagnosed(name: string, act: () => unknown): Promise<readonly Finding[]> {
  const ksnoop = new KsnoopProcess(['diagnose', '--local', `netns/${name}`, '--json', '--duration', '1h']);
  await ksnoop.capturing(1);
  await act();
  const { code, stdout, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout.toString()) as { findings: readonly Finding[] }).findings;
}

test('a pool’s connections that a device forgets while they are idle, and resets when they are used again', async () => {
  nft('add table ip t; add chain ip t c { type filter hook input priority 0; }');
  nft('add rule ip t c ct state invalid meta l4proto tcp reject with tcp reset');
  set('nf_conntrack_tcp_loose', 0);
  set('nf_conntrack_tcp_timeout_established', FORGOTTEN_S);
  const server = await background(node(pair.right, SERVER));
  const client = `
    for (let i = 0; i < 6; i += 1) {
      const request = 'GET /ok HTTP/1.1\\r\\nHost: pool\\r\\n\\r\\n';
      const socket = require('node:net').connect(8080, '${RIGHT_ADDRESS}', () => socket.write(request));
      socket.once('data', () => setTimeout(() => socket.write(request), ${IDLE_S * 1000}));
      socket.on('error', () => {});
    }`;
  try {
    const [first] = await diagnosed(pair.left, () => run(node(pair.left, client)));
    expect(first).toMatchObject({ code: 'IDLE_TIMEOUT', cases: 6 });
    expect(first?.message).toMatch(/after 6\d s without packets the next one got a reset/);
  } finally {
    server.kill();
  }
});

test('new connections that are lost because the connection tracking table is full', async () => {
  nft('add table ip t; add chain ip t c { type filter hook input priority 0; }; add rule ip t c ct state invalid drop');
  const maximum = Number(run(pair.inside(pair.right, 'cat', '/proc/sys/net/netfilter/nf_conntrack_max')));
  const server = await background(node(pair.right, SERVER));
  // Entries of connections that were answered: the kernel makes no room by removing these.
  const entry = (index: number) =>
    `-A -p udp -s 10.${index >> 16}.${(index >> 8) & 255}.${index & 255} -d 10.200.0.1 --sport 1000 --dport 2000 -t 3600 -u SEEN_REPLY,ASSURED\n`;
  writeFileSync(join(directory, 'entries'), Array.from({ length: maximum + 10 }, (_, index) => entry(index)).join(''));
  // It ends when the table has no room for the last ones.
  const [program = '', ...words] = pair.inside(pair.right, 'conntrack', '--load-file', join(directory, 'entries'));
  spawnSync(program, words);
  const client = `for i in 1 2 3 4; do curl -s -m 5 -o /dev/null http://${RIGHT_ADDRESS}:8080/ok & done; wait`;
  try {
    const found = await diagnosed(pair.right, () => run(pair.inside(pair.left, 'sh', '-c', `${client}; true`)));
    expect(found).toMatchObject([{ code: 'CONNTRACK_FULL', severity: 'error', cases: 4 }]);
  } finally {
    server.kill();
  }
});
