import { existsSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { isObject, type JsonObject, objectAt, objectsAt } from '../../src/wire/guard.ts';
import { DNS_ADDRESS, type Layout, type NodeLayout } from './layout.ts';
import { certificateOf, keyOf } from './pki.ts';
import { attempt } from './run.ts';

/** How long one question to the API server may take, in milliseconds. */
const TIMEOUT = 3_000;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Asks the API server as admin; undefined when it does not answer. */
export function get(layout: Layout, path: string): Promise<Answer | undefined> {
  const portFile = join(layout.state, 'port');
  if (!existsSync(portFile) || !existsSync(join(layout.pki, 'complete'))) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: Number(readFileSync(portFile, 'utf8')),
        path,
        agent: false,
        timeout: TIMEOUT,
        ca: readFileSync(certificateOf(layout, 'ca')),
        cert: readFileSync(certificateOf(layout, 'admin')),
        key: readFileSync(keyOf(layout, 'admin')),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        response.on('error', () => resolve(undefined));
      },
    );
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end();
  });
}

export async function readyz(layout: Layout): Promise<boolean> {
  return (await get(layout, '/readyz'))?.status === 200;
}

/** What an object's condition of this type says of itself when its status is True. */
async function condition(layout: Layout, path: string, type: string): Promise<JsonObject | undefined> {
  const answer = await get(layout, path);
  if (answer?.status !== 200) return undefined;
  const object: unknown = JSON.parse(answer.body);
  if (!isObject(object)) return undefined;
  return objectsAt(objectAt(object, 'status'), 'conditions').find((one) => one.type === type && one.status === 'True');
}

/** Whether a node is Ready in the words of the kubelet that runs now: what one that was killed said stands for 40 s. */
export async function nodeReady(layout: Layout, name: string): Promise<boolean> {
  const started = statSync(join(layout.pids, `${name}-kubelet`), { throwIfNoEntry: false })?.mtimeMs;
  const said = (await condition(layout, `/api/v1/nodes/${name}`, 'Ready'))?.lastHeartbeatTime;
  // The API server keeps whole seconds.
  return started !== undefined && typeof said === 'string' && Date.parse(said) >= Math.floor(started / 1000) * 1000;
}

/** Whether CoreDNS is available and every node gets an answer from its Service: kube-proxy has done its part too. */
export async function dnsAvailable(layout: Layout): Promise<boolean> {
  const deployment = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
  if ((await condition(layout, deployment, 'Available')) === undefined) return false;
  const answers = await Promise.all(layout.nodes.map((node) => resolves(node)));
  return answers.every((yes) => yes);
}

async function resolves(node: NodeLayout): Promise<boolean> {
  const lookup = ['busybox', 'nslookup', 'kubernetes.default.svc.cluster.local.', DNS_ADDRESS];
  return (await attempt(['nsenter', `--net=${node.network}`, 'timeout', '2', ...lookup])).code === 0;
}
