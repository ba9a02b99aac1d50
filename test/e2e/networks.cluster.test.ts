import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, kubectl } from '../support/shop.ts';

const NAMESPACE = `ksnoop-networks-${process.pid}`;
const NODE = 'node1';
/** A word by which the process of a pod is found. */
const MARK = `two-${process.pid}`;
/** Two servers on the node's network: the pod declares the port of the first. */
const [DECLARED, OTHER] = [18_080, 18_081];
const SERVER = `for (const port of [${DECLARED}, ${OTHER}]) require('http').createServer((q, a) => a.end('x')).listen(port)`;

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-networks-'));
let on: TestCluster;
let address = '';

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  const path = 'jsonpath={.spec.template.spec.containers[0].image}';
  const image = await kubectl(on, 'get', 'deployment/client', '-n', 'shop', '-o', path);
  const pod = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: { nodeName: NODE, terminationGracePeriodSeconds: 0, ...spec },
  });
  const hostCommand = { name: 'main', image, command: ['/usr/bin/node', '-e', SERVER] };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    pod('host', {
      hostNetwork: true,
      containers: [{ ...hostCommand, ports: [{ name: 'http', containerPort: DECLARED, hostPort: DECLARED }] }],
    }),
    pod('two', {
      containers: [{ name: 'main', image, command: ['/usr/bin/node', '-e', 'setInterval(() => {}, 1e9)', MARK] }],
    }),
  ];
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await kubectl(on, 'wait', '-n', NAMESPACE, '--for=condition=Ready', 'pod/host', 'pod/two', '--timeout=300s');
  address = await kubectl(on, 'get', 'pod/host', '-n', NAMESPACE, '-o', 'jsonpath={.status.hostIP}');
  await askHost(1);
});

afterAll(async () => {
  await on.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false');
  rmSync(directory, { recursive: true });
});

/** Have the shop's client ask both of the node's servers so many times each. */
async function askHost(times: number): Promise<void> {
  const each = [DECLARED, OTHER].map(
    (port) => `curl -s --retry 20 --retry-connrefused -o /dev/null http://${address}:${port}/$i`,
  );
  const script = `for i in $(seq ${times}); do ${each.join('; ')}; done`;
  await kubectl(on, 'exec', '-n', 'shop', 'deploy/client', '--', 'sh', '-c', script);
}

/** Capture while something is done; what tshark finds, row by row. */
async function captured(words: string[], during: () => Promise<void>, filter: string, ...fields: string[]) {
  const file = join(directory, `${Date.now()}.pcapng`);
  const ksnoop = new KsnoopProcess([...words, '-w', file], on.kubeconfig);
  await ksnoop.capturing(1);
  await during();
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  const wanted = fields.flatMap((field) => ['-e', field]);
  const tshark = ['-r', file, '-Y', filter, '-T', 'fields', '-E', 'separator=|', ...wanted];
  const output = execFileSync('tshark', tshark, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return { stderr, rows: output.split('\n').filter((line) => line !== '') };
}

test('of a pod on its node’s network what is at its ports is captured, with --whole-node all of the node', async () => {
  const ports = `tcp.flags.syn == 1 && tcp.flags.ack == 0 && tcp.dstport in {${DECLARED}, ${OTHER}}`;
  const ask = () => askHost(5);
  const fields = ['frame.interface_name', 'tcp.dstport'];
  const own = await captured(['pod/host', '-n', NAMESPACE], ask, ports, ...fields);
  expect(own.stderr).toContain(`only its ports are captured (tcp port ${DECLARED})`);
  expect(new Set(own.rows)).toEqual(new Set([`${NAMESPACE}/host/any|${DECLARED}`]));
  const whole = await captured(['pod/host', '-n', NAMESPACE, '--whole-node'], ask, ports, ...fields);
  expect(new Set(whole.rows)).toEqual(new Set([`node/${NODE}/any|${DECLARED}`, `node/${NODE}/any|${OTHER}`]));
});

test('of a node all is captured but what carries captures', async () => {
  const node = await captured(
    [`node/${NODE}`],
    () => askHost(5),
    `tcp.dstport in {${DECLARED}, ${OTHER}, 10250} || tcp.srcport == 10250`,
    'frame.interface_name',
    'tcp.dstport',
  );
  expect(new Set(node.rows)).toEqual(new Set([`node/${NODE}/any|${DECLARED}`, `node/${NODE}/any|${OTHER}`]));
  expect(node.stderr).toContain('but not what carries captures');
});

test('of a pod with several interfaces all are seen, or the one that is named; with IPv6', async () => {
  if (!on.own) return;
  const inPod = async (...argv: string[]) => {
    const { stdout } = await on.nodeExec(NODE, ['pgrep', '-f', `^/usr/bin/node .* ${MARK}$`]);
    expect(stdout).toMatch(/^\d+\s*$/);
    return on.nodeExec(NODE, ['nsenter', '-n', '-t', stdout.trim(), ...argv]);
  };
  const setUp = [
    'ip link add extra0 type veth peer name ksnoop-far0 netns 1',
    'ip addr add 192.0.2.1/24 dev extra0',
    'ip -6 addr add 2001:db8::1/64 dev extra0 nodad',
    'ip link set extra0 up',
    'nsenter -n -t 1 ip link set ksnoop-far0 up',
    'ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev extra0',
    'ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev extra0',
  ];
  for (const words of setUp) {
    const { code, stderr } = await inPod(...words.split(' '));
    expect(code, `${words}: ${stderr}`).toBe(0);
  }
  // Before the kernel has noticed that the other end is up it sends nothing.
  const link = async () => (await inPod('ip', '-o', 'link', 'show', 'extra0')).stdout;
  await expect.poll(link, { timeout: HANG_MS }).toContain('state UP');
  // Nobody answers there: what is sent is what counts.
  const ping = async (...words: string[]) => {
    const { stdout, stderr } = await inPod('ping', '-c', '3', '-i', '0.2', '-W', '1', ...words);
    expect(stdout, stderr).toContain('3 packets transmitted');
  };
  const speak = async () => {
    await ping('192.0.2.9');
    await ping('-6', '2001:db8::9');
    await ping(address);
  };
  const echo = 'icmp.type == 8 || icmpv6.type == 128';
  const fields = ['frame.interface_name', 'ip.dst', 'ipv6.dst'];
  const pod = `${NAMESPACE}/two`;
  const extra = (name: string) => [`${pod}/${name}|192.0.2.9|`, `${pod}/${name}||2001:db8::9`];
  const all = await captured(['pod/two', '-n', NAMESPACE], speak, echo, ...fields);
  expect(new Set(all.rows)).toEqual(new Set([...extra('any'), `${pod}/any|${address}|`]));
  expect(all.rows).toHaveLength(9);
  const one = await captured(['pod/two', '-n', NAMESPACE, '-i', 'extra0'], speak, echo, ...fields);
  expect(new Set(one.rows)).toEqual(new Set(extra('extra0')));
  expect(one.rows).toHaveLength(6);
});
