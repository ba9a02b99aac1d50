import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildMeshImage } from '../cluster/workloads/image.ts';
import { cluster, type TestCluster } from './cluster.ts';
import { applyText, ensureImage, kubectl } from './shop.ts';

const run = promisify(execFile);
const programs = join(import.meta.dirname, '../analyze/trace/captures/mesh');
const manifest = join(import.meta.dirname, '../cluster/workloads/mesh/mesh.yaml');

/** Pods of the mesh: the client's, and two servers'. */
export const MESH_PODS = 3;

/**
 * Programs with Envoy as their sidecar in a namespace of their own, ready.
 * @param mode what the sidecars speak with one another: http1, http2 or tcp
 */
export async function ensureMesh(
  namespace: string,
  mode: string,
  say: (line: string) => void = console.error,
): Promise<TestCluster> {
  const on = await cluster();
  const { path, tag } = await buildMeshImage(say);
  await ensureImage(on, tag, path, say);
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-mesh-'));
  chmodSync(directory, 0o755);
  try {
    await run(join(programs, 'certificates.sh'), { cwd: directory });
    await run('node', [
      join(programs, 'envoy.ts'),
      directory,
      mode,
      'TLSv1_3',
      `web-pods.${namespace}.svc.cluster.local`,
      '/etc/mesh',
    ]);
    const files = [
      ...readdirSync(directory)
        .filter((name) => /^(?:client|web)\.(?:key|pem)$|^ca\.pem$|\.json$/.test(name))
        .map((name) => join(directory, name)),
      ...['request.mjs', 'serve.mjs', 'redirect.rules'].map((name) => join(programs, name)),
    ];
    const data = Object.fromEntries(
      files.map((file) => [file.slice(file.lastIndexOf('/') + 1), readFileSync(file, 'utf8')]),
    );
    const metadata = { name: 'mesh', namespace };
    const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    const objects = readFileSync(manifest, 'utf8').replaceAll('IMAGE', tag).replaceAll('NAMESPACE', namespace);
    await applyText(on, [JSON.stringify(space), JSON.stringify(map), objects].join('\n---\n'));
  } finally {
    rmSync(directory, { recursive: true });
  }
  for (const name of ['web', 'client']) {
    await kubectl(on, 'rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=300s');
  }
  await untilAnswered(on, namespace);
  return on;
}

/** A sidecar that starts knows no server yet. */
const WARM_REQUESTS = 50;
const WARM_ROUNDS = 3;
const WARM_MS = 120_000;

/** Waits until all requests are answered, several times in a row. */
async function untilAnswered(on: TestCluster, namespace: string): Promise<void> {
  const until = performance.now() + WARM_MS;
  const load = { path: '/warm', count: WARM_REQUESTS, atOnce: 8, ids: false };
  for (let rounds = 0; rounds < WARM_ROUNDS; ) {
    const answered = await meshRequests(on, namespace, load);
    rounds = JSON.stringify(answered) === JSON.stringify({ 200: WARM_REQUESTS }) ? rounds + 1 : 0;
    if (performance.now() > until) throw new Error(`sidecars of ${namespace} answer ${JSON.stringify(answered)}`);
  }
}

/** Makes requests through the sidecars, each with its number. @returns how many were answered with which status */
export async function meshRequests(
  on: TestCluster,
  namespace: string,
  load: { readonly path: string; readonly count: number; readonly atOnce: number; readonly ids: boolean },
): Promise<unknown> {
  const { path, count, atOnce, ids } = load;
  const program = [
    'node',
    '/etc/mesh/request.mjs',
    'http://web',
    path,
    String(count),
    String(atOnce),
    ids ? 'ids' : 'none',
  ];
  const text = await kubectl(on, 'exec', '-n', namespace, 'deploy/client', '-c', 'app', '--', ...program);
  return JSON.parse(text);
}

/** What the servers' programs logged: path and X-Request-Id of every request. */
export async function meshLog(on: TestCluster, namespace: string): Promise<string[]> {
  const text = await kubectl(on, 'logs', '-n', namespace, '-l', 'app=web', '-c', 'app', '--tail=-1');
  return text.trim().split('\n');
}
