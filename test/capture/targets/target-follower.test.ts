import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';
import { targetSet } from '../kinds/found.ts';

let server: ObjectServer;
let abort = new AbortController();
let ended: Promise<void> | undefined;
afterEach(async () => {
  abort.abort();
  await ended;
  await server.api.close();
});

const web = { app: 'web' };
const service = (selector: Record<string, string>): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector },
});

/** Follow what the words stand for; `until` resolves when a line was told, in the order of telling. */
async function follow(words: string[], options: Parameters<typeof targetSet>[2] = {}) {
  const set = await targetSet(server, words, options);
  const told: string[] = [];
  let wake = () => {};
  abort = new AbortController();
  ended = set.follow((event) => {
    if (event.type === 'added') told.push(`added ${event.pod.name}`);
    else if (event.type === 'gone') told.push(`gone ${event.label}`);
    else if (event.type === 'node-added') told.push(`node ${event.name}`);
    else told.push(event.type === 'note' ? `note ${event.message}` : `refused ${event.label}`);
    wake();
  }, abort.signal);
  const until = async (line: string) => {
    while (!told.some((text) => text.startsWith(line))) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { set, told, until };
}

/** Watches begin after the first answers: wait for so many. */
async function watching(count: number): Promise<void> {
  await expect
    .poll(() => server.api.seen.filter((line) => line.includes('watch=true')).length)
    .toBeGreaterThanOrEqual(count);
}

test('pods that come and go, and one whose labels change', async () => {
  server = await startObjectServer(service(web), podObject('web-1', { labels: web }));
  const { set, told, until } = await follow(['svc/web']);
  expect(set.growing).toBe(true);
  await watching(2);
  server.put(podObject('web-2', { labels: web }));
  await until('added web-2');
  server.remove('Pod', 'web-1');
  await until('gone shop/web-1');
  server.put(podObject('web-2', { labels: { app: 'old' } }));
  await until('gone shop/web-2');
  expect(told).toEqual(['added web-2', 'gone shop/web-1', 'gone shop/web-2']);
});

test('a pod is told when it has a node, again when its containers are made, and goes when it has ended', async () => {
  server = await startObjectServer(service(web), podObject('web-1', { labels: web }));
  const { told, until } = await follow(['svc/web']);
  await watching(2);
  server.put(podObject('web-2', { labels: web, node: '', phase: 'Pending' }));
  server.put(podObject('web-2', { labels: web, phase: 'Pending' }));
  await until('added web-2');
  server.put(podObject('web-2', { labels: web }));
  server.put(podObject('web-2', { labels: web, ip: '10.244.1.77' }));
  server.put(podObject('web-2', { labels: web, phase: 'Succeeded' }));
  await until('gone shop/web-2');
  expect(told).toEqual(['added web-2', 'added web-2', 'gone shop/web-2']);
});

test('a Service that selects others: those go, these come, and what stays is not touched', async () => {
  server = await startObjectServer(
    service({ app: 'web' }),
    podObject('blue', { labels: { app: 'web', colour: 'blue' } }),
    podObject('green', { labels: { app: 'web', colour: 'green' } }),
    podObject('new', { labels: { app: 'next', colour: 'green' } }),
  );
  const { told, until } = await follow(['svc/web']);
  await watching(2);
  server.put(service({ colour: 'green' }));
  await until('gone shop/blue');
  expect(told).toEqual(['added new', 'gone shop/blue']);
});

test('objects that change without end are looked up again at bounded intervals', async () => {
  server = await startObjectServer(service(web), podObject('web-1', { labels: web }));
  const begun = performance.now();
  await follow(['svc/web'], { againMs: 1_000 });
  await watching(2);
  for (let count = 0; performance.now() < begun + 2_500; count += 1) {
    server.put(service({ app: 'web', round: String(count) }));
    await sleep(50);
  }
  const looked = server.api.seen.filter((line) => /GET .*\/services\/web( |$)/.test(line)).length;
  // One at the beginning, and one that came due while it was counted.
  expect(looked).toBeLessThanOrEqual(2 + (performance.now() - begun) / 1_000);
  expect(looked).toBeGreaterThan(1);
});

test('what went while the API server was away, or while versions grew too old, is told', async () => {
  server = await startObjectServer(
    service(web),
    podObject('web-1', { labels: web }),
    podObject('web-2', { labels: web }),
  );
  const { until, told } = await follow(['svc/web']);
  await watching(2);
  server.endWatches(true);
  server.remove('Pod', 'web-1');
  server.put(podObject('web-3', { labels: web }));
  await until('added web-3');
  await until('gone shop/web-1');
  expect(told.filter((line) => !line.startsWith('note')).sort()).toEqual(['added web-3', 'gone shop/web-1']);
});

test('what changed between the first answer and the watch is told', async () => {
  server = await startObjectServer(service(web), podObject('web-1', { labels: web }));
  const set = await targetSet(server, ['svc/web']);
  server.remove('Pod', 'web-1');
  server.put(podObject('web-2', { labels: web }));
  const told: string[] = [];
  abort = new AbortController();
  ended = set.follow((event) => told.push(event.type === 'gone' ? event.label : event.type), abort.signal);
  await expect.poll(() => told).toEqual(['added', 'shop/web-1']);
});

test('a pattern takes a Deployment that is made later, and its pods', async () => {
  const deployment = (name: string): TestObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } } },
  });
  const podOf = (name: string) =>
    podObject(`${name}-1`, {
      labels: { app: name, 'pod-template-hash': '5' },
      owner: { kind: 'ReplicaSet', name: `${name}-5` },
    });
  server = await startObjectServer(deployment('web-a'), podOf('web-a'));
  const { until, told } = await follow(['deploy/web-*']);
  await watching(2);
  server.put(deployment('web-b'));
  server.put(podOf('web-b'));
  server.put(deployment('api'));
  server.put(podOf('api'));
  await until('added web-b-1');
  expect(told).toEqual(['added web-b-1']);
});

test('nodes that join', async () => {
  const node = (name: string): TestObject => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  server = await startObjectServer(node('n1'));
  const { until, set } = await follow(['node/*']);
  expect(set.initial.nodes).toEqual([{ uid: 'Node-n1', name: 'n1' }]);
  await watching(1);
  server.put(node('n2'));
  await until('node n2');
  server.remove('Node', 'n1');
  await until('gone node/n1');
});

test('a pod that nothing makes anew does not grow; a StatefulSet’s does, and comes again', async () => {
  const owner = { kind: 'StatefulSet', name: 'db' };
  const replicas = { kind: 'ReplicaSet', name: 'web-5' };
  server = await startObjectServer(
    podObject('lone'),
    podObject('web-5-x', { owner: replicas }),
    podObject('db-0', { owner }),
  );
  expect((await targetSet(server, ['pod/lone', 'pod/web-5-x'])).growing).toBe(false);
  expect((await targetSet(server, ['pod/lone*'])).growing).toBe(true);
  const { set, until } = await follow(['pod/db-0']);
  expect(set.growing).toBe(true);
  await watching(1);
  server.remove('Pod', 'db-0');
  await until('gone shop/db-0');
  server.put({
    ...podObject('db-0', { owner }),
    metadata: { ...podObject('db-0', { owner }).metadata, uid: 'second' },
  });
  await until('added db-0');
});

test('past the bound nobody joins, and the flag that allows it is named once', async () => {
  server = await startObjectServer(service(web), podObject('web-1', { labels: web }));
  const { told, until } = await follow(['svc/web'], { maximum: 2 });
  await watching(2);
  for (const name of ['web-2', 'web-3', 'web-4']) server.put(podObject(name, { labels: web }));
  server.remove('Pod', 'web-1');
  await until('gone shop/web-1');
  expect(told).toEqual([
    'added web-2',
    expect.stringMatching(/^note shop\/web-3 is not captured: 2 .*--max-targets/),
    'gone shop/web-1',
  ]);
});

test('without the right to watch, what was found stays, and the right is named', async () => {
  server = await startObjectServer(service(web), podObject('web-1', { labels: web }));
  server.forbid(/pods\?watch/);
  const { told, until } = await follow(['svc/web']);
  await until('note');
  server.remove('Pod', 'web-1');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told).toEqual([expect.stringMatching(/not followed: .*Role in namespace shop: .*"pods".*"watch"/)]);
});

test('too many at once is wrong use', async () => {
  server = await startObjectServer(
    service(web),
    podObject('web-1', { labels: web }),
    podObject('web-2', { labels: web }),
  );
  await expect(targetSet(server, ['svc/web'], { maximum: 1 })).rejects.toMatchObject({
    code: 'TOO_MANY_TARGETS',
    exit: 2,
    hint: expect.stringContaining('--max-targets 2'),
  });
});
