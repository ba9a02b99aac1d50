// The agents analyse the packets: the same records as when packets travel, and each exchange once.
import { afterEach, beforeAll, expect, test } from 'vitest';
import { isObject, type JsonObject, objectAt, parseJson } from '../../src/wire/guard.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, kubectl, requests, shopPods } from '../support/shop.ts';

const COUNT = 400;
let on: TestCluster;
const started: KsnoopProcess[] = [];

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});

function capture(...args: string[]): KsnoopProcess {
  const ksnoop = new KsnoopProcess(['-v', '-n', 'shop', 'deploy/web', 'deploy/client', ...args], on.kubeconfig);
  started.push(ksnoop);
  return ksnoop;
}

/** What differs between two captures of the same packets: numbers of flows, and times, for the kernel stamps a packet for each reader. */
const OWN = new Set(['flow', 'sameAs', 'time', 'latency', 'ttfb', 'requestTime', 'serverTime', 'transferTime']);

/** The exchanges of a run without what each capture has of its own. */
function exchangesOf(stdout: Buffer, run: string): JsonObject[] {
  return (
    stdout
      .toString('utf8')
      .split('\n')
      .filter((line) => line.includes(`run=${run}`))
      .map((line) => parseJson(line, 'a record'))
      .filter(isObject)
      // The web pods ask others on behalf of their clients.
      .filter((record) => String(objectAt(record, 'src').pod).startsWith('client-'))
      .map((record) => ({
        ...Object.fromEntries(Object.entries(record).filter(([name]) => !OWN.has(name))),
        isOtherLeg: record.sameAs !== undefined,
      }))
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  );
}

const keyOf = (record: JsonObject) => `${String(record.label)} ${String(objectAt(record, 'dst').ip)}`;

test('two captures at once show the same exchanges, and with --edge no packet leaves its node', async () => {
  const pods = (await shopPods(on, 'web')).length + (await shopPods(on, 'client')).length;
  const [packets, edge] = [capture('-o', 'json'), capture('-o', 'json', '--edge')];
  await Promise.all([packets.capturing(pods), edge.capturing(pods)]);
  const run = `edge${Date.now()}`;
  const report = await requests(on, { n: COUNT, run });
  expect(report.sent).toBe(COUNT);
  const [local, remote] = await Promise.all([packets.stop(), edge.stop()]);
  expect(remote.code, remote.stderr).toBe(0);
  const expected = exchangesOf(local.stdout, run);
  // Each request at its client and at its server: before and behind the Service's address.
  expect(expected.length).toBe(2 * COUNT);
  const found = exchangesOf(remote.stdout, run);
  expect(found.filter(({ isOtherLeg }) => !isOtherLeg).length).toBe(COUNT);
  // Which of both legs counts depends on which SYN-ACK was stamped first, and each capture has its own stamps.
  const withoutLeg = ({ isOtherLeg: _isOtherLeg, ...rest }: JsonObject) => rest;
  expect(found.map(withoutLeg)).toEqual(expected.map(withoutLeg));
  expect(remote.stderr).not.toMatch(/came here|left out|A SAMPLE/);
});

/** The traces of a run: how each request went, without times and numbers of flows. */
function waysOf(stdout: Buffer, run: string): string[] {
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line.includes(`run=${run}`))
    .map((line) => parseJson(line, 'a trace'))
    .filter(isObject)
    .map((record) => {
      const hops = Array.isArray(record.hops) ? record.hops.filter(isObject) : [];
      const way = hops.map(
        ({ kind, from, to, depth }) => `${String(depth)} ${String(kind)} ${String(from)} ${String(to)}`,
      );
      return [String(record.label), ...way].join(', ');
    })
    .sort();
}

test('two captures at once show the same traces, joined across nodes without packets', async () => {
  const pods = (await shopPods(on, 'web')).length + (await shopPods(on, 'client')).length;
  const [packets, edge] = [capture('-o', 'trace', '--json'), capture('-o', 'trace', '--json', '--edge')];
  await Promise.all([packets.capturing(pods), edge.capturing(pods)]);
  const run = `trace${Date.now()}`;
  await requests(on, { n: COUNT, run });
  const [local, remote] = await Promise.all([packets.stop(), edge.stop()]);
  expect(remote.code, remote.stderr).toBe(0);
  const expected = waysOf(local.stdout, run);
  expect(expected.length).toBe(COUNT);
  expect(expected.filter((way) => /network shop\/client-\S+ shop\/web-/.test(way)).length).toBe(COUNT);
  expect(waysOf(remote.stdout, run)).toEqual(expected);
  expect(remote.stderr).not.toMatch(/came here|left out|A SAMPLE/);
});

/** What a summary counts of HTTP by Service and route, and of connections by server and port. */
function countsOf(stdout: Buffer): unknown {
  const report = parseJson(stdout.toString('utf8'), 'a summary');
  if (!isObject(report)) throw new Error('no summary');
  const rows = (list: unknown, ...names: readonly string[]) =>
    (Array.isArray(list) ? list.filter(isObject) : [])
      .map((row) => names.map((name) => JSON.stringify(row[name])).join(' '))
      .sort();
  const http = (list: unknown) =>
    Array.isArray(list) ? list.filter(isObject).filter(({ protocol }) => protocol === 'http') : [];
  const sums = ['count', 'failed', 'requestBytes', 'responseBytes', 'statuses'];
  return {
    services: rows(http(report.services), 'service', ...sums),
    routes: rows(http(report.routes), 'service', 'route', ...sums),
    servers: rows(
      objectAt(report, 'tcp').servers,
      'server',
      'port',
      'connections',
      'bytes',
      'retransmissions',
      'resetByServer',
    ),
  };
}

test('two captures at once of one node count the same, where its agent adds up connections', async () => {
  const [client] = await shopPods(on, 'client');
  const pod = `pod/${client?.name}`;
  const of = (where: string) => {
    const ksnoop = new KsnoopProcess(['-v', '-n', 'shop', pod, '-o', 'summary', '--json', where], on.kubeconfig);
    started.push(ksnoop);
    return ksnoop;
  };
  const [packets, edge] = [of('--no-edge'), of('--edge')];
  await Promise.all([packets.capturing(1), edge.capturing(1)]);
  await requests(on, { n: 1_000, run: `alone${Date.now()}` });
  const [local, remote] = await Promise.all([packets.stop(), edge.stop()]);
  expect(remote.code, remote.stderr).toBe(0);
  expect(countsOf(remote.stdout)).toEqual(countsOf(local.stdout));
});

test('where packets come too fast at first the capture begins again on the nodes, and says so', async () => {
  const [web] = await shopPods(on, 'web');
  const [client] = await shopPods(on, 'client');
  const pods = [`pod/${web?.name}`, `pod/${client?.name}`] as const;
  const iperf = (pod: string, ...args: string[]) => kubectl(on, 'exec', '-n', 'shop', pod, '--', 'iperf3', ...args);
  const server = iperf(pods[0], '-s', '-1', '-p', '5201');
  await expect
    .poll(() => kubectl(on, 'exec', '-n', 'shop', pods[0], '--', 'ss', '-ltn'), { timeout: 30_000 })
    .toContain(':5201');
  // 15 MB per second.
  const traffic = iperf(pods[1], '-c', web?.ip ?? '', '-p', '5201', '-b', '120M', '-t', '20');
  const ksnoop = new KsnoopProcess(['-v', '-n', 'shop', pods[0], '-o', 'summary', '--json'], on.kubeconfig);
  started.push(ksnoop);
  await ksnoop.says(/of packets per second come here: from now on they are analysed on their nodes/);
  // Of each attempt.
  await ksnoop.says(/^ksnoop: capturing shop/m, 2);
  await requests(on, { n: 50, run: `much${Date.now()}`, paths: 'ok', url: `http://${web?.ip}:8080/` });
  const { code, stderr, stdout } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  // Nothing of the first attempt is shown, and of the second one no packets came.
  expect(stdout.toString('utf8').trim().split('\n')).toHaveLength(1);
  expect(countsOf(stdout)).toMatchObject({
    services: [expect.stringContaining('shop'), expect.stringContaining('web.shop')],
  });
  expect(stderr.match(/packets captured/g)).toHaveLength(1);
  expect(stderr).toMatch(/, [\d.]+ kB in [\d.]+ m?s: [\d,]+ packets captured/);
  await Promise.allSettled([server, traffic]);
});

test('the summary of an agent that is killed counts nothing twice, and its gap is stated', async () => {
  const clients = await shopPods(on, 'client');
  const web = await shopPods(on, 'web');
  const edge = capture('-o', 'json', '--edge');
  await edge.capturing(web.length + clients.length);
  const [first, second] = [`before${Date.now()}`, `after${Date.now()}`];
  await requests(on, { n: COUNT, run: first, paths: 'ok' });
  // What was found is on its way every quarter of a second; the agent is killed after that.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const node = web[0]?.node ?? '';
  const agent = await kubectl(
    on,
    ...['get', 'pods', '-n', 'ksnoop', '--field-selector', `spec.nodeName=${node}`],
    ...['-o', 'jsonpath={.items[0].metadata.name}'],
  );
  await kubectl(on, 'delete', 'pod', '-n', 'ksnoop', agent.trim(), '--grace-period=0', '--force');
  await edge.recovers(1);
  await requests(on, { n: COUNT, run: second, paths: 'ok' });
  const { code, stderr, stdout } = await edge.stop();
  expect(code, stderr).toBe(4);
  expect(stderr).toMatch(new RegExp(`GAP: no packets from ${node}`));
  for (const run of [first, second]) {
    const counted = exchangesOf(stdout, run).filter(({ isOtherLeg }) => isOtherLeg !== true);
    expect(new Set(counted.map(({ label }) => label)).size).toBe(counted.length);
    expect(counted.length).toBe(COUNT);
  }
});
