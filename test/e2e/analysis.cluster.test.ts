import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject, type JsonObject, objectAt, objectsAt, parseJson, requireObject } from '../../src/wire/guard.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, requests, type ShopPod, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-analysis-'));
const REQUESTS = 300;
let on: TestCluster;
let pods: ShopPod[];

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  pods = await shopPods(on, 'web');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Records of the exchanges of one run that a web pod answered, counted by status. */
function statuses(lines: readonly string[], run: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const record = parseJson(line, 'record');
    if (!isObject(record)) throw new Error(line);
    const http = objectAt(record, 'http');
    const served = pods.some(({ ip }) => ip === objectAt(record, 'dst').ip);
    if (record.kind !== 'exchange' || !served || !String(http.path).includes(`run=${run}`)) continue;
    expect(objectAt(record, 'dst')).toMatchObject({ namespace: 'shop', pod: expect.stringMatching(/^web-/) });
    counts[String(http.status)] = (counts[String(http.status)] ?? 0) + 1;
  }
  return counts;
}

test('live and read from a file, the exchanges are those the client reports, under the pods’ names', async () => {
  const targets = pods.map(({ name }) => `pod/${name}`);
  const file = join(directory, 'shop.pcapng');
  const live = new KsnoopProcess(['-n', 'shop', ...targets, '-o', 'json'], on.kubeconfig, 'pipe');
  const written = new KsnoopProcess(['-n', 'shop', ...targets, '-w', file], on.kubeconfig);
  let output = '';
  live.child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  await Promise.all([live.capturing(2), written.capturing(2)]);
  const run = `analysis${Date.now()}`;
  const report = await requests(on, { n: REQUESTS, run });
  const ended = [await live.stop(), await written.stop()];
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0);
  expect(report.sent).toBe(REQUESTS);
  expect(statuses(output.split('\n').filter(Boolean), run)).toEqual(report.status);
  const read = await new KsnoopProcess(['read', file, '-o', 'json'], on.kubeconfig).finished();
  expect(read.code, read.stderr).toBe(0);
  expect(statuses(read.stdout.toString('utf8').split('\n').filter(Boolean), run)).toEqual(report.status);
  // The whole of it against tshark: requests seen by the web pods, of anybody.
  const filter = `http.request && (${pods.map(({ ip }) => `ip.dst == ${ip}`).join(' || ')})`;
  const theirs = execFileSync('tshark', ['-n', '-r', file, '-Y', filter, '-T', 'fields', '-e', 'http.request.uri'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1e9,
  });
  const summary = await new KsnoopProcess(['read', file, '-o', 'summary', '--json'], on.kubeconfig).finished();
  const rows: readonly JsonObject[] = objectsAt(
    requireObject(parseJson(summary.stdout.toString('utf8'), 'summary'), 'summary'),
    'pods',
  );
  const served = rows.filter(({ pod, protocol }) => protocol === 'http' && String(pod).startsWith('shop/web-'));
  const counted = served.reduce((sum, { count }) => sum + Number(count), 0);
  expect(served.map(({ pod }) => pod).sort()).toEqual(pods.map(({ name }) => `shop/${name}`).sort());
  expect(counted).toBe(theirs.split('\n').filter(Boolean).length);
});
