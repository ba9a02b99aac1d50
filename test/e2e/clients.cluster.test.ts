import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, requests } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-clients-'));
let on: TestCluster;
beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(() => rmSync(directory, { recursive: true }));

test('--clients adds the pods that speak to a Service, and not those the Service speaks to', async () => {
  const file = join(directory, 'clients.pcapng');
  const ksnoop = new KsnoopProcess(['-n', 'shop', 'svc/web', '--clients', '-w', file], on.kubeconfig);
  await ksnoop.capturing(2);
  await requests(on, { n: 5, run: 'first' });
  await ksnoop.says(/shop\/client-\S+, which joined/);
  const run = `clients${Date.now()}`;
  const report = await requests(on, { n: 40, run, paths: 'ok' });
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  expect(stderr).not.toMatch(/capturing shop\/(api|cache)-/);
  const filter = `frame.interface_name contains "client" && http.request.uri contains "${run}"`;
  const seen = execFileSync('tshark', ['-n', '-r', file, '-Y', filter, '-T', 'fields', '-e', 'http.request.uri'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  expect(seen.split('\n').filter(Boolean)).toHaveLength(report.answered);
});
