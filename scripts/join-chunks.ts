import { basename, dirname, join, relative } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin } from 'esbuild';

/** A way through the program whose start-up time matters: what it loads, one after another. */
export interface LoadPath {
  /** What its file is called. */
  readonly name: string;
  /** Modules that are imported dynamically, from the root of the sources. */
  readonly entries: readonly string[];
}

/** The file of chunks that every start loads. */
const START = 'start';

/** Of the files that are written; the split ones have the same names with .mjs. */
const EXTENSION = '.script.js';

/** Behind a module's name: of one called .mjs an `import()` would have the whole module as `default`, as Node does it with CommonJS. */
const PLAIN = '.js';

type Chunk = Metafile['outputs'][string];

/** A build that was not written. */
export type SplitBuild = BuildResult<{ write: false; metafile: true }>;

export interface Joining {
  /** The program's entry, from the root of the sources. */
  readonly main: string;
  readonly paths: readonly LoadPath[];
  /** Chunks that several paths share and that are no longer than this, bytes, are loaded by every start: a file takes longer. */
  readonly small: number;
}

/**
 * Joins chunks that are loaded together. esbuild makes a chunk of every set of modules that the same entries share, so a
 * start loads some 75 files, each of which takes half a millisecond. Here they become one file for what every start loads, one
 * for each path, and one for what several paths share; the others stay as they are. The
 * result is for bin/script-cache.mjs: each file is the function that Node makes of a CommonJS module.
 * @param split a build with `splitting`, its chunks in a directory `chunks` below the main entry
 * @param options of the build to be written; it has the same entries and dynamic imports
 * @returns its metafile
 * @throws Error when an entry of a path is not imported dynamically
 */
export async function joinChunks(
  split: SplitBuild,
  options: BuildOptions & { readonly outdir: string },
  joining: Joining,
): Promise<Metafile> {
  const outputs = new Map(Object.entries(split.metafile.outputs).filter(([path]) => path.endsWith('.mjs')));
  const groups = groupsOf(outputs, joining);
  const texts = new Map(split.outputFiles.map(({ path, text }) => [relative(process.cwd(), path), text]));
  const out = (path: string) => relative(options.outdir, path).slice(0, -'.mjs'.length);
  const { metafile } = await build({
    ...options,
    metafile: true,
    format: 'cjs',
    outExtension: { '.js': EXTENSION },
    banner: { js: '(function(exports,require,module,__filename,__dirname){' },
    footer: { js: '})' },
    // A script has no import().
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    // A group's file hands on its exports itself.
    logOverride: { 'commonjs-variable-in-esm': 'silent' },
    entryPoints: [
      ...[...outputs]
        .filter(([path, { entryPoint }]) => entryPoint !== undefined || !groups.has(path))
        .map(([path]) => ({ in: `entry:${path}`, out: out(path) })),
      ...[...new Set(groups.values())].map((name) => ({ in: `group:${name}`, out: `chunks/${name}` })),
    ],
    plugins: [joinedModules({ outputs, groups, texts })],
  });
  return metafile;
}

/** By chunk, which file it goes to. The main entry and what no path loads are not in it. */
function groupsOf(
  outputs: ReadonlyMap<string, Chunk>,
  { main: mainEntry, paths, small }: Joining,
): ReadonlyMap<string, string> {
  const entries = new Map([...outputs].flatMap(([path, { entryPoint }]) => (entryPoint ? [[entryPoint, path]] : [])));
  const chunkOf = (entry: string) => {
    const path = entries.get(entry);
    if (path === undefined) throw new Error(`${entry} is not imported dynamically: no chunk of its own can be joined.`);
    return path;
  };
  const main = chunkOf(mainEntry);
  const start = new Set(loaded(outputs, [main]));
  const chunksOf = paths.map(({ name, entries }) => ({ name, chunks: loaded(outputs, entries.map(chunkOf)) }));
  const usersOf = (path: string) => chunksOf.filter(({ chunks }) => chunks.has(path)).map(({ name }) => name);
  for (const [path, { bytes, entryPoint }] of outputs) {
    const isSmall = bytes <= small && entryPoint === undefined && usersOf(path).length > 1;
    // It brings along what it imports.
    if (isSmall && [...loaded(outputs, [path])].every((each) => each === path || start.has(each))) start.add(path);
  }
  const groups = new Map<string, string>();
  for (const path of outputs.keys()) {
    const users = usersOf(path);
    if (path === main) continue;
    if (start.has(path)) groups.set(path, START);
    else if (users.length > 0) groups.set(path, users.join('-'));
  }
  return groups;
}

/** Chunks and what they import, however deep. */
function loaded(outputs: ReadonlyMap<string, Chunk>, from: readonly string[]): ReadonlySet<string> {
  const found = new Set(from);
  for (const path of found) {
    for (const { path: imported, kind } of outputs.get(path)?.imports ?? []) {
      if (kind === 'import-statement' && outputs.has(imported)) found.add(imported);
    }
  }
  return found;
}

interface Chunks {
  readonly outputs: ReadonlyMap<string, Chunk>;
  readonly groups: ReadonlyMap<string, string>;
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Modules of four kinds: `entry:PATH` is what stands in a chunk's place in the result, `text:PATH` its code, `group:NAME` the
 * file of a group, which exports what its chunks export, and `bridge:PATH` what a chunk of another group exports.
 *
 * From file to file go values: a group loads no file that loads it, and no chunk changes what it exports once it has run. esbuild's own
 * exports are two functions for each name, made at every start and called at every use.
 */
function joinedModules({ outputs, groups, texts }: Chunks): Plugin {
  const chunks = [...outputs.keys()];
  const exportsOf = (path: string) =>
    (outputs.get(path)?.exports ?? []).map((name) => ({ name, inGroup: `${name}_${chunks.indexOf(path)}` }));
  const bridge = (path: string, directory: string) => {
    const names = exportsOf(path);
    const taken = names.map(({ inGroup }) => inGroup).join(',');
    const exported = names.map(({ name, inGroup }) => `${inGroup} as ${name}`).join(',');
    return `const {${taken}} = require('file:${directory}${groups.get(path)}${EXTENSION}'); export {${exported}};`;
  };
  const group = (name: string) => {
    const members = chunks.filter((path) => groups.get(path) === name);
    const imports = members.map((path) => {
      const names = exportsOf(path).map(({ name, inGroup }) => `${name} as ${inGroup}`);
      return `import {${names.join(',')}} from 'text:${path}';\n`;
    });
    const exported = members.flatMap((path) => exportsOf(path).map(({ inGroup }) => inGroup));
    return `${imports.join('')}module.exports = {${exported.join(',')}};`;
  };
  return {
    name: 'join-chunks',
    setup(build) {
      build.onResolve({ filter: /^(entry|group|text|file):/ }, ({ path }) => {
        const [, namespace = '', rest = ''] = /^(\w+):(.*)$/.exec(path) ?? [];
        return namespace === 'file' ? { path: rest, external: true } : { path: `${rest}${PLAIN}`, namespace };
      });
      build.onResolve({ filter: /^\.\.?\// }, ({ path, kind, importer: module, namespace }) => {
        const importer = module.slice(0, -PLAIN.length);
        const target = join(dirname(importer), path);
        // The program's own file is above the others.
        const directory = dirname(importer) === dirname(target) ? './' : './chunks/';
        const group = groups.get(target);
        if (kind !== 'import-statement' || group === undefined) {
          return { path: `${directory}${basename(target, '.mjs')}${EXTENSION}`, external: true };
        }
        const isOwn = namespace === 'text' && group === groups.get(importer);
        const joined = `${target}${PLAIN}`;
        return isOwn ? { path: joined, namespace } : { path: joined, namespace: 'bridge', suffix: `?${directory}` };
      });
      const load = (namespace: string, contents: (path: string, suffix: string) => string) =>
        build.onLoad({ filter: /.*/, namespace }, ({ path, suffix }) => ({
          contents: contents(path.slice(0, -PLAIN.length), suffix.slice(1)),
        }));
      load('entry', (path) => (groups.has(path) ? bridge(path, './') : (texts.get(path) ?? '')));
      load('text', (path) => {
        const text = texts.get(path) ?? '';
        // Such a module runs later than its file.
        if (groups.has(path) && /\b__esm\w*\(/.test(text))
          throw new Error(`${path} exports what it does not have yet.`);
        return text;
      });
      load('bridge', bridge);
      load('group', group);
    },
  };
}
