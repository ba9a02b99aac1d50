import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/** `export const NAME = { … } as const;`, with what is between the braces. */
const TABLE = /^(?:export )?const ([A-Z][A-Z0-9_]*) = \{([^{}]*)\} as const;$/gm;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;
const ENTRY = /^([A-Za-z]\w*): (\d[\d_]*|0x[\da-f_]+)$/;
/** `import { … } from './file.ts'`. */
const IMPORT = /^import (?:\w+, )?\{([^{}]*)\} from '(\.[^']*)';$/gm;
/** `NAME.key`; what may have it as a text, strings and comments, is matched as a whole before. */
const USE =
  /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\/\*[\s\S]*?\*\/|\/\/.*|(?<![\w$.])([A-Z][A-Z0-9_]*)\.([A-Za-z]\w*)\b/g;

/** Numbers by key, by the name of their table. */
type Tables = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Writes the numbers of tables such as `export const STOP = { none: 0, … } as const` where the code names them (`STOP.none`).
 * V8 looks each of them up until it has compiled the function to machine code, has more to compile then, and chooses what it
 * inlines by the size of the code. What a pattern here does not recognise stays as it is.
 * @param within only files below this directory are changed
 */
export function inlineNumbers(within: string): Plugin {
  return {
    name: 'inline-numbers',
    setup(build) {
      const known = new Map<string, Promise<Tables>>();
      const tablesOf = (path: string) => {
        const tables = known.get(path) ?? readFile(path, 'utf8').then(numberTables);
        known.set(path, tables);
        return tables;
      };
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(within)) return undefined;
        return { contents: await inlined(path, await readFile(path, 'utf8'), tablesOf), loader: 'ts' };
      });
    },
  };
}

/** The tables of numbers that a file declares at its top. */
function numberTables(text: string): Tables {
  const tables = new Map<string, ReadonlyMap<string, string>>();
  for (const [, name = '', entries = ''] of text.matchAll(TABLE)) {
    const numbers = new Map<string, string>();
    for (const entry of entries.replaceAll(COMMENT, '').split(',')) {
      const [, key, number] = ENTRY.exec(entry.trim()) ?? [];
      if (key !== undefined && number !== undefined) numbers.set(key, number);
    }
    tables.set(name, numbers);
  }
  return tables;
}

/** A file's text with the numbers in it. */
async function inlined(path: string, text: string, tablesOf: (path: string) => Promise<Tables>): Promise<string> {
  const tables = new Map(numberTables(text));
  for (const [, names = '', from = ''] of text.matchAll(IMPORT)) {
    const theirs = await tablesOf(resolve(dirname(path), from));
    for (const binding of names.split(',')) {
      const [name = '', local = name] = binding.trim().split(' as ');
      const table = theirs.get(name);
      if (table !== undefined) tables.set(local, table);
    }
  }
  return text.replaceAll(USE, (use, name: string | undefined, key = '') => tables.get(name ?? '')?.get(key) ?? use);
}
