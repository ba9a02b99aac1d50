// Who is who in the file: named before the first packet, also who lives in another namespace.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BLOCK, EPB_HEADER_BYTES } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, kubectl, requests, shopPods } from '../support/shop.ts';

const NAMESPACE = `outside-${Date.now()}`;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-names-'));
let on: TestCluster;
beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  await kubectl(on, 'create', 'namespace', NAMESPACE);
  const image = await kubectl(
    on,
    ...['get', 'deployment', '-n', 'shop', 'client', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'],
  );
  const asks = 'while true; do curl -s -o /dev/null "http://web.shop/ok?from=outside"; sleep 0.2; done';
  const how = [`--image=${image}`, '--image-pull-policy=Never', '--restart=Never', '--command', '--'];
  await kubectl(on, 'run', 'caller', '-n', NAMESPACE, ...how, 'sh', '-c', asks);
  await kubectl(on, 'wait', '-n', NAMESPACE, '--for=condition=Ready', 'pod/caller', '--timeout=300s');
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await kubectl(on, 'delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false');
});

/** Per named IPv4 address: how many packets with it the file has before its first name. Of cooked captures (LINUX_SLL2). */
function packetsBeforeNames(file: string): Map<string, number> {
  const packets = new Map<string, number>();
  const before = new Map<string, number>();
  const four = (bytes: Uint8Array, at: number) => bytes.subarray(at, at + 4).join('.');
  new BlockFramer(({ type, bytes, offset, length, view }) => {
    if (type === BLOCK.enhancedPacket) {
      const at = offset + EPB_HEADER_BYTES;
      if (view.getUint16(at) !== 0x0800) return;
      for (const address of [four(bytes, at + 32), four(bytes, at + 36)]) {
        packets.set(address, (packets.get(address) ?? 0) + 1);
      }
    }
    if (type !== BLOCK.nameResolution) return;
    for (let at = offset + 8; at + 4 < offset + length && view.getUint16(at, true) !== 0; ) {
      const size = view.getUint16(at + 2, true);
      const address = four(bytes, at + 4);
      if (view.getUint16(at, true) === 1 && !before.has(address)) before.set(address, packets.get(address) ?? 0);
      at += 4 + ((size + 3) & ~3);
    }
  }).push(readFileSync(file));
  for (const address of packets.keys()) if (!before.has(address)) before.set(address, -1);
  return before;
}

/** Names are waited for but a moment (NAMES_WAIT_MS): on a busy machine they may come too late, though not each time. */
const TRIES = 5;

test.each(['exec', 'port-forward'])('over %s everybody who occurs is named before the first packet', async (way) => {
  const file = join(directory, `${way}.pcapng`);
  const [web] = await shopPods(on, 'web');
  let late: [string, number][] = [];
  for (let tries = 0; tries === 0 || (late.length > 0 && tries < TRIES); tries += 1) {
    const asking = requests(on, { n: 300, run: 'names', paths: 'ok', concurrency: 2 });
    const words = ['-n', 'shop', 'svc/web', '--transport', way, '--duration', '6s', '--force', '-w', file];
    const { code, stderr } = await new KsnoopProcess(words, on.kubeconfig).finished();
    await asking;
    expect(code, stderr).toBe(0);
    const before = packetsBeforeNames(file);
    expect(before.get(web?.ip ?? '')).toBe(0);
    // Nodes forward with addresses of their bridges, which nobody has named.
    const ofCluster = [...before].filter(([address]) => /^10\.(244|96)\./.test(address) && !/\.1$/.test(address));
    late = ofCluster.filter(([, packets]) => packets !== 0);
  }
  expect(late).toEqual([]);
  const fields = ['-T', 'fields', '-e', '_ws.col.Source'];
  const filter = 'http.request.uri contains "from=outside" && frame.interface_name contains "web"';
  const sources = execFileSync('tshark', ['-N', 'n', '-r', file, '-Y', filter, ...fields], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  expect(sources).toContain(`${NAMESPACE}/caller`);
});

test('another namespace’s Service goes by its name: the cluster’s DNS', async () => {
  const words = ['-n', NAMESPACE, 'pod/caller', '--duration', '6s', '-o', 'json'];
  const { stdout } = await new KsnoopProcess(words, on.kubeconfig).finished();
  const records = stdout.toString().split('\n').filter(Boolean);
  const asked = records.map((line) => JSON.parse(line)).filter(({ protocol }) => protocol === 'dns');
  expect(asked.length).toBeGreaterThan(0);
  for (const { dst } of asked) expect(dst).toMatchObject({ service: 'kube-dns', namespace: 'kube-system' });
});
