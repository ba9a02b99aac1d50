// diagnose, trace and top without installed agents, in ephemeral containers. On our own cluster, which must be up.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../src/analyze/findings/finding.ts';
import type { TraceRecord } from '../../src/analyze/trace/record.ts';
import { buildProbeImage } from '../cluster/workloads/image.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KSNOOP_IN_SHELL, KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensurePackages } from '../support/packages.ts';
import { ensureImage, ensureShop, requests, shopPods } from '../support/shop.ts';
import { Terminal } from '../support/terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-agentless-uses-'));
const N = 30;
let on: TestCluster;
let image: string;
/** How many pods of the shop serve as web, and how many are clients. */
let web: number;
let clients: number;

beforeAll(async () => {
  expect(ensurePackages(['tmux'])).toBe(undefined);
  on = await ensureShop();
  const { path, tag } = await buildProbeImage(console.error);
  await ensureImage(on, tag, path, console.error);
  image = tag;
  web = (await shopPods(on, 'web')).length;
  clients = (await shopPods(on, 'client')).length;
}, 1_200_000);

afterAll(() => rmSync(directory, { recursive: true }));

const flags = () => ['-n', 'shop', '--agentless=ephemeral', '--agentless-image', image];

test('diagnose names what fails', async () => {
  const words = ['diagnose', 'deploy/web', ...flags(), '--json', '--duration', '1200s'];
  const ksnoop = new KsnoopProcess(words, on.kubeconfig);
  await ksnoop.capturing(web);
  const { answered } = await requests(on, { n: N, run: `uses${Date.now()}`, paths: 'unavailable' });
  expect(answered).toBe(N);
  const { code, stdout, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout.toString()) as { findings: readonly Finding[]; exchanges: number };
  expect(report.findings.map((one) => one.code)).toContain('GATEWAY_ERROR');
  expect(report.exchanges).toBeGreaterThanOrEqual(N);
}, 600_000);

test('trace shows a request from its client through web to api', async () => {
  const words = ['trace', 'deploy/client', 'deploy/web', ...flags(), '--json', '--duration', '1200s'];
  const ksnoop = new KsnoopProcess(words, on.kubeconfig);
  await ksnoop.capturing(web + clients);
  const run = `uses${Date.now()}`;
  const { answered } = await requests(on, { n: N, run, paths: 'ok' });
  expect(answered).toBe(N);
  const { code, stdout, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  const lines = stdout.toString().split('\n');
  const traces = lines.filter((line) => line.includes(run)).map((line) => JSON.parse(line) as TraceRecord);
  expect(traces).toHaveLength(N);
  for (const { hops } of traces) {
    expect(hops.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['network', 'beyond']));
  }
}, 600_000);

test('top shows the requests of a running capture', async () => {
  const command = `${KSNOOP_IN_SHELL} top deploy/web ${flags().join(' ')}; echo "code $?"; sleep 600`;
  const env = { KUBECONFIG: on.kubeconfig, LC_ALL: 'C.UTF-8' };
  const terminal = new Terminal(['sh', '-c', command], env, 160, 40);
  try {
    await terminal.shows(/ live /);
    terminal.press('7');
    await terminal.shows(new RegExp(`(?:capturing [\\s\\S]*){${web}}`));
    terminal.press('2');
    await requests(on, { n: N, run: `uses${Date.now()}`, paths: 'ok' });
    await terminal.shows(new RegExp(`^web.shop +HTTP +${N} `, 'm'));
    terminal.press('q');
    expect(await terminal.shows(/^code/m)).toMatch(/packets captured[\s\S]*^code 0/m);
  } finally {
    terminal.close();
  }
}, 600_000);
