// What is broken on purpose is found; the healthy shop has no finding.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, requests } from '../support/shop.ts';

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

test('a DNS server that refuses names is found', async () => {
  // The name does not exist, and the cluster's DNS refuses to look for it outside of the cluster.
  const codes = (await found('name', () => get('http://wbe/ok'))).map(({ code }) => code);
  expect(codes).toContain('DNS_FAILS');
});
