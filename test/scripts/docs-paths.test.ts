import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...globSync('docs/*.md', { cwd: ROOT })];
const PATHS = globSync('{bin,daemonset,docs,scripts,src,test}/**', { cwd: ROOT }).toSorted();
/** What ends in one of these is a path: every path, and every end of one, with and without `.ts`. */
const ENDS = new Set(PATHS.flatMap((path) => ends(path).flatMap((end) => [end, end.replace(/\.ts$/, '')])));
/** The directories of src/, by name: a word that begins with one of them and a slash is meant as a path. */
const ROOMS = new Set(PATHS.filter((path) => /^src\/.*\.ts$/.test(path)).flatMap((path) => dirname(path).split('/')));

function ends(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(index).join('/'));
}

/** Of `dir/NAME.ts` and `dir/*`, the directory. */
function named(path: string): string {
  return path.replace(/\/(?:[\w-]*NAME.*|\*)$/, '').replace(/\/$/, '');
}

function exists(path: string): boolean {
  return ENDS.has(path) || PATHS.some((known) => known.startsWith(`${path}.`));
}

/** Words that name a path of the repository. On pages for users only those that begin at its top: `svc/web` is a target there. */
function paths(page: string, text: string): string[] {
  const words = text.match(/(?<![\w./~@-])[\w-]+(?:\/[\w.*-]+)*\/?(?<!\.)/g) ?? [];
  const inside = page === 'ARCHITECTURE.md' || page === 'CONTRIBUTING.md';
  return words.filter((word) => {
    const [first = ''] = word.split('/');
    if (/^(?:bin|daemonset|docs|scripts|src|test)\//.test(word)) return true;
    return inside && (/\.ts$/.test(word) || (word.includes('/') && ROOMS.has(first)));
  });
}

it.each(PAGES)('the paths of %s exist', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/https?:\/\/\S+/g, '');
  expect(
    paths(page, text)
      .map(named)
      .filter((path) => !exists(path)),
  ).toEqual([]);
});

it.each(PAGES)('the links of %s lead to files', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link.replace(/#.*$/, ''));
  const files = links.filter((link) => link !== '' && !/^[a-z]+:/.test(link));
  expect(files.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
});

it('a path that does not exist is found, in backticks, in text and with a placeholder', () => {
  const text =
    'see `src/none/index.ts`, analyze/none and `src/none/NAME.ts`; src/wire, `kinds/kind.ts` and `run/outputs/*` exist';
  const found = paths('ARCHITECTURE.md', text).map(named);
  expect(found.filter((path) => !exists(path))).toEqual(['src/none/index.ts', 'analyze/none', 'src/none']);
  expect(found).toHaveLength(6);
});
