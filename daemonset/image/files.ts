import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { KsnoopError } from '../../src/wire/errors.ts';
import { type Architecture, DESCRIPTION as image } from './description.ts';

const run = promisify(execFile);

export interface ImageFiles {
  /** The directory that becomes the image's root. */
  readonly root: string;
  readonly architecture: Architecture;
  /** The bundled agent (dist/ksnoop-agent.mjs). */
  readonly agent: string;
  /** A directory for packages already fetched. */
  readonly cache: string;
  /** Called with a line when something is being fetched. */
  readonly log: (line: string) => void;
}

/** Lay out the image's root directory: Node, the agent, the programs, their libraries, nothing else. */
export async function layOutFiles({ root, architecture, agent, cache, log }: ImageFiles): Promise<void> {
  const { triplet, loader } = image.architectures[architecture];
  const tree = await mkdtemp(join(tmpdir(), 'ksnoop-tree-'));
  try {
    for (const deb of await debianPackages(architecture, cache, log)) await run('dpkg-deb', ['-x', deb, tree]);
    for (const program of image.programs) await place(join(tree, program), join(root, program));
    for (const library of image.libraries) {
      await place(await findLibrary(tree, triplet, library), join(root, 'lib', triplet, library));
    }
    await place(await findLoader(tree, triplet, loader), join(root, loader));
    await place(await nodeBinary(architecture, cache, log), join(root, image.nodePath));
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc/passwd'), image.passwd);
  await writeFile(join(root, 'etc/group'), image.group);
  await writeFile(join(root, image.agentPath), `${image.shebang}\n${await readFile(agent, 'utf8')}`);
  await chmod(join(root, image.agentPath), 0o755);
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(await realpath(from), to);
}

async function findLibrary(tree: string, triplet: string, library: string): Promise<string> {
  for (const directory of ['lib', 'usr/lib']) {
    const path = join(tree, directory, triplet, library);
    if (await exists(path)) return path;
  }
  throw new Error(`none of the Debian packages of description.ts holds ${library}`);
}

/** Debian keeps the loader in the triplet's directory and links to it by an absolute name, which a tree cannot follow. */
async function findLoader(tree: string, triplet: string, loader: string): Promise<string> {
  const name = loader.split('/').at(-1) ?? '';
  return findLibrary(tree, triplet, name);
}

async function exists(path: string): Promise<boolean> {
  return realpath(path).then(
    () => true,
    () => false,
  );
}

/** Fetch the packages with apt in directories of its own, so that the machine's package state is not touched. */
async function debianPackages(
  architecture: Architecture,
  cache: string,
  log: (line: string) => void,
): Promise<readonly string[]> {
  const directory = join(cache, 'debs', `${image.debian}-${architecture}`);
  const debs = async () => (await readdir(directory)).filter((name) => name.endsWith('.deb'));
  await mkdir(join(directory, 'state/lists/partial'), { recursive: true });
  const have = new Set((await debs()).map((name) => name.split('_')[0]));
  if (image.packages.some((name) => !have.has(name))) {
    await checkRelease();
    log(`fetching ${image.packages.length} Debian packages for ${architecture} ...`);
    const options = aptOptions(directory, architecture);
    await run('apt-get', [...options, 'update'], { maxBuffer: 2 ** 24 });
    await run('apt-get', [...options, 'download', ...image.packages.map((name) => `${name}:${architecture}`)], {
      cwd: directory,
      maxBuffer: 2 ** 24,
    });
  }
  return (await debs()).map((name) => join(directory, name));
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

/** Node of the wanted architecture from its npm package, fetched once. */
async function nodeBinary(architecture: Architecture, cache: string, log: (line: string) => void): Promise<string> {
  const name = image.architectures[architecture].nodePackage;
  const directory = join(cache, 'node', `${name}-${image.node}`);
  const binary = join(directory, 'package/bin/node');
  if (await exists(binary)) return binary;
  log(`fetching Node ${image.node} for ${architecture} ...`);
  const fetched = await mkdtemp(join(cache, 'fetching-node-'));
  try {
    await run('npm', ['pack', '--silent', `${name}@${image.node}`], { cwd: fetched });
    const [archive] = await readdir(fetched);
    await run('tar', ['-C', fetched, '-xzf', join(fetched, archive ?? '')]);
    await mkdir(directory, { recursive: true });
    // Whole or not at all: another build may be looking for it at this moment.
    await rename(join(fetched, 'package'), join(directory, 'package')).catch(async (thrown: unknown) => {
      if (!(await exists(binary))) throw thrown;
    });
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
  return binary;
}
