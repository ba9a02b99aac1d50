/**
 * Builds the agent's image on a machine without docker:
 *   node daemonset/image/build.ts [--arch amd64|arm64] [-o FILE] [--tag REF] [--newest]
 * Its Debian packages are those of packages-*.sha256; with --newest others may take their place.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, KsnoopError, messageOf } from '../../src/wire/errors.ts';
import { cacheDirectory } from './cache-directory.ts';
import { type Architecture, DESCRIPTION } from './description.ts';
import { layOutFiles } from './files.ts';
import { type ImageArchive, writeImageArchive } from './oci.ts';
import { pinFile } from './packages.ts';

const agent = join(import.meta.dirname, '../../dist/ksnoop-agent.mjs');

export interface AgentImage extends Pick<ImageArchive, 'path' | 'bytes'> {
  readonly tag: string;
  /** Of the manifest; undefined for an archive that was found in the cache. */
  readonly digest?: string;
}

/**
 * Build the archive, or find it in the cache: it is named by the hash of the agent and the description.
 * @param output where it goes; the cache when left out
 * @param tag left out, it carries the hash, so that another agent is another image
 * @param newest take the newest Debian packages where the pinned ones are not to be had any more
 * @throws KsnoopError NOT_BUILT, IMAGE_NEEDS_DEBIAN, IMAGE_NOT_PINNED
 */
export async function buildAgentImage(
  options: { architecture?: Architecture; output?: string; tag?: string; newest?: boolean },
  log: (line: string) => void,
): Promise<AgentImage> {
  const architecture = options.architecture ?? (arch() === 'arm64' ? 'arm64' : 'amd64');
  if (!existsSync(agent)) {
    throw new KsnoopError(
      'NOT_BUILT',
      'The agent that goes into the image is not built: dist/ksnoop-agent.mjs is missing.',
      {
        hint: 'In the repository of ksnoop: npm ci && npm run build',
      },
    );
  }
  const cache = cacheDirectory();
  const inputs = createHash('sha256').update(await readFile(agent));
  for (const file of ['description.ts', 'files.ts', 'oci.ts', 'bill.ts', pinFile(architecture)]) {
    inputs.update(await readFile(join(import.meta.dirname, file)));
  }
  for (const file of [
    'ksnoop-controller.mjs',
    'ksnoop-edge.mjs',
    'ksnoop-observe.mjs',
    'ksnoop-trigger.mjs',
    'sbom.cdx.json',
    'THIRD_PARTY_NOTICES.txt',
  ])
    inputs.update(await readFile(join(dirname(agent), file)));
  const key = inputs
    .update(`${architecture} ${options.tag ?? ''}`)
    .digest('hex')
    .slice(0, 16);
  const tag = options.tag ?? `ksnoop-agent:${key}`;
  const path = options.output ?? join(cache, 'images', `ksnoop-agent-${architecture}-${key}.tar`);
  if (options.output === undefined && existsSync(path)) return { path, tag, bytes: (await stat(path)).size };
  const root = await mkdtemp(join(tmpdir(), 'ksnoop-root-'));
  try {
    await layOutFiles({ root, architecture, agent, cache, newest: options.newest === true, log });
    const { entrypoint, command, environment } = DESCRIPTION;
    const image = { tag, architecture, layers: [root], output: path, entrypoint, command, environment };
    const { bytes, digest } = await writeImageArchive(image);
    return { path, tag, bytes, digest };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (thrown) {
    process.stderr.write(`${failureLine(thrown)}\n`);
    process.exitCode = thrown instanceof KsnoopError ? thrown.exit : EXIT.failed;
  }
}

/** An error as `ksnoop` prints it, for its users see these lines through `ksnoop image`. */
function failureLine(thrown: unknown): string {
  if (!(thrown instanceof KsnoopError)) return messageOf(thrown);
  return `${thrown.message}${thrown.hint === undefined ? '' : ` ${thrown.hint}`} [${thrown.code}]`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string' },
      output: { type: 'string', short: 'o' },
      tag: { type: 'string' },
      newest: { type: 'boolean' },
    },
  });
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  if (values.arch !== undefined && values.arch !== 'amd64' && values.arch !== 'arm64') {
    throw new KsnoopError('USAGE', `--arch takes amd64 or arm64, not ${values.arch}.`);
  }
  const image = await buildAgentImage(
    {
      ...(values.arch && { architecture: values.arch }),
      ...(values.output && { output: values.output }),
      ...(values.tag && { tag: values.tag }),
      ...(values.newest && { newest: true }),
    },
    log,
  );
  const digest = image.digest === undefined ? '' : `, ${image.digest}`;
  log(`image ${image.tag}: ${(image.bytes / 1e6).toFixed(1)} MB compressed${digest}`);
  process.stdout.write(`${image.path}\n`);
}
