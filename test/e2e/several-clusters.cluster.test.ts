// Two contexts, and a third one whose API server is dead. Both lead to the same cluster, so every address is in both: the hardest case.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objectAt, objectsAt, parseJson, requireObject } from '../../src/wire/guard.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, requests, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-clusters-'));
let on: TestCluster;
beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The admin's kubeconfig with three contexts: of `dead` the API server does not exist. */
function kubeconfig(): string {
  const config = requireObject(load(readFileSync(on.kubeconfig, 'utf8')), 'kubeconfig');
  const context = objectAt(objectsAt(config, 'contexts')[0] ?? {}, 'context');
  const [cluster] = objectsAt(config, 'clusters');
  const dead = { ...objectAt(cluster ?? {}, 'cluster'), server: 'https://127.0.0.1:1' };
  const path = join(directory, 'kubeconfig');
  const contexts = [
    { name: 'east', context },
    { name: 'west/1', context },
    { name: 'dead', context: { ...context, cluster: 'dead' } },
  ];
  const clusters = [...objectsAt(config, 'clusters'), { name: 'dead', cluster: dead }];
  writeFileSync(path, dump({ ...config, contexts, clusters, 'current-context': 'east' }));
  return path;
}

test('every request is in both clusters, with the names of its own, and the dead one costs none', async () => {
  const file = join(directory, 'both.pcapng');
  const words = ['--context', 'east,west*,dead', '-n', 'shop', 'svc/web', '-w', file];
  const capture = new KsnoopProcess(words, kubeconfig());
  const { length: pods } = await shopPods(on, 'web');
  await capture.says(/capturing west\/1\/shop\/web-/, pods);
  await capture.says(/capturing east\/shop\/web-/, pods);
  await requests(on, { n: 60, run: 'clusters', paths: 'ok', concurrency: 2 });
  const { code, stderr } = await capture.stop();
  expect(code, stderr).toBe(4);
  expect(stderr).toContain('dead: ');
  const read = await new KsnoopProcess(['read', file, '-o', 'json'], on.kubeconfig).finished();
  const records = read.stdout
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => requireObject(parseJson(line, 'record'), 'record'))
    .filter((record) => String(objectAt(record, 'http').path).includes('run=clusters'))
    // web itself asks api for each of them.
    .filter((record) => String(objectAt(record, 'src').pod).startsWith('client-'));
  const inEach = (cluster: string) => records.filter((record) => objectAt(record, 'dst').cluster === cluster);
  expect([inEach('east').length, inEach('west/1').length]).toEqual([60, 60]);
  for (const record of records) {
    const { src, dst } = { src: objectAt(record, 'src'), dst: objectAt(record, 'dst') };
    expect([src.cluster, String(src.pod).split('-')[0], String(dst.pod).split('-')[0]]).toEqual([
      dst.cluster,
      'client',
      'web',
    ]);
    expect(String(record.interface)).toMatch(new RegExp(`^${String(dst.cluster)}/shop/web-[^/]+/any$`));
  }
});
