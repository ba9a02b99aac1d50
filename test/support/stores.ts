import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type JsonObject, parseJson } from '../../src/wire/guard.ts';
import { buildStoresImage } from '../cluster/workloads/image.ts';
import { issue, makeAuthority } from './certificates.ts';
import type { TestCluster } from './cluster.ts';
import { applyText, ensureImage, ensureShop, kubectl } from './shop.ts';

const manifests = join(import.meta.dirname, '../cluster/workloads/stores');

type Say = (line: string) => void;

/** Put the shop's databases, and what it says in gRPC, WebSocket and TLS, beside it, and wait until they answer. */
export async function ensureStores(say: Say = console.error): Promise<TestCluster> {
  const on = await ensureShop(say);
  const { path, tag } = await buildStoresImage(say);
  await ensureImage(on, tag, path, say);
  if ((await on.kubectl('get', 'secret', '-n', 'shop', 'talk-tls')).code !== 0) await applyText(on, certificate());
  const files = readdirSync(manifests).sort();
  await applyText(
    on,
    files
      .map((name) => readFileSync(join(manifests, name), 'utf8'))
      .join('\n---\n')
      .replaceAll('IMAGE', tag),
  );
  for (const file of files) {
    const name = file.replace('.yaml', '');
    await kubectl(on, 'rollout', 'status', '-n', 'shop', `deployment/${name}`, '--timeout=180s');
  }
  return on;
}

/** What a command run in the caller's pod reported as JSON. */
export async function call(on: TestCluster, ...command: string[]): Promise<JsonObject> {
  const text = await kubectl(on, 'exec', '-n', 'shop', 'deploy/caller', '--', ...command);
  const report = parseJson(text, `what ${command[0]} reported`);
  if (!isObject(report)) throw new Error(`${command.join(' ')} reported ${text}`);
  return report;
}

function certificate(): string {
  const hosts = ['pay.shop.test', 'login.shop.test', 'old.shop.test'];
  const { certificate: pem, key } = issue(makeAuthority('shop authority'), { name: 'shop.test', hosts });
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'talk-tls', namespace: 'shop' },
    stringData: { 'tls.crt': pem, 'tls.key': key },
  });
}
