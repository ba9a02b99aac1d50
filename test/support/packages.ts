import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian packages the tests, the demo and the test cluster use, by a file that tells they are there. */
const PACKAGES: Readonly<Record<string, string>> = {
  tcpdump: '/usr/bin/tcpdump',
  tshark: '/usr/bin/tshark',
  iproute2: '/usr/sbin/ip',
  'util-linux': '/usr/bin/nsenter',
  iptables: '/usr/sbin/iptables',
  nftables: '/usr/sbin/nft',
  conntrack: '/usr/sbin/conntrack',
  containerd: '/usr/bin/containerd',
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  'etcd-server': '/usr/bin/etcd',
  socat: '/usr/bin/socat',
  'busybox-static': '/usr/bin/busybox',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  curl: '/usr/bin/curl',

};

/** Where the machine cannot be given what is missing, people can still point the tests at a cluster of theirs. */
const ELSEWHERE =
  'to run the cluster tests on an existing cluster (kind, minikube) instead: KSNOOP_E2E_KUBECONFIG=FILE npm test';

/**
 * Install what is missing of `names` (all by default) with apt, saying so.
 * @returns undefined when everything is there, else a sentence that says what is missing and what to do instead
 */
export function ensurePackages(names: readonly string[] = Object.keys(PACKAGES)): string | undefined {
  const missing = names.filter((name) => !existsSync(PACKAGES[name] ?? `/usr/bin/${name}`));
  if (missing.length === 0) return process.getuid?.() === 0 ? undefined : `root is needed; ${ELSEWHERE}`;
  const list = missing.join(' ');
  if (process.getuid?.() !== 0) return `root is needed to install ${list}; ${ELSEWHERE}`;
  if (!existsSync('/usr/bin/apt-get')) return `these programs are missing: ${list}; ${ELSEWHERE}`;
  process.stderr.write(`installing Debian packages: ${list} ...\n`);
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  // Installing must start no service on the machine.
  if (apt('update') && apt('install', '-y', '--no-install-recommends', ...missing)) return undefined;
  return `apt-get could not install ${list}; ${ELSEWHERE}`;
}
