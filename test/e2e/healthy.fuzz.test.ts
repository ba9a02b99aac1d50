// The healthy shop under load, with a rollout and a scale-down: `ksnoop diagnose` has nothing to say. On our own cluster, which must be up.
import { expect, test } from 'vitest';
import type { Finding } from '../../src/analyze/findings/finding.ts';
import { OF_BUSY_MACHINES } from '../support/diagnose-place.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, kubectl, requests } from '../support/shop.ts';

/** Minutes of load; 0 skips it. */
const MINUTES = Number(process.env.KSNOOP_HEALTHY_MINUTES ?? 10);
/**
 * What is true while the shop changes: its api refuses connections at its start and its end, and clients do get 502 then; and nodes
 * send some connections to pods that have ended.
 */
const OF_CHANGES: ReadonlySet<string> = new Set(['GATEWAY_ERROR', 'CONNECT_TIMEOUT']);
/** What opening and ending it takes at most, beside the minutes. */
const BESIDE_MS = 1_800_000;

test(`${MINUTES} minutes of load, a rollout and a scale-down: no error and no warning`, {
  timeout: MINUTES * 60_000 + BESIDE_MS,
}, async ({ skip }) => {
  if (MINUTES === 0) skip();
  const on = await ensureShop();
  await ensureAgent();
  const words = ['diagnose', 'svc/web', 'svc/api', 'deploy/client', '-n', 'shop', '--json', '--duration', '7200s'];
  const ksnoop = new KsnoopProcess(words, on.kubeconfig);
  await ksnoop.capturing(4);
  const rollout = (...verb: string[]) => kubectl(on, ...verb, '-n', 'shop');
  const replicas = (await kubectl(on, 'get', '-n', 'shop', 'deployment/api', '-o', 'jsonpath={.spec.replicas}')).trim();
  const changes: (() => Promise<unknown>)[] = [
    async () => {
      await rollout('rollout', 'restart', 'deployment/web');
      await rollout('rollout', 'status', 'deployment/web', '--timeout=600s');
    },
    () => rollout('scale', 'deployment/api', `--replicas=${Number(replicas) + 1}`),
    () => rollout('scale', 'deployment/api', `--replicas=${replicas}`),
  ];
  const begin = Date.now();
  const end = begin + MINUTES * 60_000;
  let answered = 0;
  let running: Promise<unknown> = Promise.resolve();
  for (let round = 0; Date.now() < end || changes.length > 0; round += 1) {
    // The changes are spread over the time, one after another, under load.
    const done = 3 - changes.length;
    if (changes.length > 0 && Date.now() - begin > ((end - begin) * (done + 1)) / 4)
      running = running.then(changes.shift() as () => Promise<unknown>);
    answered += (await requests(on, { n: 400, run: `healthy-${begin}-${round}`, paths: 'ok,redirect,missing' }))
      .answered;
  }
  await running;
  const { code, stdout, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout.toString()) as { findings: readonly Finding[]; exchanges: number };
  const wrong = report.findings.filter(
    ({ code: own, severity }) => severity !== 'information' && !OF_BUSY_MACHINES.has(own) && !OF_CHANGES.has(own),
  );
  console.info(
    `${report.exchanges} exchanges, ${answered} of them the client's; ${report.findings.map((one) => `${one.code}: ${one.message}`).join('\n')}`,
  );
  expect(wrong).toEqual([]);
  expect(report.exchanges).toBeGreaterThanOrEqual(answered);
});
