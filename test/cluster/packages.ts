import { ELSEWHERE, ensurePackages as install } from '../support/packages.ts';
import { ClusterError } from './cluster-error.ts';

/** What the cluster uses of Debian. */
const NEEDED = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'etcd-server',
  'iptables',
  'nftables',
  'conntrack',
  'tcpdump',
  'tshark',
  'socat',
  'busybox-static',
  'openssl',
  'util-linux',
  'iproute2',
];

/** Everything the cluster's commands touch is root's. */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new ClusterError('The test cluster makes namespaces and mounts, for which it needs root.', {
    hint: `Run it as root; ${ELSEWHERE}.`,
  });
}

/** Installs what is missing, or says exactly what that is where it cannot be installed. */
export async function ensurePackages(): Promise<void> {
  const problem = install(NEEDED);
  if (problem !== undefined) throw new ClusterError(`The test cluster cannot be made: ${problem}.`);
}
