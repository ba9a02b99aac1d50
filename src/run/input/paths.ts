import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, KsnoopError, systemCode } from '../../wire/errors.ts';

/** Files of one reading. */
const FILES_MAXIMUM = 10_000;

/** A file to read. */
export interface InputPath {
  /** `-` for stdin. */
  readonly path: string;
  /** Whether the user named it; else it was found in a directory or by a pattern, and may be something else. */
  readonly named: boolean;
}

/**
 * The files that words stand for: a file stands for itself, a directory for the files in it, a pattern (`*`, `?`, `[…]`)
 * for the files that match. In the order of the words, those of a directory or pattern in natural order: `a-2` before
 * `a-10`. A file that several words name is read once.
 * @throws KsnoopError NO_FILE (exit 2) where a directory is empty or nothing matches, TOO_MANY_FILES
 */
export function inputPaths(words: readonly string[]): InputPath[] {
  const found = new Map<string, InputPath>();
  for (const word of words) {
    for (const input of pathsOf(word)) if (!found.has(input.path)) found.set(input.path, input);
    if (found.size > FILES_MAXIMUM) {
      throw new KsnoopError('TOO_MANY_FILES', `More than ${FILES_MAXIMUM} files are named by ${word}.`, {
        exit: EXIT.usage,
      });
    }
  }
  return [...found.values()];
}

function pathsOf(word: string): readonly InputPath[] {
  if (word === '-') return [{ path: word, named: true }];
  const stat = statSync(word, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    const files = filesOf(word);
    if (files.length > 0) return files.map((path) => ({ path, named: false }));
    throw noFile(`The directory ${word} has no files.`);
  }
  if (stat !== undefined || !/[*?[]/.test(word)) return [{ path: word, named: true }];
  const matching = matches(word);
  if (matching.length === 0) throw noFile(`No file matches ${word}.`);
  return matching.map((path) => ({ path, named: false }));
}

/** Files of a directory: not those that are hidden, nor those of directories in it. */
function filesOf(directory: string): string[] {
  const files = entries(directory).filter((entry) => !entry.name.startsWith('.') && isFile(directory, entry));
  return files.map(({ name }) => join(directory, name)).sort(naturally);
}

function isFile(directory: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return statSync(join(directory, entry.name), { throwIfNoEntry: false })?.isFile() === true;
}

function entries(directory: string): Dirent[] {
  try {
    return readdirSync(directory === '' ? '.' : directory, { withFileTypes: true });
  } catch (cause) {
    const why = systemCode(cause) ?? String(cause);
    throw new KsnoopError('CANNOT_READ', `The directory ${directory} cannot be read: ${why}.`, { cause });
  }
}

/** Files whose path matches a pattern, part by part. */
function matches(pattern: string): string[] {
  const absolute = pattern.startsWith('/');
  let places = [absolute ? '/' : ''];
  const parts = pattern.split('/').filter((part) => part !== '');
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    places = places.flatMap((place) => {
      if (!/[*?[]/.test(part)) return existsSync(join(place, part)) ? [join(place, part)] : [];
      const hidden = part.startsWith('.');
      return entries(place)
        .filter((entry) => (hidden || !entry.name.startsWith('.')) && matchesPattern(entry.name, part))
        .filter((entry) => (last ? isFile(place, entry) : !isFile(place, entry)))
        .map(({ name }) => join(place, name));
    });
  }
  return places.sort(naturally);
}

/**
 * Whether a name matches a pattern of a shell: `*` any characters, `?` one, `[a-c]` one of these, `[!a-c]` one of others.
 * In time linear in the name's length for each `*`, whatever the pattern.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const end =
      inPattern < pattern.length && pattern[inPattern] !== '*' ? oneMatches(name, at, pattern, inPattern) : -1;
    if (end >= 0) {
      at += 1;
      inPattern = end;
    } else if (pattern[inPattern] === '*') {
      star = inPattern;
      starAt = at;
      inPattern += 1;
    } else if (star >= 0) {
      inPattern = star + 1;
      starAt += 1;
      at = starAt;
    } else return false;
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}

/** @returns where the pattern continues when its next element matches the character; -1 when it does not */
function oneMatches(name: string, at: number, pattern: string, start: number): number {
  const character = name[at] ?? '';
  if (pattern[start] === '?') return start + 1;
  const close = pattern[start] === '[' ? pattern.indexOf(']', start + 2) : -1;
  if (close < 0) return pattern[start] === character ? start + 1 : -1;
  const negated = pattern[start + 1] === '!' || pattern[start + 1] === '^';
  const set = pattern.slice(start + (negated ? 2 : 1), close);
  let holds = false;
  for (let index = 0; index < set.length; index += 1) {
    if (set[index + 1] === '-' && index + 2 < set.length) {
      holds ||= (set[index] ?? '') <= character && character <= (set[index + 2] ?? '');
      index += 2;
    } else holds ||= set[index] === character;
  }
  return holds === negated ? -1 : close + 1;
}

/** Made when files are sorted: it takes as long as a tenth of the start of ksnoop. */
let collator: Intl.Collator | undefined;

function naturally(a: string, b: string): number {
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(a, b);
}

function noFile(message: string): KsnoopError {
  return new KsnoopError('NO_FILE', message, { hint: 'To read a capture file: ksnoop read FILE', exit: EXIT.usage });
}
