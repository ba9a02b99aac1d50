import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What takes long to make is kept here from one benchmark to the next, outside the repository. */
const DIRECTORY = join(homedir(), '.cache/ksnoop/bench');

export interface Kept {
  readonly path: string;
  readonly bytes: number;
  /** What its maker said of it: how it was made, counts. */
  readonly about: string;
}

/**
 * A file made once and kept as long as its recipe stays the same.
 * @param name its name's beginning and end, `nginx.pcap`
 * @param recipe everything it depends on; another recipe makes another file and removes the old one
 * @param make writes the file to a path and says in one line what it holds
 */
export async function kept(name: string, recipe: unknown, make: (path: string) => Promise<string>): Promise<Kept> {
  const directory = join(DIRECTORY, name.replaceAll('.', '-'));
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const path = join(directory, key, name);
  const note = `${path}.about`;
  if (!existsSync(note)) {
    const began = performance.now();
    process.stderr.write(`  making ${path} ...\n`);
    // Another recipe's file is of no use any more, and they are large.
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(join(directory, key), { recursive: true });
    const part = `${path}.part`;
    const about = await make(part);
    renameSync(part, path);
    writeFileSync(note, about);
    process.stderr.write(`  made in ${((performance.now() - began) / 1000).toFixed(0)} s: ${about}\n`);
  }
  return { path, bytes: statSync(path).size, about: readFileSync(note, 'utf8') };
}
