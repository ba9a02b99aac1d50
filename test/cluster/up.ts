import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/wire/errors.ts';
import { dnsAvailable, nodeReady } from './api.ts';
import { ensureBuilt, program } from './builds.ts';
import { ClusterError } from './cluster-error.ts';
import { ensureApiServer, ensureControllers } from './control-plane.ts';
import { down } from './down.ts';
import { ensureOwnImages } from './images.ts';
import { type Layout, MARK, SOURCES } from './layout.ts';
import { makeNetwork, networkStands } from './network.ts';
import { ensureKubelet, ensureRuntime } from './node.ts';
import { failed, waitFor } from './parts.ts';
import { ensurePki } from './pki.ts';
import { recorded } from './processes.ts';
import { attempt, run, say } from './run.ts';

/** Brings the cluster up, or what is missing of it: every step leaves alone what stands already. */
export async function up(layout: Layout): Promise<void> {
  // Inherited by everything started from here on, so that `down` finds it even when this process is killed.
  process.env[MARK] = layout.state;
  await ensureBuilt();
  if (!networkStands(layout)) await fromNothing(layout);
  await Promise.all([
    ensureApiServer(layout).then(() => say('API server is ready')),
    ...layout.nodes.map(async (node) => {
      await ensureRuntime(layout, node);
      await ensureOwnImages(layout, node);
      say(`${node.name}: containerd runs, with its images`);
    }),
  ]);
  await Promise.all([ensureControllers(layout), ...layout.nodes.map((node) => ensureKubelet(layout, node))]);
  await ensureDns(layout);
  await Promise.all(
    layout.nodes.map(async (node) => {
      await waitFor(
        `${node.name} Ready`,
        () => nodeReady(layout, node.name),
        () => mustRun(layout, `${node.name}-kubelet`),
      );
      say(`${node.name} is Ready`);
    }),
  );
  await waitFor(
    'CoreDNS',
    () => dnsAvailable(layout),
    () => mustRun(layout, 'kube-controller-manager'),
  ).catch(async (thrown: unknown) => {
    const events = await attempt([...kubectl(layout), '--namespace', 'kube-system', 'events']);
    const end = events.stdout.trim().split('\n').slice(-10).join('\n');
    throw new ClusterError(`${messageOf(thrown)} The last events of its pod:\n${end}`, { cause: thrown });
  });
  say('CoreDNS is available');
  for (const part of partsOf(layout)) mustRun(layout, part);
}

/** Where there is no network nothing that may be left (by a restart of the machine, by an `up` killed early) is of use. */
async function fromNothing(layout: Layout): Promise<void> {
  await down(layout);
  for (const directory of [layout.state, layout.data]) mkdirSync(directory, { recursive: true, mode: 0o711 });
  for (const directory of [layout.logs, layout.pids]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  await ensurePki(layout);
  await makeNetwork(layout);
  say('network and certificates are there');
}

/** Every long-running part, by the name of its log and its record. */
export function partsOf(layout: Layout): string[] {
  const perNode = ['init', 'containerd', 'kubelet', 'kube-proxy'];
  return [
    ...['etcd', 'kube-apiserver', 'api-inside', 'api-outside', 'kube-controller-manager', 'kube-scheduler'],
    ...layout.nodes.flatMap((node) => perNode.map((part) => `${node.name}-${part}`)),
  ];
}

function mustRun(layout: Layout, part: string): void {
  if (recorded(layout, part) === undefined) throw failed(layout, part, 'ended');
}

async function ensureDns(layout: Layout): Promise<void> {
  const manifest = join(SOURCES, 'manifests', 'coredns.yaml');
  await run([...kubectl(layout), 'apply', '--server-side', '-f', manifest]);
}

/** kubectl as admin, which keeps what it learns of the API with the cluster and not in the user's home. */
export const kubectl = (layout: Layout) => [
  ...[program('kubectl'), '--kubeconfig', layout.kubeconfig],
  ...['--cache-dir', join(layout.state, 'kubectl-cache')],
];

export const exists = (layout: Layout) => existsSync(layout.state);
