import { spawn } from 'node:child_process';
import { createReadStream, existsSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemCode } from '../../src/wire/errors.ts';
import { binaryImage } from './binary-image.ts';
import { type BuildName, buildDirectory, COREDNS_VERSION, program } from './builds.ts';
import { ClusterError } from './cluster-error.ts';
import { type Layout, type NodeLayout, PAUSE_IMAGE } from './layout.ts';
import { inNode } from './node.ts';
import { run } from './run.ts';

export const COREDNS_IMAGE = `ksnoop.test/coredns:${COREDNS_VERSION}`;

const OWN: readonly { readonly build: BuildName; readonly name: string }[] = [
  { build: 'pause', name: PAUSE_IMAGE },
  { build: 'coredns', name: COREDNS_IMAGE },
];

const ctr = ['ctr', '--namespace', 'k8s.io', 'images'];

/** Puts the images the cluster itself runs (the sandbox's and its DNS) on a node, unless they are there. */
export async function ensureOwnImages(layout: Layout, node: NodeLayout): Promise<void> {
  const present = (await run(inNode(layout, node, [...ctr, 'ls', '-q']))).split('\n');
  for (const { build, name } of OWN) {
    if (!present.includes(name)) await importArchive(layout, node, ownArchive(build, name));
  }
}

/** The archive of an image of ours, made once beside its binary in the cache. */
function ownArchive(build: BuildName, name: string): string {
  const archive = join(buildDirectory(build), 'image.tar');
  if (!existsSync(archive)) {
    const draft = `${archive}.${process.pid}`;
    writeFileSync(draft, binaryImage({ name, program: program(build), path: build }));
    renameSync(draft, archive);
  }
  return archive;
}

/** Imports an OCI or docker archive on every node, as a registry would have given it. */
export async function loadImage(layout: Layout, archive: string): Promise<void> {
  await Promise.all(layout.nodes.map((node) => importArchive(layout, node, archive)));
}

/** Through stdin, so the archive may lie where the node's own file system hides it. */
async function importArchive(layout: Layout, node: NodeLayout, archive: string): Promise<void> {
  const [command = '', ...args] = inNode(layout, node, [...ctr, 'import', '-']);
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  try {
    await pipeline(createReadStream(archive), child.stdin);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') {
      child.kill();
      throw new ClusterError(`There is no image archive ${archive}.`);
    }
    if (systemCode(thrown) !== 'EPIPE') throw thrown;
  }
  const code = await ended;
  if (code !== 0) {
    throw new ClusterError(`${node.name} could not import ${basename(archive)}: ${said.trim()}`);
  }
}
