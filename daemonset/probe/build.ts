/**
 * Builds the image for captures from within pods (`--agentless`), of busybox and a static tcpdump, without docker:
 *   node daemonset/probe/build.ts [--arch amd64|arm64] [-o FILE] [--tag REF] [--tcpdump FILE]
 * With --tcpdump the program alone is written, for --agentless=upload.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { cacheDirectory } from '../image/cache-directory.ts';
import { DESCRIPTION } from '../image/description.ts';
import { type ImageArchive, writeImageArchive } from '../image/oci.ts';
import { staticTcpdump } from './tcpdump.ts';

const run = promisify(execFile);

export type ProbeArchitecture = 'amd64' | 'arm64';

/** What the scripts of a capture use (src/capture/agentless/script.ts), and what people look around with. */
const COMMANDS = ['sh', 'sleep', 'cat', 'chmod', 'head', 'kill', 'ls', 'ps', 'rm', 'uname', 'wc'];

/** Build the archive. @param output where it goes @throws KsnoopError as staticTcpdump has it */
export async function buildProbeImage(
  { architecture, output, tag }: { architecture: ProbeArchitecture; output: string; tag: string },
  log: (line: string) => void,
): Promise<ImageArchive> {
  const cache = cacheDirectory();
  const tcpdump = await staticTcpdump(architecture, cache, log);
  const root = await mkdtemp(join(tmpdir(), 'ksnoop-probe-'));
  const debs = await mkdtemp(join(tmpdir(), 'ksnoop-debs-'));
  try {
    await run('apt-get', ['-qq', 'download', `busybox-static:${architecture}`, `tcpdump:${architecture}`], {
      cwd: debs,
    });
    const tree = join(debs, 'tree');
    for (const file of await readdir(debs)) {
      if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', join(debs, file), tree]);
    }
    for (const directory of ['bin', 'usr/bin', 'etc', 'tmp']) await mkdir(join(root, directory), { recursive: true });
    await copyFile(join(tree, 'bin/busybox'), join(root, 'bin/busybox'));
    for (const command of COMMANDS) await symlink('busybox', join(root, 'bin', command));
    await copyFile(tcpdump, join(root, 'usr/bin/tcpdump'));
    for (const name of ['busybox-static', 'tcpdump']) {
      const documents = join(root, 'usr/share/doc', name);
      await mkdir(documents, { recursive: true });
      await copyFile(join(tree, 'usr/share/doc', name, 'copyright'), join(documents, 'copyright'));
    }
    await writeFile(join(root, 'etc/passwd'), DESCRIPTION.passwd);
    await writeFile(join(root, 'etc/group'), DESCRIPTION.group);
    const environment = { PATH: '/usr/bin:/bin' };
    return await writeImageArchive({ tag, architecture, layers: [root], output, environment, command: ['/bin/sh'] });
  } finally {
    await rm(root, { recursive: true, force: true });
    await rm(debs, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string' },
      output: { type: 'string', short: 'o' },
      tag: { type: 'string' },
      tcpdump: { type: 'string' },
    },
  });
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  const name = values.arch ?? (arch() === 'arm64' ? 'arm64' : 'amd64');
  if (name !== 'amd64' && name !== 'arm64') {
    log(`--arch takes amd64 or arm64, not ${name}`);
    process.exit(2);
  }
  if (values.tcpdump !== undefined) {
    await copyFile(await staticTcpdump(name, cacheDirectory(), log), values.tcpdump);
    log(`${values.tcpdump}: a static tcpdump for ${name}`);
  } else {
    const tag = values.tag ?? 'ksnoop-probe:latest';
    const output = values.output ?? join(cacheDirectory(), 'images', `ksnoop-probe-${name}.tar`);
    const { path, bytes, digest } = await buildProbeImage({ architecture: name, output, tag }, log);
    log(`image ${tag}: ${(bytes / 1e6).toFixed(1)} MB compressed, ${digest}`);
    process.stdout.write(`${path}\n`);
  }
}
