// Situations that are broken on purpose are named; the healthy shop has no finding.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, kubectl, requests } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-diagnose-'));
let on: TestCluster;
beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Found {
  readonly code: string;
  readonly severity: string;
}

/** What is found in the packets of the client while it does something. */
async function found(name: string, act: () => Promise<unknown>): Promise<Found[]> {
  const file = join(directory, `${name}.pcapng`);
  const ksnoop = new KsnoopProcess(['-n', 'shop', 'deploy/client', '-w', file], on.kubeconfig);
  await ksnoop.capturing(1);
  await act();
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  const { stdout } = await new KsnoopProcess(['diagnose', file, '--json'], '/nowhere').finished();
  return (JSON.parse(stdout.toString()) as { findings: Found[] }).findings;
}

const get = (url: string) =>
  on.kubectl('exec', '-n', 'shop', 'deploy/client', '--', 'requests', '--n', '4', '--url', url);

test('the healthy shop has no finding', async () => {
  expect(await found('healthy', () => requests(on, { n: 100, run: 'healthy', paths: 'ok' }))).toEqual([]);
});

test('a name that does not exist is the first finding', async () => {
  const [first] = await found('name', () => get('http://wbe/ok'));
  expect(first?.code).toBe('DNS_NAME_MISSING');
});

test('a Service whose targetPort nobody listens on is the first finding', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'deaf', namespace: 'shop' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 9 }] },
  };
  await kubectl(on, 'delete', 'service', 'deaf', '-n', 'shop', '--ignore-not-found');
  await on.kubectl('create', 'service', 'clusterip', 'deaf', '-n', 'shop', '--tcp=80:9');
  await kubectl(on, 'patch', 'service', 'deaf', '-n', 'shop', '-p', JSON.stringify({ spec: service.spec }));
  try {
    // The rules of kube-proxy come a moment after the Service.
    await expect
      .poll(async () => (await found('deaf', () => get('http://deaf/ok')))[0]?.code, { timeout: 120_000 })
      .toBe('POD_NOT_LISTENING');
  } finally {
    await kubectl(on, 'delete', 'service', 'deaf', '-n', 'shop');
  }
});
