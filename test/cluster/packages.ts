import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { KsnoopError } from '../../src/wire/errors.ts';
import { attempt, say } from './run.ts';

/** What comes from Debian: a file that tells a package is there, and the package. */
const NEEDED: readonly (readonly [file: string, debianPackage: string])[] = [
  ['/usr/bin/containerd', 'containerd'],
  ['/usr/sbin/runc', 'runc'],
  ['/usr/lib/cni/bridge', 'containernetworking-plugins'],
  ['/usr/bin/etcd', 'etcd-server'],
  ['/usr/sbin/iptables', 'iptables'],
  ['/usr/sbin/nft', 'nftables'],
  ['/usr/sbin/conntrack', 'conntrack'],
  ['/usr/bin/tcpdump', 'tcpdump'],
  ['/usr/bin/tshark', 'tshark'],
  ['/usr/bin/socat', 'socat'],
  ['/bin/busybox', 'busybox-static'],
  ['/usr/bin/mmdebstrap', 'mmdebstrap'],
  ['/usr/bin/openssl', 'openssl'],
  ['/usr/bin/nsenter', 'util-linux'],
  ['/usr/sbin/ip', 'iproute2'],
];

const ELSEWHERE = 'Or point KSNOOP_E2E_KUBECONFIG at an existing cluster.';

const missingPackages = () => NEEDED.filter(([file]) => !existsSync(file)).map(([, debianPackage]) => debianPackage);

/** Everything the cluster's commands touch is root's. */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  const missing = missingPackages();
  const also = missing.length === 0 ? '' : `; it also lacks the Debian packages ${missing.join(' ')}`;
  throw new KsnoopError(
    'cluster-root',
    `The test cluster makes namespaces and mounts, for which it needs root${also}.`,
    {
      hint: `Run it as root. ${ELSEWHERE}`,
    },
  );
}

/** Installs what is missing, or says exactly what that is where it cannot be installed. */
export async function ensurePackages(): Promise<void> {
  const missing = missingPackages();
  const words = missing.join(' ');
  if (missing.length === 0) return;
  if (!existsSync('/usr/bin/apt-get')) {
    throw new KsnoopError('cluster-packages', `This machine lacks what Debian has in these packages: ${words}.`, {
      hint: `Install them: there is no apt-get to do it with. ${ELSEWHERE}`,
    });
  }
  say(`installing Debian packages: ${words}`);
  const install = ['apt-get', 'install', '--yes', '--no-install-recommends', ...missing];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const outcome = await withoutServices(async () => {
    const first = await attempt(install, { env });
    if (first.code === 0) return first;
    // Mostly a package list that is older than the archive.
    await attempt(['apt-get', 'update'], { env });
    return attempt(install, { env });
  });
  if (outcome.code !== 0) {
    throw new KsnoopError('cluster-packages', `apt-get could not install ${words}: ${lastLines(outcome.stderr)}`, {
      hint: `Install them yourself, then run this again. ${ELSEWHERE}`,
    });
  }
}

/** Debian asks this program whether a service may be started (invoke-rc.d(8)); 101 is no. */
const POLICY = '/usr/sbin/policy-rc.d';

/** Installs without starting the machine's own containerd or etcd: the cluster runs its own. */
async function withoutServices<T>(install: () => Promise<T>): Promise<T> {
  if (existsSync(POLICY)) return install();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await install();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

const lastLines = (text: string) => text.trim().split('\n').slice(-5).join('\n');
