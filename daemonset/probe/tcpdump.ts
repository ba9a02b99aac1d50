import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KsnoopError } from '../../src/wire/errors.ts';
import { DESCRIPTION } from '../image/description.ts';
import type { ProbeArchitecture } from './build.ts';

const run = promisify(execFile);

/** Upstream's sources as Debian has them, by their digest. */
const SOURCES = [
  {
    package: 'libpcap',
    version: '1.10.3-1',
    file: 'libpcap_1.10.3.orig.tar.gz',
    sha256: '2a8885c403516cf7b0933ed4b14d6caa30e02052489ebd414dc75ac52e7559e6',
  },
  {
    package: 'tcpdump',
    version: '4.99.3-1',
    file: 'tcpdump_4.99.3.orig.tar.gz',
    sha256: 'ad75a6ed3dc0d9732945b2e5483cb41dc8b4b528a169315e499c6861952e73b3',
  },
] as const;

/** Debian packages that are needed besides a C compiler, in the directory of the build alone. */
const TOOLS = ['flex', 'bison', 'm4'] as const;

/** Everything the probe does not capture from, and every library that it would load. */
const CONFIGURE = {
  libpcap: [
    '--disable-dbus',
    '--disable-bluetooth',
    '--disable-usb',
    '--disable-rdma',
    '--without-libnl',
    '--disable-shared',
  ],
  tcpdump: ['--without-crypto', '--without-smi', '--without-cap-ng'],
} as const;

const COMPILERS: Readonly<Record<ProbeArchitecture, string>> = {
  amd64: 'x86_64-linux-gnu-gcc',
  arm64: 'aarch64-linux-gnu-gcc',
};

/**
 * A statically linked, stripped tcpdump, built from source once and kept in the cache.
 * @returns its path
 * @throws KsnoopError IMAGE_NEEDS_DEBIAN without apt-get, make or the architecture's compiler; IMAGE_NOT_PINNED for other sources
 */
export async function staticTcpdump(
  architecture: ProbeArchitecture,
  cache: string,
  log: (line: string) => void,
): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([SOURCES, CONFIGURE, await readFile(import.meta.filename, 'utf8')]))
    .digest('hex')
    .slice(0, 16);
  const result = join(cache, 'probe', `tcpdump-${architecture}-${key}`);
  if (existsSync(result)) return result;
  const compiler = COMPILERS[architecture];
  await checkTools(compiler);
  const directory = await mkdtemp(join(tmpdir(), 'ksnoop-tcpdump-'));
  try {
    log(`building a static tcpdump for ${architecture} (about a minute) ...`);
    await fetchAll(directory);
    const environment = await toolEnvironment(directory);
    for (const { package: name, file } of SOURCES) {
      const tree = join(directory, name);
      await mkdir(tree);
      await run('tar', ['-xzf', join(directory, file), '-C', tree, '--strip-components=1']);
      const host = `--host=${compiler.replace(/-gcc$/, '')}`;
      const flags = [`CFLAGS=-Os -ffile-prefix-map=${directory}=.`, 'LDFLAGS=-static', `CC=${compiler}`];
      const how = { cwd: tree, env: { ...process.env, ...environment }, maxBuffer: 2 ** 24 };
      await run('./configure', ['-q', host, ...CONFIGURE[name], ...flags], how);
      await run('make', ['-s'], how);
    }
    const built = join(directory, 'tcpdump', 'tcpdump');
    await run(compiler.replace(/gcc$/, 'strip'), [built]);
    await mkdir(join(cache, 'probe'), { recursive: true });
    const draft = `${result}.${process.pid}`;
    await copyFile(built, draft);
    await chmod(draft, 0o755);
    await rename(draft, result);
    return result;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function checkTools(compiler: string): Promise<void> {
  for (const tool of ['apt-get', 'make', compiler]) {
    const isThere = await run('sh', ['-c', 'command -v "$1"', 'sh', tool]).then(
      () => true,
      () => false,
    );
    if (isThere) continue;
    throw new KsnoopError(
      'IMAGE_NEEDS_DEBIAN',
      `Building a static tcpdump needs ${tool}, which is not on this machine.`,
      {
        hint: `On Debian ${DESCRIPTION.debian}: apt-get install make gcc gcc-aarch64-linux-gnu`,
      },
    );
  }
}

/** The sources and tools, by apt in directories of its own. */
async function fetchAll(directory: string): Promise<void> {
  const state = join(directory, 'apt');
  await mkdir(join(state, 'lists/partial'), { recursive: true });
  await mkdir(join(state, 'cache/archives/partial'), { recursive: true });
  await writeFile(join(state, 'status'), '');
  const mirror = 'http://deb.debian.org/debian';
  const list = join(state, 'sources.list');
  await writeFile(list, ['deb-src', 'deb'].map((kind) => `${kind} ${mirror} ${DESCRIPTION.debian} main\n`).join(''));
  const settings = [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${state}/lists`,
    `Dir::State::status=${state}/status`,
    `Dir::Cache=${state}/cache`,
    'APT::Sandbox::User=root',
    'Debug::NoLocking=true',
  ].flatMap((setting) => ['-o', setting]);
  const apt = (...words: string[]) =>
    run('apt-get', ['-qq', ...settings, ...words], { cwd: directory, maxBuffer: 2 ** 24 });
  await apt('update');
  await apt('source', '--download-only', ...SOURCES.map(({ package: name, version }) => `${name}=${version}`));
  await apt('download', ...TOOLS);
  for (const { file, sha256 } of SOURCES) {
    const found = createHash('sha256')
      .update(await readFile(join(directory, file)))
      .digest('hex');
    if (found === sha256) continue;
    throw new KsnoopError('IMAGE_NOT_PINNED', `${file} has another digest (${found}) than the pinned one.`);
  }
}

/** Unpacks the tools. @returns what finds them there */
async function toolEnvironment(directory: string): Promise<Record<string, string>> {
  const tools = join(directory, 'tools');
  for (const file of await readdir(directory)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', join(directory, file), tools]);
  }
  return {
    PATH: `${join(tools, 'usr/bin')}:${process.env.PATH ?? ''}`,
    M4: join(tools, 'usr/bin/m4'),
    BISON_PKGDATADIR: join(tools, 'usr/share/bison'),
  };
}
