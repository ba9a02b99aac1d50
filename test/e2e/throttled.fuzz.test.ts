// A pod that its CPU limit stops: `ksnoop diagnose` names it. On our own cluster, which must be up; the agents get the overlay
// `cgroup` for the length of the test.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildAgentImage } from '../../daemonset/image/build.ts';
import type { Finding } from '../../src/analyze/findings/finding.ts';
import { buildShopImage } from '../cluster/workloads/image.ts';
import type { TestCluster } from '../support/cluster.ts';
import { service } from '../support/diagnose-place.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, ksnoop, kubectl, requests } from '../support/shop.ts';

const namespace = `throttled-${Date.now().toString(36)}`;
let on: TestCluster;

/** Each request takes 20 ms of a processor: a fifth of a scheduler's period, and more than the limit allows in one. */
const PROGRAM = `
import { createServer } from 'node:http';
createServer((request, response) => {
  const until = process.cpuUsage().user + 20_000;
  while (process.cpuUsage().user < until);
  response.end('ok\\n');
}).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

function busyPod(image: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'busy', namespace, labels: { app: 'busy' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'web',
          image,
          command: ['/usr/bin/node', '--input-type=module', '-e', PROGRAM],
          resources: { limits: { cpu: '100m', memory: '256Mi' } },
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, timeoutSeconds: 30 },
        },
      ],
    },
  };
}

beforeAll(async () => {
  on = await ensureShop();
  const { tag: image } = await buildShopImage(() => {});
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    busyPod(image),
    service(namespace, 'busy', 'busy', { ports: [{ port: 80, targetPort: 8080 }] }),
  ];
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await kubectl(on, 'wait', '--for=condition=Ready', 'pod/busy', '-n', namespace, '--timeout=300s');
  await ensureAgent();
  const { tag } = await buildAgentImage({ newest: true }, () => {});
  expect(await ksnoop(on, 'install', '--image', tag, '--overlay', 'cgroup')).toMatchObject({ code: 0 });
}, 1_200_000);

afterAll(async () => {
  await kubectl(on, 'delete', 'namespace', namespace, '--wait=false');
  await ensureAgent();
}, 1_200_000);

test('diagnose names a pod that its CPU limit stops, with the requests that were slow meanwhile', async () => {
  const words = ['diagnose', 'svc/busy', '-n', namespace, '--scope', 'target', '--json', '--duration', '1200s'];
  const diagnosis = new KsnoopProcess(words, on.kubeconfig);
  await diagnosis.capturing(1);
  const url = `http://busy.${namespace}/`;
  const { answered } = await requests(on, { n: 60, run: namespace, url, paths: 'ok', concurrency: 4 });
  expect(answered).toBe(60);
  const { code, stdout, stderr } = await diagnosis.stop();
  expect(code, stderr).toBe(0);
  const { findings } = JSON.parse(stdout.toString()) as { findings: readonly Finding[] };
  const [first] = findings;
  expect(first, JSON.stringify(findings)).toMatchObject({
    code: 'CPU_THROTTLED',
    severity: 'warning',
    confidence: 'proven',
    subject: `busy.${namespace}`,
    message: expect.stringContaining(`${namespace}/busy (container web) is stopped by its CPU limit`),
  });
  // The limit explains that the server is slow.
  expect(findings.map((finding) => finding.code)).not.toContain('SERVER_SLOW');
});
