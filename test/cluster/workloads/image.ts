import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { arch, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeImageArchive } from '../../../daemonset/image/oci.ts';

const run = promisify(execFile);
const programs = join(import.meta.dirname, 'programs');
const node = join(import.meta.dirname, '../../../node_modules/node/bin/node');

/** Real programs for the shop; their dependencies come with them. */
const PACKAGES = ['nginx-light', 'redis-server', 'curl', 'iperf3', 'busybox-static'];

/** Commands people type in a pod, all busybox. */
const BUSYBOX = ['sh', 'ls', 'cat', 'sleep', 'wget', 'nslookup', 'ping', 'ip', 'env', 'ps', 'nc', 'head'];

/** Changing how the folder is laid out changes the image. */
const LAYOUT = 2;

export interface ShopImage {
  readonly path: string;
  readonly tag: string;
}

/** One image for every pod of the shop, from Debian packages unpacked without running their scripts; cached. */
export async function buildShopImage(say: (line: string) => void): Promise<ShopImage> {
  const cache = process.env.KSNOOP_CACHE ?? join(homedir(), '.cache/ksnoop');
  const inputs = createHash('sha256').update(`${LAYOUT} ${PACKAGES.join(' ')} ${arch()}`);
  const names = (await readdir(programs)).sort();
  for (const name of names) inputs.update(name).update(await readFile(join(programs, name)));
  const key = inputs.digest('hex').slice(0, 16);
  const tag = `ksnoop-shop:${key}`;
  const path = join(cache, 'images', `ksnoop-shop-${key}.tar`);
  if (existsSync(path)) return { path, tag };
  const base = await mkdtemp(join(tmpdir(), 'ksnoop-shop-'));
  const top = await mkdtemp(join(tmpdir(), 'ksnoop-shop-'));
  try {
    say(`building the shop's image from Debian's ${PACKAGES.join(', ')} (about half a minute) ...`);
    for (const deb of await fetchPackages(join(cache, 'debs/shop'))) await run('dpkg-deb', ['-x', deb, base]);
    for (const folder of [
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
      'usr/share/perl',
      'usr/lib/x86_64-linux-gnu/perl-base',
    ]) {
      await rm(join(base, folder), { recursive: true, force: true });
    }
    await layOutPrograms(base, top, names);
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
    return { path, tag };
  } finally {
    await rm(base, { recursive: true, force: true });
    await rm(top, { recursive: true, force: true });
  }
}

async function layOutPrograms(base: string, top: string, names: readonly string[]): Promise<void> {
  for (const folder of ['etc', 'usr/bin', 'usr/local/bin', 'shop', 'tmp', 'var/log/nginx']) {
    await mkdir(join(top, folder), { recursive: true });
  }
  await chmod(join(top, 'tmp'), 0o1777);
  await copyFile(node, join(top, 'usr/bin/node'));
  for (const name of names) await copyFile(join(programs, name), join(top, 'shop', name));
  for (const name of ['requests', 'transfer']) {
    await copyFile(join(programs, `${name}.mjs`), join(top, 'usr/bin', name));
    await chmod(join(top, 'usr/bin', name), 0o755);
  }
  const busybox = existsSync(join(base, 'usr/bin/busybox')) ? '/usr/bin/busybox' : '/bin/busybox';
  for (const name of BUSYBOX) await symlink(busybox, join(top, 'usr/local/bin', name));
  if (!existsSync(join(base, 'bin/sh'))) {
    await mkdir(join(top, 'bin'), { recursive: true });
    await symlink(busybox, join(top, 'bin/sh'));
  }
  await writeFile(join(top, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  await writeFile(join(top, 'etc/group'), 'root:x:0:\n');
}

/** The packages with everything they depend on: to apt, a machine on which nothing is installed. */
async function fetchPackages(folder: string): Promise<string[]> {
  const archives = join(folder, 'archives');
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  await writeFile(join(folder, 'status'), '');
  const settings = [
    `Dir::State::lists=${folder}/lists`,
    `Dir::State::status=${folder}/status`,
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
  await apt('install', '--download-only', '-y', '--no-install-recommends', ...PACKAGES);
  return (await readdir(archives)).filter((name) => name.endsWith('.deb')).map((name) => join(archives, name));
}
