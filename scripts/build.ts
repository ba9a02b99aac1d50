/** Bundles the client and the agent into dist/: `npm run build`. Prints their number and size. */

import { rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { imageBill } from '../daemonset/image/bill.ts';
import { pinnedPackages } from '../daemonset/image/packages.ts';
import { VERSION } from '../src/wire/version.ts';
import { writeManPages } from './man-pages.ts';
import { plainBuiltins } from './plain-builtins.ts';
import { slimClientNode } from './slim-client-node.ts';
import { bill, bundledPackages, thirdPartyNotices } from './third-party.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

const common: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
  // Dependencies written as CommonJS still call require() for Node's own modules.
  banner: {
    js: "import { createRequire as ksnoopRequire } from 'node:module'; const require = ksnoopRequire(import.meta.url);",
  },
};

// Built beside and moved into place: whoever runs the old build meanwhile keeps it whole.
const fresh = join(root, `.dist-${process.pid}`);
const results = await Promise.all([
  // Split, so that what a command does not need (the Kubernetes client above all) is not even read.
  build({
    ...common,
    plugins: [slimClientNode(), plainBuiltins()],
    entryPoints: { ksnoop: join(root, 'src/cli/main.ts') },
    outdir: fresh,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    outExtension: { '.js': '.mjs' },
  }),
  build({
    ...common,
    plugins: [plainBuiltins()],
    entryPoints: { 'ksnoop-agent': join(root, 'src/agent/main.ts') },
    outdir: fresh,
    outExtension: { '.js': '.mjs' },
  }),
]);
writeManPages(join(fresh, 'man'));
const packages = bundledPackages(
  results.flatMap(({ metafile }) => (metafile === undefined ? [] : [metafile])),
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
const sizes = results.flatMap(({ metafile }) => Object.values(metafile?.outputs ?? {}).map(({ bytes }) => bytes));
const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
process.stderr.write(`built ${relative(root, dist)}/: ${sizes.length} files, ${(total / 1e6).toFixed(1)} MB\n`);
