/**
 * Builds ksnoop as one executable, with Node, the agent for --local and the manifests inside:
 *   npm run build:binary [-- --platform linux-x64|linux-arm64|darwin-arm64|win-x64] [-o FILE]
 * Node's own --build-sea puts the bundle into a Node of the platform (nodejs.org/api/single-executable-applications.html).
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { cacheDirectory } from '../../daemonset/image/cache-directory.ts';
import { fetchNode } from '../../daemonset/image/node-package.ts';
import { plainBuiltins } from '../plain-builtins.ts';
import { slimClientNode } from '../slim-client-node.ts';
import { type BinaryPlatform, PLATFORMS } from './platforms.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Build the executable of a platform. @returns its size, bytes */
export async function buildBinary(
  platform: BinaryPlatform,
  output: string,
  log: (line: string) => void,
): Promise<number> {
  const cache = cacheDirectory();
  const node = await fetchNode(platform.nodePackage, cache, log);
  const directory = await mkdtemp(join(tmpdir(), 'ksnoop-binary-'));
  try {
    const main = join(directory, 'ksnoop.mjs');
    await build({
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node26',
      minify: true,
      // Of functions and classes whose names are in messages.
      keepNames: true,
      legalComments: 'none',
      logLevel: 'warning',
      plugins: [slimClientNode(), plainBuiltins()],
      entryPoints: [join(import.meta.dirname, 'entry.ts')],
      outfile: main,
      banner: {
        js: "import { createRequire as ksnoopRequire } from 'node:module'; const require = ksnoopRequire(process.execPath);",
      },
    });
    await mkdir(dirname(output), { recursive: true });
    const config = join(directory, 'sea.json');
    const isOwn = platform.name === `${process.platform}-${process.arch}`;
    await writeFile(
      config,
      JSON.stringify({
        main,
        mainFormat: 'module',
        output: resolve(output),
        executable: join(node, platform.program),
        disableExperimentalSEAWarning: true,
        // V8's cache is of one platform.
        useCodeCache: isOwn,
        assets: await manifests(),
      }),
    );
    await run(process.execPath, ['--build-sea', config]);
    await chmod(output, 0o755);
    return (await stat(output)).size;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The manifests by their names inside (src/capture/install/manifest-files.ts). */
async function manifests(): Promise<Record<string, string>> {
  const assets: Record<string, string> = {};
  for (const place of ['daemonset/base', 'daemonset/overlays', 'daemonset/captures']) {
    for (const file of await readdir(join(root, place), { recursive: true })) {
      if (!file.endsWith('.yaml')) continue;
      const path = join(root, place, file);
      assets[relative(root, path).replaceAll('\\', '/')] = path;
    }
  }
  return assets;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { platform: { type: 'string' }, output: { type: 'string', short: 'o' } } });
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  const name = values.platform ?? `${process.platform}-${process.arch}`;
  const platform = PLATFORMS.find((known) => known.name === name);
  if (platform === undefined) {
    log(`--platform takes ${PLATFORMS.map((known) => known.name).join(', ')}, not ${name}`);
    process.exit(2);
  }
  const extension = platform.os === 'windows' ? '.exe' : '';
  const output = values.output ?? join(root, 'release', `ksnoop-${name}${extension}`);
  const bytes = await buildBinary(platform, output, log);
  log(`${relative(process.cwd(), output)}: ${(bytes / 1e6).toFixed(1)} MB`);
}
