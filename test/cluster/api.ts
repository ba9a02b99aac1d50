import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { isObject, objectAt, objectsAt } from '../../src/wire/guard.ts';
import type { Layout } from './layout.ts';
import { certificateOf, keyOf } from './pki.ts';

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

/** Whether an object has a condition of this type with status True. */
export async function hasCondition(layout: Layout, path: string, type: string): Promise<boolean> {
  const answer = await get(layout, path);
  if (answer?.status !== 200) return false;
  const object: unknown = JSON.parse(answer.body);
  if (!isObject(object)) return false;
  return objectsAt(objectAt(object, 'status'), 'conditions').some((one) => one.type === type && one.status === 'True');
}

export const nodeReady = (layout: Layout, name: string) => hasCondition(layout, `/api/v1/nodes/${name}`, 'Ready');
export const dnsAvailable = (layout: Layout) =>
  hasCondition(layout, '/apis/apps/v1/namespaces/kube-system/deployments/coredns', 'Available');
