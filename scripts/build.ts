/** Bundles the client, the agent with its threads, the controller and the observer into dist/: `npm run build`. Prints their number and size. */

import { rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { imageBill } from '../daemonset/image/bill.ts';
import { pinnedPackages } from '../daemonset/image/packages.ts';
import { VERSION } from '../src/wire/version.ts';
import { inlineNumbers } from './inline-numbers.ts';
import { joinChunks, type LoadPath } from './join-chunks.ts';
import { writeManPages } from './man-pages.ts';
import { plainBuiltins, REQUIRE } from './plain-builtins.ts';
import { slimClientNode } from './slim-client-node.ts';
import { bill, bundledPackages, thirdPartyNotices } from './third-party.ts';

/** The client's program, from the root of the sources. */
const MAIN = 'src/cli/main.ts';

/** What a first packet, and the first line of a file, wait for. */
const PATHS: readonly LoadPath[] = [
  // Captures do without the flags of the other commands.
  { name: 'commands', entries: ['src/cli/program.ts'] },
  { name: 'capture', entries: ['src/cli/capture/command.ts'] },
  // Captures without an API server (--local) do without it.
  { name: 'cluster', entries: ['src/run/capture/find-targets.ts'] },
  // Loaded while the API server answers.
  { name: 'run', entries: ['src/cli/capture/planned-capture.ts', 'src/capture/agents/transports.ts'] },
  {
    name: 'read',
    entries: [
      'src/cli/read/commands.ts',
      'src/cli/read/command.ts',
      'src/run/reading/lines.ts',
      'src/run/analysis/text.ts',
      'src/run/analysis/summary.ts',
    ],
  },
];

/** A file of its own takes half a millisecond, and a tenth of one to read so much more. */
const SMALL_BYTES = 2_000;

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
  banner: { js: REQUIRE },
} satisfies BuildOptions & { metafile: true };

// Built beside and moved into place: whoever runs the old build meanwhile keeps it whole.
const fresh = join(root, `.dist-${process.pid}`);
const written = { ...common, outdir: fresh, outExtension: { '.js': '.mjs' } };
const results = await Promise.all([
  // Split, so that what a command does not need (the Kubernetes client above all) is not even read.
  build({
    ...written,
    plugins: [slimClientNode(), plainBuiltins(), inlineNumbers(join(root, 'src'))],
    entryPoints: { ksnoop: join(root, MAIN) },
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    write: false,
  }),
  build({
    ...written,
    plugins: [plainBuiltins()],
    entryPoints: { 'ksnoop-agent': join(root, 'src/agent/main.ts') },
  }),
  // Started by the agent as a worker, by its path.
  build({
    ...written,
    plugins: [plainBuiltins(), inlineNumbers(join(root, 'src'))],
    entryPoints: { 'ksnoop-edge': join(root, 'src/edge/main.ts') },
  }),
  build({
    ...written,
    plugins: [slimClientNode(), plainBuiltins()],
    entryPoints: { 'ksnoop-controller': join(root, 'src/controller/main.ts') },
  }),
  // `ksnoop observe` for the image, in one file.
  build({
    ...written,
    plugins: [slimClientNode(), plainBuiltins(), inlineNumbers(join(root, 'src'))],
    entryPoints: { 'ksnoop-observe': join(root, 'src/cli/observe-main.ts') },
  }),
  // A thread of the agent, which starts it by its path: the agent itself has no analyzer.
  build({
    ...written,
    plugins: [plainBuiltins()],
    entryPoints: { 'ksnoop-trigger': join(root, 'src/edge/trigger-main.ts') },
  }),
]);
const joined = await joinChunks(
  results[0],
  { ...written, banner: {} },
  { main: MAIN, paths: PATHS, small: SMALL_BYTES },
);
writeManPages(join(fresh, 'man'));
const packages = bundledPackages(
  results.map(({ metafile }) => metafile),
  process.cwd(),
);
await writeFile(join(fresh, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(packages));
await writeFile(join(fresh, 'sbom.cdx.json'), bill('ksnoop', VERSION, packages));
// The Dockerfile copies them; the build without docker makes the same.
for (const architecture of ['amd64', 'arm64'] as const) {
  const list = imageBill(architecture, pinnedPackages(architecture), bill('ksnoop', VERSION, packages));
  await writeFile(join(fresh, `agent-image-${architecture}.cdx.json`), list);
}
await rm(dist, { recursive: true, force: true });
await rename(fresh, dist);
const sizes = [joined, ...results.slice(1).map(({ metafile }) => metafile)].flatMap((metafile) =>
  Object.values(metafile.outputs).map(({ bytes }) => bytes),
);
const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
process.stderr.write(`built ${relative(root, dist)}/: ${sizes.length} files, ${(total / 1e6).toFixed(1)} MB\n`);
