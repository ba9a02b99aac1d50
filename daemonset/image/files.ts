import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { imageBill } from './bill.ts';
import { debianPackages } from './debian.ts';
import { type Architecture, DESCRIPTION as image } from './description.ts';
import { fetchNode } from './node-package.ts';

const run = promisify(execFile);

export interface ImageFiles {
  /** The directory that becomes the image's root. */
  readonly root: string;
  readonly architecture: Architecture;
  /** The bundled agent (ksnoop-agent.mjs), with its workers, the controller and the observer, the licences of what is in it and their list beside it (dist/). */
  readonly agent: string;
  /** As in `Fetching`. */
  readonly newest: boolean;
  /** A directory for packages already fetched. */
  readonly cache: string;
  /** Called with a line when something is being fetched. */
  readonly log: (line: string) => void;
}

/**
 * Lay out the image's root directory: Node, the agent, the programs, their libraries, licences, and lists of all of it.
 * @throws KsnoopError as debianPackages has it
 */
export async function layOutFiles({ root, architecture, agent, cache, newest, log }: ImageFiles): Promise<void> {
  const { triplet, loader } = image.architectures[architecture];
  const tree = await mkdtemp(join(tmpdir(), 'ksnoop-tree-'));
  try {
    const directory = join(cache, 'debs', `${image.debian}-${architecture}`);
    const packages = await debianPackages({ architecture, directory, newest, log });
    for (const { name, file } of packages) {
      const deb = (await exists(join(directory, file))) ? join(directory, file) : join(directory, 'newest', file);
      await run('dpkg-deb', ['-x', deb, tree]);
      const { stdout } = await run('dpkg-deb', ['-f', deb]);
      await write(join(root, image.statusDirectory, name), stdout);
    }
    for (const { name } of packages) {
      await place(join(tree, image.documents, name, 'copyright'), join(root, image.documents, name, 'copyright'));
    }
    const bundled = await readFile(join(dirname(agent), 'sbom.cdx.json'), 'utf8');
    await write(join(root, image.billPath), imageBill(architecture, packages, bundled));
    await place(join(dirname(agent), 'THIRD_PARTY_NOTICES.txt'), join(root, image.noticesPath));
    for (const program of image.programs) await place(join(tree, program), join(root, program));
    for (const library of image.libraries) {
      await place(await findLibrary(tree, triplet, library), join(root, 'lib', triplet, library));
    }
    await place(await findLoader(tree, triplet, loader), join(root, loader));
    const node = await fetchNode(image.architectures[architecture].nodePackage, cache, log);
    await place(join(node, 'bin/node'), join(root, image.nodePath));
    await place(join(node, 'LICENSE'), join(root, image.nodeLicensePath));
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
  await write(join(root, 'etc/passwd'), image.passwd);
  await writeFile(join(root, 'etc/group'), image.group);
  const programs = [
    [agent, image.agentPath],
    [join(dirname(agent), 'ksnoop-controller.mjs'), image.controllerPath],
    [join(dirname(agent), 'ksnoop-edge.mjs'), image.edgePath],
    [join(dirname(agent), 'ksnoop-observe.mjs'), image.observePath],
    [join(dirname(agent), 'ksnoop-trigger.mjs'), image.triggerPath],
  ] as const;
  for (const [from, path] of programs) {
    await writeFile(join(root, path), `${image.shebang}\n${await readFile(from, 'utf8')}`);
    await chmod(join(root, path), 0o755);
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
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
