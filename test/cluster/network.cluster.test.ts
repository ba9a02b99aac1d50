import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cluster, type TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { binaryImage } from './binary-image.ts';
import { layoutOf } from './layout.ts';
import { recorded } from './processes.ts';
import { attempt, run } from './run.ts';
import { partsOf } from './up.ts';

const NAMESPACE = 'cluster-test';
const NODES = ['node1', 'node2'] as const;
const foreign = process.env.KSNOOP_E2E_KUBECONFIG !== undefined;

/** One web server per node behind a Service, and one client per node; busybox, because it is one static program. */
const servers = NODES.map((node) =>
  pod(`server-${node}`, node, `echo ${node} >/tmp/index.html; exec /busybox httpd -f -p 8080 -h /tmp`),
);
const clients = NODES.map((node) => pod(`client-${node}`, node, 'echo hello; exec /busybox sleep 100000'));
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'server', namespace: NAMESPACE },
  spec: { type: 'NodePort', selector: { part: 'server' }, ports: [{ port: 80, targetPort: 8080, nodePort: 30_990 }] },
};

function pod(name: string, node: string, script: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, labels: { part: name.split('-')[0] } },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'busybox',
          image: 'ksnoop.test/busybox:1',
          command: ['/busybox', 'sh', '-c', `/busybox mkdir -p /tmp; ${script}`],
        },
      ],
    },
  };
}

describe.skipIf(foreign)('the cluster of test/cluster', () => {
  let it: TestCluster;
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await it.kubectl('--namespace', NAMESPACE, ...args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const inClient = (node: string, script: string) =>
    kubectl('exec', `client-${node}`, '--', '/busybox', 'sh', '-c', script);

  beforeAll(async () => {
    it = await cluster();
    const directory = mkdtempSync(join(tmpdir(), 'ksnoop-cluster-test-'));
    try {
      const archive = join(directory, 'busybox.tar');
      writeFileSync(archive, binaryImage({ name: 'ksnoop.test/busybox:1', program: '/bin/busybox', path: 'busybox' }));
      await it.loadImage(archive);
    } finally {
      rmSync(directory, { recursive: true });
    }
    await it.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait');
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    const list = { apiVersion: 'v1', kind: 'List', items: [namespace, ...servers, ...clients, service] };
    await run([process.execPath, 'test/cluster/main.ts', 'kubectl', 'apply', '-f', '-'], {
      input: JSON.stringify(list),
    });
    await kubectl('wait', 'pods', '--all', '--for=condition=Ready', '--timeout=300s');
  });

  afterAll(async () => {
    await it?.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
  });

  test('both nodes run the version that ksnoop is tested with', async () => {
    const versions = await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}');
    expect(versions).toBe('v1.35.4 v1.35.4');
  });

  test('kube-proxy works with iptables on node1 and nftables on node2', async () => {
    const rules = async (node: string, ...argv: string[]) => (await it.nodeExec(node, argv)).stdout;
    const soon = { timeout: HANG_MS };
    await expect.poll(() => rules('node1', 'iptables-save', '-t', 'nat'), soon).toContain(`${NAMESPACE}/server`);
    await expect
      .poll(() => rules('node2', 'nft', 'list', 'table', 'ip', 'kube-proxy'), soon)
      .toContain(`${NAMESPACE}/server`);
    expect(await rules('node2', 'iptables-save', '-t', 'nat')).not.toContain(`${NAMESPACE}/server`);
  });

  test.each(NODES)('a pod of %s has the usual resolver and reaches both servers by name', async (node) => {
    const resolver = await inClient(node, 'while read -r line; do echo "$line"; done </etc/resolv.conf');
    expect(resolver).toContain(`search ${NAMESPACE}.svc.cluster.local svc.cluster.local cluster.local`);
    expect(resolver).toContain('nameserver 10.96.0.10');
    expect(resolver).toContain('options ndots:5');
    // A node's kube-proxy learns of an endpoint some time after the pod is ready.
    const both =
      'for i in $(/busybox seq 600); do r=$(/busybox timeout 3 /busybox wget -qO- http://server/); echo "$r"; ' +
      'case "$s" in *"$r"*) ;; *) s="$s $r" ;; esac; case "$s" in *node1*node2*|*node2*node1*) exit ;; esac; ' +
      '/busybox sleep 0.2; done';
    const replies = await inClient(node, both);
    expect(new Set(replies.trim().split('\n'))).toEqual(new Set(NODES));
  });

  test.each(NODES)('a name outside the cluster is refused on %s', async (node) => {
    const reply = await it.kubectl(
      ...['--namespace', NAMESPACE, 'exec', `client-${node}`, '--', '/busybox', 'nslookup', 'www.example.com.'],
    );
    expect(`${reply.stdout}${reply.stderr}`).toMatch(/REFUSED|NXDOMAIN/);
  });

  test.each(NODES)('the NodePort answers on %s', async (node) => {
    const address = node === 'node1' ? '10.77.0.11' : '10.77.0.12';
    const get = ['busybox', 'timeout', '3', 'busybox', 'wget', '-qO-', `http://${address}:30990/`];
    // A node's kube-proxy learns of a Service some time after it was made.
    for (const from of NODES) {
      const answer = async () => (await it.nodeExec(from, get)).stdout.trim();
      await expect.poll(answer, { timeout: HANG_MS }).toMatch(/^node[12]$/);
    }
  });

  test('a node sees its own processes only, and its pods where ksnoop looks for them', async () => {
    const processes = (await it.nodeExec('node1', ['ps', '-e', '-o', 'args'])).stdout;
    expect(processes).toContain('httpd -f -p 8080');
    expect(processes).not.toContain('kube-apiserver');
    expect((await it.nodeExec('node1', ['ls', '/var/log/pods'])).stdout).toContain(`${NAMESPACE}_server-node1_`);
    expect((await it.nodeExec('node1', ['ls', '/var/log/pods'])).stdout).not.toContain(`${NAMESPACE}_server-node2_`);
  });

  test('logs, and an exec that carries input and an exit code', async () => {
    expect(await kubectl('logs', 'client-node2')).toBe('hello\n');
    const failing = ['exec', 'client-node1', '--', '/busybox', 'sh', '-c', 'exit 7'];
    expect((await it.kubectl('--namespace', NAMESPACE, ...failing)).code).toBe(7);
  });

  test('up on a cluster that stands starts nothing anew', async () => {
    const pids = () => partsOf(layoutOf()).map((part) => recorded(layoutOf(), part)?.pid);
    const before = pids();
    const { code } = await attempt([process.execPath, 'test/cluster/main.ts', 'up']);
    expect(code).toBe(0);
    expect(pids()).toEqual(before);
  });

  test('an API server that was killed is back with the same state', async () => {
    const before = recorded(layoutOf(), 'kube-apiserver')?.pid;
    await it.restartApiServer();
    expect(recorded(layoutOf(), 'kube-apiserver')?.pid).not.toBe(before);
    expect(await kubectl('get', 'pod', 'server-node1', '-o', 'jsonpath={.status.phase}')).toBe('Running');
    const code = async () => (await attempt([process.execPath, 'test/cluster/main.ts', 'status'])).code;
    await expect.poll(code, { timeout: HANG_MS }).toBe(0);
  });
});
