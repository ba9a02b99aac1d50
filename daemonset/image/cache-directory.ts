import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where built images, programs and downloads are kept between runs and clones: KSNOOP_CACHE, else below the home directory. */
export function cacheDirectory(): string {
  return process.env.KSNOOP_CACHE ?? join(homedir(), '.cache/ksnoop');
}
