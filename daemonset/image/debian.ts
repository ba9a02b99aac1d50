import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KsnoopError } from '../../src/wire/errors.ts';
import { type Architecture, DESCRIPTION as image } from './description.ts';
import { type DebianPackage, fetchedPackage, pinnedPackages } from './packages.ts';

const run = promisify(execFile);

/** How the packages of an image are fetched. */
export interface Fetching {
  readonly architecture: Architecture;
  /** Where their files are kept. */
  readonly directory: string;
  /** Take the newest versions where the pinned ones are not to be had any more; for tests, never for a release. */
  readonly newest: boolean;
  /** Called with a line when something is being fetched. */
  readonly log: (line: string) => void;
}

/**
 * The packages of the image, fetched with apt in directories of its own, so that the machine's package state is not touched.
 * Every file is checked against its pinned digest, also one that was fetched before.
 * @throws KsnoopError IMAGE_NEEDS_DEBIAN, IMAGE_NOT_PINNED
 */
export async function debianPackages(fetching: Fetching): Promise<readonly DebianPackage[]> {
  const { architecture, directory, newest, log } = fetching;
  const pinned = pinnedPackages(architecture);
  await mkdir(directory, { recursive: true });
  if (await areThere(directory, pinned)) return pinned;
  log(`fetching ${pinned.length} Debian packages for ${architecture} ...`);
  const wanted = pinned.map(({ name, version }) => `${name}:${architecture}=${version}`);
  try {
    await download(architecture, directory, wanted);
  } catch (cause) {
    if (cause instanceof KsnoopError) throw cause;
    if (!newest) throw notPinned('are not to be had any more', cause);
    log('the pinned Debian packages are not to be had any more: the newest are taken');
    return newestPackages(architecture, join(directory, 'newest'));
  }
  if (await areThere(directory, pinned)) return pinned;
  throw notPinned('have other digests than the pinned ones');
}

/** The newest versions of the release. @throws KsnoopError IMAGE_NEEDS_DEBIAN */
export async function newestPackages(architecture: Architecture, directory: string): Promise<DebianPackage[]> {
  await mkdir(directory, { recursive: true });
  await download(
    architecture,
    directory,
    image.packages.map((name) => `${name}:${architecture}`),
  );
  const files = (await readdir(directory)).filter((file) => file.endsWith('.deb')).sort();
  return Promise.all(files.map((file) => fetchedPackage(directory, file)));
}

async function areThere(directory: string, packages: readonly DebianPackage[]): Promise<boolean> {
  const files = new Set(await readdir(directory));
  for (const { file, sha256 } of packages) {
    if (!files.has(file) || (await fetchedPackage(directory, file)).sha256 !== sha256) return false;
  }
  return true;
}

async function download(architecture: Architecture, directory: string, names: readonly string[]): Promise<void> {
  await checkRelease();
  await mkdir(join(directory, 'state/lists/partial'), { recursive: true });
  const options = aptOptions(directory, architecture);
  await run('apt-get', [...options, 'update'], { maxBuffer: 2 ** 24 });
  await run('apt-get', [...options, 'download', ...names], { cwd: directory, maxBuffer: 2 ** 24 });
}

function notPinned(what: string, cause?: unknown): KsnoopError {
  return new KsnoopError('IMAGE_NOT_PINNED', `The Debian packages of the image ${what}.`, {
    hint: 'Pin the newest ones (node daemonset/image/pin.ts), look at the difference, and build again.',
    cause,
  });
}

/** apt fetches from the release this machine runs, and another release has other libraries by other names. */
async function checkRelease(): Promise<void> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (release.includes(`VERSION_CODENAME=${image.debian}`)) return;
  throw new KsnoopError(
    'IMAGE_NEEDS_DEBIAN',
    `Building the image without docker needs a machine with Debian ${image.debian}.`,
    {
      hint: 'Build it with docker instead: docker build -f daemonset/image/Dockerfile -t ksnoop-agent:VERSION .',
    },
  );
}

function aptOptions(directory: string, architecture: Architecture): string[] {
  const settings = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State=${directory}/state`,
    `Dir::State::status=${directory}/status`,
    `Dir::Cache=${directory}/cache`,
    'APT::Sandbox::User=root',
    'Debug::NoLocking=true',
  ];
  return ['-qq', ...settings.flatMap((setting) => ['-o', setting])];
}
