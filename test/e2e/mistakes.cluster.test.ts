// What an SRE mistypes or lacks: one clear sentence, the right exit code, nothing on stdout, nothing left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { KSNOOP, KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, kubectl, type ShopPod, shopPods } from '../support/shop.ts';

const NAMESPACE = 'ksnoop-mistakes';
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-mistakes-'));
let on: TestCluster;
let web: ShopPod;

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  const [first] = await shopPods(on, 'web');
  if (first === undefined) throw new Error('the shop has no web');
  web = first;
  const path = 'jsonpath={.spec.template.spec.containers[0].image}';
  const image = await kubectl(on, 'get', 'deployment/client', '-n', 'shop', '-o', path);
  const pod = (name: string, spec: object) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: NAMESPACE }, spec });
  const container = { name: 'main', image, command: ['/bin/sh', '-c', 'true'] };
  const objects = [
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }),
    pod('pending', { nodeSelector: { 'ksnoop.test/none': 'yes' }, containers: [container] }),
    pod('completed', { restartPolicy: 'Never', containers: [container] }),
    pod('crashing', { containers: [{ ...container, command: ['/bin/sh', '-c', 'exit 3'] }] }),
  ];
  await applyText(on, objects.join('\n---\n'));
  await kubectl(on, 'wait', '-n', NAMESPACE, 'pod/pending', '--for=condition=PodScheduled=False', '--timeout=300s');
  const completed = 'jsonpath={.status.phase}=Succeeded';
  await kubectl(on, 'wait', '-n', NAMESPACE, 'pod/completed', `--for=${completed}`, '--timeout=300s');
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await on.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
});

/** Run ksnoop to its end; every mistake leaves stdout empty and says its sentence without a stack trace. */
async function mistake(args: string[], kubeconfig = on.kubeconfig): Promise<{ code: number | null; stderr: string }> {
  const { code, stdout, stderr } = await new KsnoopProcess(args, kubeconfig).finished();
  expect(stdout).toHaveLength(0);
  expect(stderr).not.toMatch(/\n\s+at /);
  return { code, stderr };
}

const ofWeb = (...more: string[]) => ['-n', 'shop', `pod/${web.name}`, ...more];

test('no such pod: near names', async () => {
  const { code, stderr } = await mistake(['-n', 'shop', `pod/${web.name}x`]);
  expect(stderr).toContain(`There is no pod ${web.name}x in namespace shop. Did you mean ${web.name}`);
  expect(code).toBe(3);
});

test('no such namespace', async () => {
  const { code, stderr } = await mistake(['-n', 'ksnoop-nowhere', 'pod/web']);
  expect(stderr).toContain('ksnoop-nowhere');
  expect(code).toBe(3);
});

test('a pod that is pending, and why', async () => {
  const { code, stderr } = await mistake(['-n', NAMESPACE, 'pod/pending']);
  expect(stderr).toMatch(/pending is not scheduled to a node: .*affinity\/selector/);
  expect(code).toBe(3);
});

test('a pod that has completed', async () => {
  const { code, stderr } = await mistake(['-n', NAMESPACE, 'pod/completed']);
  expect(stderr).toContain('has completed');
  expect(code).toBe(3);
});

test('of several targets those that can be captured are, and the exit code says so', async () => {
  const args = ['-n', 'shop', `pod/${web.name}`, 'pod/none', '--duration', '1s', '-w', join(directory, 'some.pcapng')];
  const { code, stderr } = await mistake(args);
  expect(stderr).toContain(`capturing shop/${web.name}`);
  expect(stderr).toContain('There is no pod none');
  expect(code).toBe(4);
});

test("a bad filter: tcpdump's own words", async () => {
  const { code, stderr } = await mistake(ofWeb('-f', 'tcp port (('));
  expect(stderr).toMatch(/refuses the filter "tcp port \(\(": .*syntax error/);
  expect(code).toBe(2);
});

test('an unknown interface: those that exist', async () => {
  const { code, stderr } = await mistake(ofWeb('-i', 'eth7'));
  expect(stderr).toMatch(/has no interface eth7 .*any, lo, eth0/);
  expect(code).toBe(2);
});

test('an unknown container: those it has', async () => {
  const { code, stderr } = await mistake(ofWeb('-c', 'none'));
  expect(stderr).toContain('has no container none. It has: nginx');
  expect(code).toBe(2);
});

test('binary output on a terminal', async () => {
  const words = [...KSNOOP, ...ofWeb('-o', 'pcap')].join(' ');
  const terminal = spawn('script', ['-qec', words, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, KUBECONFIG: on.kubeconfig },
  });
  let output = '';
  terminal.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('latin1');
  });
  const [code] = await once(terminal, 'close');
  expect(output).toMatch(/pcap format is binary and stdout is a terminal/);
  expect(output).not.toMatch(/[^\r\n -~]/);
  expect(code).toBe(2);
});

test('a file that exists, a directory that does not', async () => {
  const file = join(directory, 'precious.pcapng');
  writeFileSync(file, 'precious');
  const { code, stderr } = await mistake(ofWeb('-w', file));
  expect(stderr).toMatch(/precious.pcapng already exists. .*--force/);
  expect(code).toBe(2);
  expect(readFileSync(file, 'utf8')).toBe('precious');
  expect(await mistake(ofWeb('-w', join(directory, 'none', 'a.pcapng')))).toMatchObject({ code: 1 });
});

test('a kubeconfig or a context that does not exist, or is no kubeconfig', async () => {
  const bad = join(directory, 'bad.yaml');
  writeFileSync(bad, 'clusters: [');
  for (const args of [
    ['--kubeconfig', join(directory, 'none')],
    ['--kubeconfig', bad],
    ['--context', 'none'],
  ]) {
    const { code, stderr } = await mistake(ofWeb(...args));
    expect(stderr).toMatch(/none|bad\.yaml/);
    expect(code, stderr).toBe(2);
  }
});

test('a cluster that cannot be reached, one that does not know us, one with another certificate', async () => {
  const admin = readFileSync(on.kubeconfig, 'utf8');
  const server = /https:\/\/[^"\s]+/.exec(admin)?.[0] ?? '';
  const variant = (name: string, text: string) => {
    const file = join(directory, `${name}.kubeconfig`);
    writeFileSync(file, text);
    return file;
  };
  const closed = variant('closed', admin.replace(server, 'https://127.0.0.1:1'));
  expect((await mistake(ofWeb(), closed)).stderr).toMatch(/cannot be reached: .*refused/);
  const config = (await import('js-yaml')).load(admin) as {
    users: { user: object }[];
    clusters: { cluster: object }[];
  };
  const changed = structuredClone(config);
  for (const entry of changed.users) entry.user = { token: 'expired' };
  const expired = await mistake(ofWeb(), variant('expired', JSON.stringify(changed)));
  expect(expired.stderr).toMatch(/does not (accept|know)|credentials|unauthorized/i);
  expect(expired.code).toBe(1);
});

test('the summary of a file whose disk is full says so', async () => {
  const { code, stderr } = await mistake(ofWeb('-w', '/dev/full', '--duration', '1s'));
  expect(stderr).toMatch(/\/dev\/full could not be written to its end: the disk is full/);
  expect(code).toBe(1);
  expect(existsSync('/dev/full')).toBe(true);
});
