import { existsSync } from 'node:fs';
import { program } from '../cluster/builds.ts';
import { ClusterError } from '../cluster/cluster-error.ts';
import { auditLog, restartApiServer } from '../cluster/control-plane.ts';
import { loadImage } from '../cluster/images.ts';
import { type Layout, layoutOf, nodeOf, SOURCES } from '../cluster/layout.ts';
import { locked } from '../cluster/lock.ts';
import { cutOff } from '../cluster/network.ts';
import { inNode, killNode, restartPart } from '../cluster/node.ts';
import { attempt, type Outcome } from '../cluster/run.ts';
import { kubectl } from '../cluster/up.ts';

/** The cluster that the tests run on. */
export interface TestCluster {
  /** The path of an admin's kubeconfig. */
  readonly kubeconfig: string;
  /** Whether it is ours (test/cluster): then its nodes can be entered and its parts killed. */
  readonly own: boolean;
  /** The API server's audit log of Captures and port-forwards; undefined for a foreign cluster. */
  readonly auditLog: string | undefined;
  kubectl(...args: string[]): Promise<Outcome>;
  /** Runs a command in a node's namespaces (network, mount, uts, pid), with the machine's own programs. Own clusters only. */
  nodeExec(node: string, argv: readonly string[]): Promise<Outcome>;
  /** Kills the API server (SIGKILL), starts it again and waits until it is ready. Own clusters only. */
  restartApiServer(): Promise<void>;
  /** Kills a node's kubelet or containerd (SIGKILL) and starts it again, after `downMs`. Own clusters only. */
  restartPart(node: string, part: 'kubelet' | 'containerd', downMs?: number): Promise<void>;
  /** Cuts a node off from the network for so long, milliseconds. Own clusters only. */
  cutOff(node: string, forMs: number): Promise<void>;
  /** Kills a node with everything in it (SIGKILL); `bringUp` starts it again. Own clusters only. */
  killNode(node: string): Promise<void>;
  /** Starts what is missing of the cluster. Own clusters only. */
  bringUp(): Promise<void>;
  /** Imports an OCI or docker image archive on every node. Own clusters only. */
  loadImage(archive: string): Promise<void>;
}

let standing: Promise<TestCluster> | undefined;

/** The cluster of KSNOOP_E2E_KUBECONFIG, or our own, brought up when it is not. It is left up: the next run is faster. */
export function cluster(): Promise<TestCluster> {
  const foreign = process.env.KSNOOP_E2E_KUBECONFIG;
  standing ??= foreign === undefined ? ownCluster(layoutOf()) : foreignCluster(foreign);
  return standing;
}

/** Another cluster of our own beside the first, with the same addresses, brought up when it is not. */
export function clusterBeside(name: string): Promise<TestCluster> {
  return ownCluster(layoutOf(name));
}

async function bringUp({ name }: Layout): Promise<void> {
  // The name is a variable of the environment that the command inherits.
  const { code, stderr } = await attempt([
    'env',
    `KSNOOP_CLUSTER=${name}`,
    process.execPath,
    `${SOURCES}/main.ts`,
    'up',
  ]);
  if (code !== 0) throw new ClusterError(`The test cluster ${name} did not come up: ${stderr.trim()}`);
}

async function ownCluster(layout: Layout): Promise<TestCluster> {
  await bringUp(layout);
  return {
    kubeconfig: layout.kubeconfig,
    own: true,
    auditLog: auditLog(layout),
    kubectl: (...args) => attempt([...kubectl(layout), ...args]),
    nodeExec: (node, argv) => attempt(inNode(layout, nodeOf(layout, node), argv)),
    restartApiServer: () => locked(layout, () => restartApiServer(layout)),
    restartPart: (node, part, downMs) => locked(layout, () => restartPart(layout, nodeOf(layout, node), part, downMs)),
    cutOff: (node, forMs) => locked(layout, () => cutOff(layout, nodeOf(layout, node).name, forMs)),
    killNode: (node) => locked(layout, () => killNode(layout, nodeOf(layout, node))),
    bringUp: () => bringUp(layout),
    loadImage: (archive) => loadImage(layout, archive),
  };
}

async function foreignCluster(kubeconfig: string): Promise<TestCluster> {
  const built = program('kubectl');
  const client = existsSync(built) ? built : 'kubectl';
  const notOurs = (what: string) =>
    Promise.reject(
      new ClusterError(`${what} needs the cluster of test/cluster, and KSNOOP_E2E_KUBECONFIG names another.`, {
        hint: 'Unset KSNOOP_E2E_KUBECONFIG, or skip this test when `own` is false.',
      }),
    );
  return {
    kubeconfig,
    own: false,
    auditLog: undefined,
    kubectl: (...args) => attempt([client, '--kubeconfig', kubeconfig, ...args]),
    nodeExec: () => notOurs('Running a command on a node'),
    restartApiServer: () => notOurs('Restarting the API server'),
    restartPart: () => notOurs('Restarting a part of a node'),
    cutOff: () => notOurs('Cutting a node off'),
    killNode: () => notOurs('Killing a node'),
    bringUp: () => notOurs('Bringing a node up'),
    loadImage: () => notOurs('Loading an image'),
  };
}
