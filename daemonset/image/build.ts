/**
 * Builds the agent's image on a machine without docker:
 *   node daemonset/image/build.ts [--arch amd64|arm64] [-o FILE] [--tag REF]
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { arch, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Architecture, DESCRIPTION } from './description.ts';
import { layOutFiles } from './files.ts';
import { type ImageArchive, writeImageArchive } from './oci.ts';

const agent = join(import.meta.dirname, '../../dist/ksnoop-agent.mjs');

export interface AgentImage extends Pick<ImageArchive, 'path' | 'bytes'> {
  readonly tag: string;
}

/**
 * Build the archive, or find it in the cache: it is named by the hash of the agent and the description.
 * @param output where it goes; the cache when left out
 * @param tag left out, it carries the hash, so that another agent is another image
 */
export async function buildAgentImage(
  options: { architecture?: Architecture; output?: string; tag?: string },
  log: (line: string) => void,
): Promise<AgentImage> {
  const architecture = options.architecture ?? (arch() === 'arm64' ? 'arm64' : 'amd64');
  if (!existsSync(agent)) throw new Error('dist/ksnoop-agent.mjs is not there: npm run build');
  const cache = process.env.KSNOOP_CACHE ?? join(homedir(), '.cache/ksnoop');
  const inputs = createHash('sha256').update(await readFile(agent));
  for (const file of ['description.ts', 'files.ts', 'oci.ts']) {
    inputs.update(await readFile(join(import.meta.dirname, file)));
  }
  const key = inputs
    .update(`${architecture} ${options.tag ?? ''}`)
    .digest('hex')
    .slice(0, 16);
  const tag = options.tag ?? `ksnoop-agent:${key}`;
  const path = options.output ?? join(cache, 'images', `ksnoop-agent-${architecture}-${key}.tar`);
  if (options.output === undefined && existsSync(path)) return { path, tag, bytes: (await stat(path)).size };
  const root = await mkdtemp(join(tmpdir(), 'ksnoop-root-'));
  try {
    await layOutFiles({ root, architecture, agent, cache, log });
    const { entrypoint, command, environment } = DESCRIPTION;
    const image = { tag, architecture, layers: [root], output: path, entrypoint, command, environment };
    const { bytes } = await writeImageArchive(image);
    return { path, tag, bytes };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { arch: { type: 'string' }, output: { type: 'string', short: 'o' }, tag: { type: 'string' } },
  });
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  if (values.arch !== undefined && values.arch !== 'amd64' && values.arch !== 'arm64') {
    log(`--arch takes amd64 or arm64, not ${values.arch}`);
    process.exit(2);
  }
  const image = await buildAgentImage(
    {
      ...(values.arch && { architecture: values.arch }),
      ...(values.output && { output: values.output }),
      ...(values.tag && { tag: values.tag }),
    },
    log,
  );
  log(`image ${image.tag}: ${(image.bytes / 1e6).toFixed(1)} MB compressed`);
  process.stdout.write(`${image.path}\n`);
}
