// More captures of one agent than its container's memory carries: none of those that run is killed.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject, objectAt, objectsAt, optionalNumber, optionalString, parseJson } from '../../src/wire/guard.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, kubectl, requests, shopPods } from '../support/shop.ts';

const CAPTURES = 24;
const TRANSPORTS = ['port-forward', 'port-forward', 'exec'] as const;

let on: TestCluster;
const started: KsnoopProcess[] = [];
beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(() => {
  for (const { child } of started) child.kill('SIGKILL');
});

/** The agent of a node: its pod's UID, and how often its container was started again. */
async function agentOf(node: string): Promise<{ uid: string; restarts: number }> {
  const select = ['-l', 'app.kubernetes.io/name=ksnoop-agent', '--field-selector', `spec.nodeName=${node}`];
  const list = parseJson(await kubectl(on, 'get', 'pods', '-n', 'ksnoop', ...select, '-o', 'json'), 'pods');
  const [pod = {}] = isObject(list) ? objectsAt(list, 'items') : [];
  const [status = {}] = objectsAt(objectAt(pod, 'status'), 'containerStatuses');
  const uid = optionalString(objectAt(pod, 'metadata'), 'uid') ?? '';
  return { uid, restarts: optionalNumber(status, 'restartCount') ?? 0 };
}

/** Processes of an agent that the kernel has killed for their memory, in version 1 and 2 of the memory cgroup. */
async function killed(node: string, uid: string): Promise<number> {
  const files = ['-name', 'memory.oom_control', '-o', '-name', 'memory.events'];
  const { stdout } = await on.nodeExec(node, ['find', '/sys/fs/cgroup', '-path', `*pod${uid}*`, '(', ...files, ')']);
  const paths = stdout.trim().split('\n').filter(Boolean);
  expect(paths.length).toBeGreaterThan(0);
  const texts = await on.nodeExec(node, ['cat', ...paths]);
  return [...texts.stdout.matchAll(/^oom_kill (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

test('captures past the memory, if there are any, are refused by name, and those that run are complete', async ({
  skip,
}) => {
  if (!on.own) skip();
  const [pod] = await shopPods(on, 'web');
  if (pod === undefined) throw new Error('the shop has no web');
  const before = await agentOf(pod.node);
  const killedBefore = await killed(pod.node, before.uid);
  const begin = (index: number, stdout?: string) => {
    const transport = TRANSPORTS[index % TRANSPORTS.length] ?? 'exec';
    const words = ['-n', 'shop', `pod/${pod.name}`, '--transport', transport];
    const ksnoop = new KsnoopProcess(words, on.kubeconfig, stdout);
    started.push(ksnoop);
    return ksnoop;
  };
  const first = begin(0);
  await first.capturing(1);
  // A third of them leaves its stdout unread.
  const others = Array.from({ length: CAPTURES - 1 }, (_, index) => begin(index, index % 3 === 0 ? 'pipe' : undefined));
  const settled = await Promise.all(
    others.map(async (ksnoop) => {
      await ksnoop.capturing(1).catch(() => {});
      return ksnoop;
    }),
  );
  const refused = settled.filter(({ child }) => child.exitCode !== null);
  for (const { stderr } of refused) expect(stderr).toMatch(/too little memory left for another capture/);
  expect(refused.length).toBeLessThan(CAPTURES - 2);
  const { answered } = await requests(on, { n: 2_000, run: 'memory', paths: 'ok' });
  expect(answered).toBe(2_000);
  const running = [first, ...settled.filter(({ child }) => child.exitCode === null)];
  for (const one of running) one.child.stdout?.resume();
  const ends = await Promise.all(running.map((ksnoop) => ksnoop.stop()));
  for (const { code, stderr } of ends) expect(code, stderr).toBe(0);
  expect(await killed(pod.node, before.uid)).toBe(killedBefore);
  expect(await agentOf(pod.node)).toEqual(before);
}, 180_000);
