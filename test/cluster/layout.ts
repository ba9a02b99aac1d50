import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClusterError } from './cluster-error.ts';

/** The directory of the cluster's own sources. */
export const SOURCES = join(fileURLToPath(import.meta.url), '..');

/** Under this every instance keeps its sockets, configurations, pids and logs. */
const STATE_ROOT = '/run/ksnoop-cluster';
/** Under this every instance keeps what is large: image layers and volumes (/run is often a small tmpfs). */
const DATA_ROOT = '/var/lib/ksnoop-cluster';

export interface NodeLayout {
  readonly name: string;
  readonly address: string;
  /** The pod addresses of this node. */
  readonly podCidr: string;
  readonly proxyMode: 'iptables' | 'nftables';
  /** What is on disk of the node; seen as /run/node inside it. */
  readonly data: string;
  /** Its configuration and keys; seen as /etc/kubernetes inside it. */
  readonly etc: string;
  readonly network: string;
  /** The node's directory in every cgroup hierarchy, as a path inside the hierarchy. */
  readonly cgroup: string;
}

/** Where everything of one instance of the cluster is: all of it follows from the name. */
export interface Layout {
  readonly name: string;
  readonly state: string;
  readonly data: string;
  readonly pki: string;
  readonly logs: string;
  readonly pids: string;
  /** Files that hold the network namespaces (see network.ts). */
  readonly networks: string;
  readonly kubeconfig: string;
  /** The Unix socket through which the API server is reached from outside its network namespace. */
  readonly apiSocket: string;
  /** Held by the `up` or `down` that is at work. */
  readonly lock: string;
  readonly cgroup: string;
  readonly nodes: readonly NodeLayout[];
}

export const CONTROL_PLANE_ADDRESS = '10.77.0.10';
export const API_PORT = 6443;
/** On 127.0.0.1 of the machine; the next free one is taken when it is in use. */
export const PREFERRED_HOST_PORT = 16_443;
export const POD_CIDR = '10.244.0.0/16';
export const SERVICE_CIDR = '10.96.0.0/16';
export const API_SERVICE_ADDRESS = '10.96.0.1';
export const DNS_ADDRESS = '10.96.0.10';
export const NODE_CIDR = '10.77.0.0/24';
export const PAUSE_IMAGE = 'ksnoop.test/pause:1';

/** In the environment of every process of an instance, and inherited by its children: how `down` knows them for certain. */
export const MARK = 'KSNOOP_CLUSTER_STATE';

const NAME = /^[a-z][a-z0-9-]{0,19}$/;

export function layoutOf(name: string = process.env.KSNOOP_CLUSTER ?? 'main'): Layout {
  if (!NAME.test(name)) {
    throw new ClusterError(`KSNOOP_CLUSTER is "${name}", which is no name for a cluster.`, {
      hint: 'Use up to 20 small letters, digits and hyphens, a letter first.',
    });
  }
  const state = join(STATE_ROOT, name);
  const data = join(DATA_ROOT, name);
  const cgroup = `/ksnoop-cluster-${name}`;
  const networks = join(state, 'net');
  const node = (index: 1 | 2, proxyMode: NodeLayout['proxyMode']): NodeLayout => ({
    name: `node${index}`,
    address: `10.77.0.${10 + index}`,
    podCidr: `10.244.${index}.0/24`,
    proxyMode,
    data: join(data, `node${index}`),
    etc: join(data, `node${index}`, 'etc'),
    network: join(networks, `node${index}`),
    cgroup: `${cgroup}/node${index}`,
  });
  return {
    name,
    state,
    data,
    networks,
    cgroup,
    pki: join(state, 'pki'),
    logs: join(state, 'logs'),
    pids: join(state, 'pids'),
    kubeconfig: join(state, 'admin.kubeconfig'),
    apiSocket: join(state, 'api.sock'),
    lock: `${state}.lock`,
    nodes: [node(1, 'iptables'), node(2, 'nftables')],
  };
}

export function nodeOf(layout: Layout, name: string): NodeLayout {
  const found = layout.nodes.find((node) => node.name === name);
  if (found === undefined) {
    throw new ClusterError(`The cluster has no node ${name}.`, {
      hint: `Its nodes are ${layout.nodes.map((node) => node.name).join(' and ')}.`,
    });
  }
  return found;
}
