/**
 * Packs the executables of release/ (npm run build:binary) for krew and as a Debian package:
 *   node scripts/binary/packages.ts --base-url https://example/releases/v0.1.0
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { dump } from 'js-yaml';
import { VERSION } from '../../src/wire/version.ts';
import { debianPackage } from './debian.ts';
import { type BinaryPlatform, PLATFORMS } from './platforms.ts';

const root = join(import.meta.dirname, '../..');

/** What is beside the executable in an archive. */
export interface PackageFiles {
  readonly license: string;
  readonly notices: string;
}

export const OWN_FILES: PackageFiles = {
  license: join(root, 'LICENSE'),
  notices: join(root, 'dist/THIRD_PARTY_NOTICES.txt'),
};

const SHORT = 'Network captures of Pods, Services and more';
const LONG = `Point at any Kubernetes object and see its packets: in Wireshark, in a
file, or decoded per Service and Pod. Follows rollouts, merges many pods
into one capture, and finds problems in it. Captures with agents
(ksnoop install), or without them (--agentless).
`;
/** Options of tar that make equal archives of equal files. */
const EQUAL = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];

export interface KrewArchive {
  readonly platform: BinaryPlatform;
  readonly path: string;
  readonly sha256: string;
}

/** The archive of one platform for krew, with the licences. @param directory where it goes */
export function krewArchive(
  platform: BinaryPlatform,
  program: string,
  directory: string,
  files = OWN_FILES,
): KrewArchive {
  const content = mkdtempSync(join(tmpdir(), 'ksnoop-krew-'));
  try {
    copyFileSync(program, join(content, binName(platform)));
    chmodSync(join(content, binName(platform)), 0o755);
    copyFileSync(files.license, join(content, 'LICENSE'));
    copyFileSync(files.notices, join(content, 'THIRD_PARTY_NOTICES.txt'));
    const path = join(directory, `ksnoop-v${VERSION}-${platform.name}.tar.gz`);
    execFileSync('tar', [...EQUAL, '-C', content, '-I', 'gzip -n -6', '-cf', path, ...readdirSync(content).sort()]);
    return { platform, path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') };
  } finally {
    rmSync(content, { recursive: true });
  }
}

/**
 * The manifest of the plugin (krew.googlecontainertools.github.com/v1alpha2).
 * @param baseUrl where the archives will be, without a slash at its end
 */
export function krewManifest(archives: readonly KrewArchive[], baseUrl: string): string {
  return dump(
    {
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
      metadata: { name: 'ksnoop' },
      spec: {
        version: `v${VERSION}`,
        homepage: baseUrl,
        shortDescription: SHORT,
        description: LONG,
        platforms: archives.map(({ platform, path, sha256 }) => ({
          selector: { matchLabels: { os: platform.os, arch: platform.architecture } },
          uri: `${baseUrl}/${basename(path)}`,
          sha256,
          bin: binName(platform),
        })),
      },
    },
    { lineWidth: -1 },
  );
}

function binName({ os }: BinaryPlatform): string {
  return os === 'windows' ? 'kubectl-ksnoop.exe' : 'kubectl-ksnoop';
}

/** When the sources were committed last, s since 1970; SOURCE_DATE_EPOCH goes before it. */
function sourceTime(): number {
  const { SOURCE_DATE_EPOCH } = process.env;
  return Number(
    SOURCE_DATE_EPOCH ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }),
  );
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { 'base-url': { type: 'string' }, maintainer: { type: 'string' } } });
  const release = join(root, 'release');
  const built = PLATFORMS.map((platform) => {
    const program = join(release, `ksnoop-${platform.name}${platform.os === 'windows' ? '.exe' : ''}`);
    return { platform, program };
  }).filter(({ program }) => existsSync(program));
  if (built.length === 0 || values['base-url'] === undefined) {
    process.stderr.write(
      'packages.ts needs --base-url URL, and an executable in release/: npm run build && npm run build:binary\n',
    );
    process.exit(2);
  }
  const print = (path: string) => process.stdout.write(`${path}\n`);
  const archives = built.map(({ platform, program }) => krewArchive(platform, program, release));
  for (const { path } of archives) print(path);
  const manifest = join(release, 'ksnoop.yaml');
  writeFileSync(manifest, krewManifest(archives, values['base-url']));
  print(manifest);
  const content = {
    maintainer: values.maintainer ?? 'ksnoop maintainers <ksnoop@localhost>',
    summary: SHORT,
    description: LONG,
    notices: OWN_FILES.notices,
    man: join(root, 'dist/man'),
    time: sourceTime(),
  };
  for (const { platform, program } of built) {
    if (platform.os === 'linux') print(debianPackage(platform, program, release, content));
  }
}
