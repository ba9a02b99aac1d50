import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { daemonsetDirectory } from '../../capture/install/manifests.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';

/**
 * Run the builder of the agents' image, which is in ksnoop's repository and not in its package: it needs Debian's tools.
 * @param words its flags
 * @param manifests the repository's `daemonset`
 * @returns the path of the archive
 * @throws KsnoopError IMAGE_NEEDS_SOURCES (exit 2), NOT_BUILT, IMAGE_BUILD_FAILED
 */
export async function runBuilder(words: readonly string[], manifests = daemonsetDirectory()): Promise<string> {
  const program = join(manifests, 'image', 'build.ts');
  const repository = join(manifests, '..');
  if (!existsSync(program)) {
    throw new KsnoopError(
      'IMAGE_NEEDS_SOURCES',
      'The image can be built only in the repository of ksnoop, and this ksnoop is an installed package.',
      {
        hint: 'In the repository: npm ci && npm run build && node bin/ksnoop.mjs image push REF. Or push an archive that you have: ksnoop image push REF FILE',
        exit: EXIT.usage,
      },
    );
  }
  if (!existsSync(join(repository, 'dist', 'ksnoop-agent.mjs'))) {
    throw new KsnoopError(
      'NOT_BUILT',
      `The agent that goes into the image is not built: ${join(repository, 'dist')} has no ksnoop-agent.mjs.`,
      {
        hint: `Build it: (cd ${repository} && npm ci && npm run build)`,
      },
    );
  }
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return output.trim();
  throw new KsnoopError('IMAGE_BUILD_FAILED', `The image was not built (exit ${code ?? 'by a signal'}).`, {
    hint: 'The lines above say why.',
  });
}
