import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { ResolverState } from '../../wire/network-state.ts';
import { RESOLV_CONF_BYTES, RESOLV_CONF_WORDS } from '../limits.ts';
import type { Proc } from './proc.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** What a resolver takes where resolv.conf has no `ndots` (resolv.conf(5)). */
const NDOTS_DEFAULT = 1;

/** No name or address is longer, characters (RFC 1035, section 2.3.4). */
const NAME_LENGTH = 253;

/**
 * The /etc/resolv.conf of a process. The pod owns that file system: a link in it would lead to the reader's own files, so neither
 * the directory nor the file may be one, and the file must be a regular one.
 * @returns undefined where there is none, or it may not be read
 */
export function resolverOf(proc: Proc, pid: number): ResolverState | undefined {
  const text = readInside(proc.path(pid, 'root', 'etc'), 'resolv.conf');
  return text === undefined ? undefined : resolverIn(text);
}

/** @param text the content of a resolv.conf */
export function resolverIn(text: string): ResolverState {
  const nameservers: string[] = [];
  let search: string[] = [];
  let ndots = NDOTS_DEFAULT;
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/, RESOLV_CONF_WORDS + 1);
    const kept = words.filter((word) => word.length <= NAME_LENGTH);
    if (keyword === 'nameserver' && nameservers.length < RESOLV_CONF_WORDS) nameservers.push(...kept.slice(0, 1));
    // The last line counts (resolv.conf(5)).
    if (keyword === 'search' || keyword === 'domain') search = kept;
    if (keyword !== 'options') continue;
    for (const word of kept) {
      const count = /^ndots:(\d{1,2})$/.exec(word)?.[1];
      if (count !== undefined) ndots = Number(count);
    }
  }
  return { nameservers, search, ndots };
}

/** A regular file of a directory; both opened without following a link at their end, the file relative to the open directory. */
function readInside(path: string, name: string): string | undefined {
  let directory: number | undefined;
  let file: number | undefined;
  try {
    directory = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    file = openSync(`/proc/self/fd/${directory}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fstatSync(file).isFile()) return undefined;
    const bytes = Buffer.alloc(RESOLV_CONF_BYTES);
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0));
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
    if (directory !== undefined) closeSync(directory);
  }
}
