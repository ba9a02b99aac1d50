import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { daemonsetDirectory } from '../../capture/install/manifests.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';

/**
 * Run the builder of the agents' image, which is in ksnoop's repository and not in its package: it needs Debian's tools.
 * @returns the path of the archive
 * @throws KsnoopError IMAGE_NEEDS_SOURCES (exit 2), IMAGE_BUILD_FAILED
 */
export async function runBuilder(words: readonly string[]): Promise<string> {
  const program = join(daemonsetDirectory(), 'image', 'build.ts');
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
