import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Debian packages the tests, the demo and the test cluster use, by a file that tells they are there. */
const PACKAGES: Readonly<Record<string, string>> = {
  'busybox-static': '/bin/busybox',
  conntrack: '/usr/sbin/conntrack',
  containerd: '/usr/bin/containerd',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  curl: '/usr/bin/curl',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  'etcd-server': '/usr/bin/etcd',
  fish: '/usr/bin/fish',
  iproute2: '/usr/sbin/ip',
  'iputils-ping': '/usr/bin/ping',
  iptables: '/usr/sbin/iptables',
  nftables: '/usr/sbin/nft',
  'nginx-light': '/usr/sbin/nginx',
  openssl: '/usr/bin/openssl',
  'redis-server': '/usr/bin/redis-server',
  'redis-tools': '/usr/bin/redis-cli',
  runc: '/usr/sbin/runc',
  socat: '/usr/bin/socat',
  tcpdump: '/usr/bin/tcpdump',
  tmux: '/usr/bin/tmux',
  tshark: '/usr/bin/tshark',
  'util-linux': '/usr/bin/nsenter',
  zsh: '/usr/bin/zsh',
};

/** Packages of single tests, which are not installed unless their tests run. */
const MORE_PACKAGES: Readonly<Record<string, string>> = {
  'chromium-headless-shell': '/usr/bin/chromium-headless-shell',
  'libndpi-bin': '/usr/bin/ndpiReader',
  'mariadb-server': '/usr/sbin/mariadbd',
  postgresql: '/usr/bin/pg_ctlcluster',
  tcptrace: '/usr/bin/tcptrace',
};

/** Where the machine cannot be given what is missing, people can still use a cluster of theirs. */
export const ELSEWHERE =
  'for a cluster that exists (kind, minikube): KSNOOP_E2E_KUBECONFIG=FILE npm test, or npm run demo -- --context NAME';

/**
 * Install what is missing of `names` (all by default) with apt, saying so; the programs that use them need root anyway.
 * @returns undefined when everything is there, else a sentence that says what is missing and what to do instead
 */
export function ensurePackages(names: readonly string[] = Object.keys(PACKAGES)): string | undefined {
  const missing = names.filter((name) => !existsSync(PACKAGES[name] ?? MORE_PACKAGES[name] ?? `/usr/bin/${name}`));
  const list = missing.join(' ');
  if (process.getuid?.() !== 0) {
    return `root is needed${list && `, also to install the Debian packages ${list}`}; ${ELSEWHERE}`;
  }
  if (missing.length === 0) return undefined;
  if (!existsSync('/usr/bin/apt-get')) {
    return `these Debian packages are missing, and there is no apt-get to install them with: ${list}; ${ELSEWHERE}`;
  }
  process.stderr.write(`installing Debian packages: ${list} ...\n`);
  const installed = withoutServices(() => {
    const install = () => apt('install', '-y', '--no-install-recommends', ...missing);
    // A package list that is missing or older than the archive is the usual reason to fail.
    return install() || (apt('update') && install());
  });
  return installed ? undefined : `apt-get could not install ${list}; ${ELSEWHERE}`;
}

/** How long to wait for another apt-get. */
const LOCK_SECONDS = 600;

function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Tests that run at the same time may install at the same time.
  const patience = ['-o', `DPkg::Lock::Timeout=${LOCK_SECONDS}`];
  return (
    spawnSync('apt-get', ['-qq', ...patience, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0
  );
}

/** Debian asks this program whether a service may be started (invoke-rc.d(8)); 101 is no. */
const POLICY = '/usr/sbin/policy-rc.d';

/** Install without starting the machine's own containerd or etcd. */
function withoutServices<T>(install: () => T): T {
  if (existsSync(POLICY)) return install();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(POLICY, { force: true });
  }
}
