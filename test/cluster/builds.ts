import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheDirectory } from '../../daemonset/image/cache-directory.ts';
import { ClusterError } from './cluster-error.ts';
import { SOURCES } from './layout.ts';
import { isAlive } from './processes.ts';
import { attempt, say } from './run.ts';

export const KUBERNETES_VERSION = '1.35.4';
export const COREDNS_VERSION = '1.15.0';

interface Build {
  /** The directory of the Go module, and the name of the binary. */
  readonly module: string;
  readonly version: string;
  /** The package of the program, where it is not the module itself. */
  readonly main?: string;
  readonly flags: readonly string[];
  /** How long a build from nothing takes on two processors, for the person who waits. */
  readonly about: string;
  /** Names under which the binary is another program (it looks at argv[0]). */
  readonly aliases: readonly string[];
}

const [major = '', minor = ''] = KUBERNETES_VERSION.split('.');
const KUBERNETES_STAMPS = [
  `-X k8s.io/component-base/version.gitVersion=v${KUBERNETES_VERSION}`,
  `-X k8s.io/component-base/version.gitMajor=${major}`,
  `-X k8s.io/component-base/version.gitMinor=${minor}`,
  `-X k8s.io/client-go/pkg/version.gitVersion=v${KUBERNETES_VERSION}`,
  `-X k8s.io/client-go/pkg/version.gitMajor=${major}`,
  `-X k8s.io/client-go/pkg/version.gitMinor=${minor}`,
];

const BUILDS = {
  kubernetes: {
    module: 'kubernetes',
    version: KUBERNETES_VERSION,
    flags: ['-trimpath', '-ldflags', ['-s -w', ...KUBERNETES_STAMPS].join(' ')],
    about: 'about 6 minutes, once',
    aliases: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet', 'kubectl'],
  },
  coredns: {
    module: 'coredns',
    version: COREDNS_VERSION,
    flags: ['-trimpath', '-ldflags', '-s -w'],
    about: 'about 2 minutes, once',
    aliases: [],
  },
  grpc: {
    module: 'grpc',
    version: '1.84.0',
    flags: ['-trimpath', '-ldflags', '-s -w'],
    about: 'some ten seconds, once',
    aliases: [],
  },
  registry: {
    module: 'registry',
    version: '3.0.0',
    flags: ['-trimpath', '-ldflags', '-s -w'],
    about: 'about a minute, once',
    aliases: [],
  },
  /** A server that speaks S3. */
  versitygw: {
    module: 'versitygw',
    version: '1.8.0',
    main: 'github.com/versity/versitygw/cmd/versitygw',
    flags: ['-trimpath', '-ldflags', '-s -w'],
    about: 'about 2 minutes, once',
    aliases: [],
  },
  caddy: {
    module: 'caddy',
    version: '2.11.9',
    flags: ['-trimpath', '-ldflags', '-s -w'],
    about: 'about 5 minutes, once',
    aliases: [],
  },
  pause: { module: 'pause', version: '1', flags: ['-trimpath', '-ldflags', '-s -w'], about: 'a second', aliases: [] },
} as const satisfies Record<string, Build>;

export type BuildName = keyof typeof BUILDS;

/** The directory of a build in the cache: another version, flag or dependency is another directory. */
export function buildDirectory(name: BuildName): string {
  const build: Build = BUILDS[name];
  const hash = createHash('sha256').update(JSON.stringify([build.flags, process.arch]));
  for (const file of ['go.mod', 'go.sum', 'main.go']) {
    const path = join(SOURCES, build.module, file);
    if (existsSync(path)) hash.update(file).update(readFileSync(path));
  }
  return join(cacheDirectory(), `${build.module}-${build.version}-${hash.digest('hex').slice(0, 12)}`);
}

/** A built program: `program('kubelet')`, `program('coredns')`. */
export function program(name: string): string {
  for (const key of Object.keys(BUILDS) as BuildName[]) {
    const build: Build = BUILDS[key];
    if (build.module === name || build.aliases.includes(name)) return join(buildDirectory(key), name);
  }
  throw new ClusterError(`${name} is no program that the cluster builds.`);
}

/** Builds what the cache does not hold. */
export async function ensureBuilt(names: readonly BuildName[] = ['pause', 'kubernetes', 'coredns']): Promise<void> {
  for (const name of names) {
    if (!existsSync(buildDirectory(name))) await build(name);
  }
}

async function build(name: BuildName): Promise<void> {
  const { module, version, main = '.', flags, about, aliases }: Build = BUILDS[name];
  const directory = buildDirectory(name);
  const draft = `${directory}.${process.pid}`;
  removeAbandoned(directory);
  mkdirSync(draft, { recursive: true });
  say(`building ${module} ${version} with Go (${about}) into ${directory}`);
  const tick = setInterval(() => say(`still building ${module} ...`), 30_000);
  try {
    const outcome = await attempt(['go', 'build', ...flags, '-o', join(draft, module), main], {
      cwd: join(SOURCES, module),
      // What a killed compiler leaves is then thrown away with the draft.
      env: { ...process.env, CGO_ENABLED: '0', GOTMPDIR: draft },
    }).catch((thrown: unknown) => {
      throw new ClusterError('There is no `go` on PATH, and the cluster is built from Go modules.', {
        hint: 'Install Go 1.26 or later, or point KSNOOP_E2E_KUBECONFIG at an existing cluster.',
        cause: thrown,
      });
    });
    if (outcome.code !== 0) {
      const end = outcome.stderr.trim().split('\n').slice(-15).join('\n');
      throw new ClusterError(`Building ${module} failed with code ${outcome.code}:\n${end}`);
    }
    for (const alias of aliases) symlinkSync(module, join(draft, alias));
    // Another instance may have built the same meanwhile.
    if (!existsSync(directory)) renameSync(draft, directory);
  } finally {
    clearInterval(tick);
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Drafts of builds that were killed: their names end with the pid of the builder. */
function removeAbandoned(directory: string): void {
  if (!existsSync(cacheDirectory())) return;
  const prefix = `${basename(directory)}.`;
  for (const entry of readdirSync(cacheDirectory()).filter((name) => name.startsWith(prefix))) {
    if (!isAlive(Number(entry.slice(prefix.length)))) {
      rmSync(join(cacheDirectory(), entry), { recursive: true, force: true });
    }
  }
}
