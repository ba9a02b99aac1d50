import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isObject, objectAt, objectsAt, optionalNumber, optionalString, parseJson } from '../../src/wire/guard.ts';
import { buildShopImage } from '../cluster/workloads/image.ts';
import { builtAgentImage } from './agent-image.ts';
import { cluster, type TestCluster } from './cluster.ts';

const manifests = join(import.meta.dirname, '../cluster/workloads/manifests');
const root = join(import.meta.dirname, '../..');

/** Applied in this order: the namespace first. */
const FILES = ['namespace.yaml', ...readdirSync(manifests).filter((name) => name !== 'namespace.yaml')];
const DEPLOYMENTS = ['cache', 'api', 'web', 'client', 'edge'];

type Say = (line: string) => void;

/** Put the shop into the cluster and wait until it trades. Quick when it already does. */
export async function ensureShop(say: Say = console.error, where = cluster()): Promise<TestCluster> {
  const on = await where;
  const { path, tag } = await buildShopImage(say);
  await ensureImage(on, tag, path, say);
  const text = FILES.map((name) => readFileSync(join(manifests, name), 'utf8')).join('\n---\n');
  const dns = (
    await kubectl(on, 'get', 'service', '-n', 'kube-system', 'kube-dns', '-o', 'jsonpath={.spec.clusterIP}')
  ).trim();
  const rendered = text.replaceAll('IMAGE', tag).replaceAll('CLUSTER_DNS', dns);
  await applyText(on, rendered);
  for (const name of DEPLOYMENTS) {
    await kubectl(on, 'rollout', 'status', '-n', 'shop', `deployment/${name}`, '--timeout=300s');
  }
  return on;
}

/** Put the agents of this build into the cluster, as `ksnoop install` does, and wait for them. */
export async function ensureAgent(
  say: Say = console.error,
  where = cluster(),
  ...options: string[]
): Promise<TestCluster> {
  const on = await where;
  const { path, tag } = await builtAgentImage(say);
  await ensureImage(on, tag, path, say);
  const { code, stderr } = await ksnoop(on, 'install', '--image', tag, ...options);
  if (code !== 0) throw new Error(`ksnoop install: ${stderr}`);
  return on;
}

/** Images travel by hand: to our own nodes by import, to a foreign cluster by whoever runs it. */
export async function ensureImage(on: TestCluster, tag: string, path: string, say: Say): Promise<void> {
  if (!on.own) {
    say(`the cluster needs the image ${tag}: kind load image-archive ${path}, or minikube image load ${path}`);
    return;
  }
  const nodes = parseJson(await kubectl(on, 'get', 'nodes', '-o', 'json'), 'nodes');
  const known = isObject(nodes) ? objectsAt(nodes, 'items') : [];
  const everywhere = known.every((node) =>
    objectsAt(objectAt(node, 'status'), 'images').some(
      ({ names }) => Array.isArray(names) && names.some((name) => String(name).endsWith(`/${tag}`)),
    ),
  );
  if (!everywhere || known.length === 0) await on.loadImage(path);
}

export interface RequestsReport {
  readonly sent: number;
  readonly answered: number;
  /** How many answers had which status. */
  readonly status: Readonly<Record<string, number>>;
}

/** Have a client make exactly `n` requests; what it got. */
export async function requests(
  on: TestCluster,
  options: { n: number; run: string; paths?: string; url?: string; concurrency?: number; pod?: string },
): Promise<RequestsReport> {
  const { n, run, paths = 'ok,redirect,missing,unavailable,slow', url = 'http://web/', concurrency = 8 } = options;
  const { pod = 'deploy/client' } = options;
  const flags = ['--n', String(n), '--url', url, '--paths', paths, '--run', run, '--concurrency', String(concurrency)];
  const text = await kubectl(on, 'exec', '-n', 'shop', pod, '--', 'requests', ...flags);
  const report = parseJson(text, "client's report");
  if (!isObject(report)) throw new Error(`the client reported ${text}`);
  const status: Record<string, number> = {};
  for (const [code, count] of Object.entries(objectAt(report, 'status'))) status[code] = Number(count);
  return { sent: optionalNumber(report, 'sent') ?? 0, answered: optionalNumber(report, 'answered') ?? 0, status };
}

export interface ShopPod {
  readonly name: string;
  readonly node: string;
  readonly ip: string;
}

/** The running pods of an app of the shop, by name. */
export async function shopPods(on: TestCluster, app: string): Promise<ShopPod[]> {
  const list = parseJson(await kubectl(on, 'get', 'pods', '-n', 'shop', '-l', `app=${app}`, '-o', 'json'), 'pods');
  return (isObject(list) ? objectsAt(list, 'items') : [])
    .filter(
      (pod) => objectAt(pod, 'metadata').deletionTimestamp === undefined && objectAt(pod, 'status').phase === 'Running',
    )
    .map((pod) => ({
      name: optionalString(objectAt(pod, 'metadata'), 'name') ?? '',
      node: optionalString(objectAt(pod, 'spec'), 'nodeName') ?? '',
      ip: optionalString(objectAt(pod, 'status'), 'podIP') ?? '',
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** kubectl's stdout. @throws with its stderr when it fails */
export async function kubectl(on: TestCluster, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await on.kubectl(...args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Apply objects, YAML or JSON, from memory. */
export async function applyText(on: TestCluster, objects: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-apply-'));
  try {
    const file = join(directory, 'objects.yaml');
    writeFileSync(file, objects);
    await kubectl(on, 'apply', '-f', file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Run this build's ksnoop to its end on the test cluster. */
export async function ksnoop(on: TestCluster, ...args: string[]) {
  const { KsnoopProcess } = await import('./ksnoop-process.ts');
  return new KsnoopProcess([join(root, 'bin/ksnoop.mjs'), ...args], on.kubeconfig).finished();
}
