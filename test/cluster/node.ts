import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './builds.ts';
import { makeCgroup, removeCgroup } from './cgroups.ts';
import { ClusterError } from './cluster-error.ts';
import { API_PORT, CONTROL_PLANE_ADDRESS, type Layout, type NodeLayout, SOURCES } from './layout.ts';
import {
  asFile,
  CONTAINERD_SOCKET,
  cniConfig,
  containerdConfig,
  kubeletConfig,
  kubeProxyConfig,
} from './node-config.ts';
import { ensurePart, waitFor } from './parts.ts';
import { certificateOf, keyOf, kubeconfigOf } from './pki.ts';
import { childOf, isAlive, kill, recorded } from './processes.ts';
import { pause } from './run.ts';

const initOf = (node: NodeLayout) => `${node.name}-init`;

/** The pid, outside, of a node's first process, in whose namespaces everything of the node runs; undefined when it is down. */
export function nodePid(layout: Layout, node: NodeLayout): number | undefined {
  const unshare = recorded(layout, initOf(node));
  return unshare === undefined ? undefined : childOf(unshare.pid);
}

/** The command that runs another inside a node: in its network, mount, uts and pid namespaces. */
export function inNode(layout: Layout, node: NodeLayout, argv: readonly string[]): string[] {
  const pid = nodePid(layout, node);
  if (pid === undefined) {
    throw new ClusterError(`${node.name} is not up.`, {
      hint: 'Bring it up with `npm run cluster -- up`.',
    });
  }
  return ['nsenter', `--net=${node.network}`, '-t', String(pid), '-m', '-u', '-p', '--', ...argv];
}

/** Brings up a node as far as its container runtime: namespaces, file system, containerd. Needs no API server. */
export async function ensureRuntime(layout: Layout, node: NodeLayout): Promise<void> {
  if (nodePid(layout, node) === undefined) await makeNode(layout, node);
  await ensurePart(
    layout,
    {
      name: `${node.name}-containerd`,
      argv: inNode(layout, node, ['containerd', '--config', '/etc/kubernetes/containerd.toml']),
    },
    async () => existsSync(seenFromOutside(layout, node, CONTAINERD_SOCKET)),
  );
}

/** Starts what makes it a node of the cluster: kubelet and kube-proxy. */
export async function ensureKubelet(layout: Layout, node: NodeLayout): Promise<void> {
  const inside = (name: string, ...flags: string[]) => ({
    name: `${node.name}-${name}`,
    argv: inNode(layout, node, [program(name), ...flags]),
  });
  await ensurePart(
    layout,
    inside(
      'kubelet',
      '--config=/etc/kubernetes/kubelet.json',
      '--kubeconfig=/etc/kubernetes/kubelet.kubeconfig',
      `--hostname-override=${node.name}`,
      `--node-ip=${node.address}`,
    ),
  );
  await ensurePart(layout, inside('kube-proxy', '--config=/etc/kubernetes/kube-proxy.json'));
}

/** Kills a part of a node as a crash would, and starts it again, after `downMs` milliseconds. Its pods go on. */
export async function restartPart(
  layout: Layout,
  node: NodeLayout,
  part: 'kubelet' | 'containerd',
  downMs = 0,
): Promise<void> {
  const running = recorded(layout, `${node.name}-${part}`)?.pid;
  if (running !== undefined) {
    // What is recorded is the program that entered the node; it ends with the part.
    kill(childOf(running) ?? running);
    await waitFor(`the end of ${node.name}'s ${part}`, async () => !isAlive(running));
  }
  await pause(downMs);
  await (part === 'containerd' ? ensureRuntime(layout, node) : ensureKubelet(layout, node));
}

/** Kills a node's first process, and with it everything in the node. */
export async function killNode(layout: Layout, node: NodeLayout): Promise<void> {
  const pid = nodePid(layout, node);
  if (pid === undefined) return;
  kill(pid);
  await waitFor(`the end of ${node.name}`, async () => nodePid(layout, node) === undefined);
}

/** A path inside a node as this process reaches it. */
export const seenFromOutside = (layout: Layout, node: NodeLayout, path: string) =>
  join('/proc', String(nodePid(layout, node)), 'root', path);

async function makeNode(layout: Layout, node: NodeLayout): Promise<void> {
  // A node that died leaves its pods' cgroups, and kubelet would wait for them for most of a minute.
  await removeCgroup(node.cgroup);
  makeCgroup(node.cgroup);
  writeConfiguration(layout, node);
  rmSync(join(node.data, 'ready'), { force: true });
  const environment = [`NODE_NAME=${node.name}`, `NODE_DATA=${node.data}`, `NODE_PAUSE=${program('pause')}`];
  await ensurePart(
    layout,
    {
      name: initOf(node),
      argv: [
        ...['nsenter', `--net=${node.network}`, '--', 'env', ...environment],
        ...[
          'unshare',
          '--mount',
          '--propagation',
          'private',
          '--uts',
          '--pid',
          '--fork',
          '--kill-child',
          '--mount-proc',
        ],
        ...['/bin/sh', join(SOURCES, 'node-init.sh')],
      ],
    },
    async () => existsSync(join(node.data, 'ready')),
  );
  await waitFor(`${node.name}'s first process`, async () => nodePid(layout, node) !== undefined);
}

function writeConfiguration(layout: Layout, node: NodeLayout): void {
  mkdirSync(join(node.etc, 'cni'), { recursive: true });
  const put = (file: string, text: string) => writeFileSync(join(node.etc, file), text, { mode: 0o600 });
  const server = `https://${CONTROL_PLANE_ADDRESS}:${API_PORT}`;
  put('containerd.toml', containerdConfig);
  put('cni/10-pods.conflist', asFile(cniConfig(node)));
  put('kubelet.json', asFile(kubeletConfig(node)));
  put('kube-proxy.json', asFile(kubeProxyConfig(node)));
  put('kubelet.kubeconfig', kubeconfigOf(layout, `kubelet-${node.name}`, server));
  put('kube-proxy.kubeconfig', kubeconfigOf(layout, 'kube-proxy', server));
  put('resolv.conf', '');
  copyFileSync(certificateOf(layout, 'ca'), join(node.etc, 'ca.crt'));
  copyFileSync(certificateOf(layout, `kubelet-serving-${node.name}`), join(node.etc, 'kubelet-serving.crt'));
  copyFileSync(keyOf(layout, `kubelet-serving-${node.name}`), join(node.etc, 'kubelet-serving.key'));
}
