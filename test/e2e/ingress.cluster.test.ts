import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, kubectl, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-ingress-'));
let on: TestCluster;

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Rows of tshark's own columns and fields, with the file's names in the place of addresses. */
function tshark(file: string, filter: string, fields: readonly string[]): string[][] {
  const wanted = fields.flatMap((field) => ['-e', field]);
  const words = ['-N', 'n', '-r', file, '-Y', filter, '-T', 'fields', '-E', 'separator=|', ...wanted];
  const output = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return output.split('\n').flatMap((line) => (line === '' ? [] : [line.split('|')]));
}

test('an Ingress is its controller and its backends: client to edge and edge to web in one stream, in order, by name', async () => {
  const N = 100;
  const run = `ingress${Date.now()}`;
  const file = join(directory, 'ingress.pcapng');
  const [client] = await shopPods(on, 'client');
  const [edge] = await shopPods(on, 'edge');
  const web = await shopPods(on, 'web');
  const names = { client: `shop/${client?.name}`, edge: `shop/${edge?.name}` };
  const ksnoop = new KsnoopProcess(['ingress/shop', '-n', 'shop', '-w', file], on.kubeconfig);
  await ksnoop.capturing(3);
  const curl = `curl -s -o /dev/null -w '%{http_code} ' -H 'Host: shop.example' "http://edge/ok?run=${run}&n=$i"`;
  const script = `for i in $(seq ${N}); do ${curl}; done`;
  const statuses = await kubectl(on, 'exec', '-n', 'shop', client?.name ?? '', '--', 'sh', '-c', script);
  expect(statuses.trim().split(' ')).toEqual(Array(N).fill('200'));
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  const fields = [
    'frame.interface_name',
    'frame.time_epoch',
    '_ws.col.Source',
    '_ws.col.Destination',
    'http.request.uri',
  ];
  const backends = web.map(({ name }) => `shop/${name}`);
  // What web asks in its turn is another matter.
  const rows = tshark(file, `http.request.uri contains "${run}"`, fields).filter(
    ([, , source = '']) => !backends.includes(source),
  );
  const times = rows.map(([, time]) => Number(time));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const atEdge = rows.filter(([name]) => name === `${names.edge}/any`);
  const inward = atEdge.filter(([, , , destination]) => destination === names.edge);
  const outward = atEdge.filter(([, , source]) => source === names.edge);
  const atWeb = rows.filter(([name = '']) => backends.includes(name.replace(/\/any$/, '')));
  expect(inward.map(([, , source]) => source)).toEqual(Array(N).fill(names.client));
  // What edge asks is the Service; kube-proxy makes it a pod.
  expect(outward.map(([, , , destination]) => destination)).toEqual(Array(N).fill('web.shop'));
  expect(atWeb).toHaveLength(N);
  for (const [name = '', , source, destination] of atWeb) {
    expect(source).toBe(names.edge);
    expect(`${destination}/any`).toBe(name);
  }
  // One after the other: client to edge, edge to web as edge sends it, and as web gets it.
  const order = rows.map(([name, , source]) =>
    name !== `${names.edge}/any` ? 'web' : source === names.edge ? 'out' : 'in',
  );
  expect(order).toEqual(Array(N).fill(['in', 'out', 'web']).flat());
});
