// The image's files, laid out as the build does without docker: they run with nothing else, and docker's steps give the same.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheDirectory } from '../../daemonset/image/cache-directory.ts';
import { type Architecture, DESCRIPTION as image } from '../../daemonset/image/description.ts';
import { dockerfile } from '../../daemonset/image/dockerfile.ts';
import { layOutFiles } from '../../daemonset/image/files.ts';
import { writeImageArchive } from '../../daemonset/image/oci.ts';
import { pinnedPackages } from '../../daemonset/image/packages.ts';
import { whileNoImageIsBuilt } from '../support/agent-image.ts';

const cache = cacheDirectory();
/** What Node runs: the only programs that are no machine code. */
const SCRIPTS: readonly string[] = [
  image.agentPath,
  image.controllerPath,
  image.edgePath,
  image.observePath,
  image.triggerPath,
];
const roots: Record<Architecture, string> = { amd64: '', arm64: '' };
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-image-test-'));
  const agent = join(directory, 'agent.mjs');
  writeFileSync(agent, "import { argv } from 'node:process';\nconsole.log('agent', argv[2]);\n");
  writeFileSync(join(directory, 'ksnoop-controller.mjs'), "console.log('controller');\n");
  writeFileSync(join(directory, 'ksnoop-edge.mjs'), "console.log('edge');\n");
  writeFileSync(join(directory, 'ksnoop-observe.mjs'), "console.log('observe');\n");
  writeFileSync(join(directory, 'ksnoop-trigger.mjs'), "console.log('trigger');\n");
  writeFileSync(join(directory, 'THIRD_PARTY_NOTICES.txt'), 'licences of what is bundled\n');
  writeFileSync(join(directory, 'sbom.cdx.json'), '{"components":[{"name":"ws"}]}');
  for (const architecture of ['amd64', 'arm64'] as const) {
    roots[architecture] = join(directory, architecture);
    mkdirSync(roots[architecture]);
    await whileNoImageIsBuilt(() =>
      layOutFiles({ root: roots[architecture], architecture, agent, cache, newest: true, log: () => {} }),
    );
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Every file of a directory by its path within. */
function files(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `/${relative(root, join(entry.parentPath, entry.name))}`)
    .sort();
}

function expected(architecture: Architecture): string[] {
  const { triplet, loader } = image.architectures[architecture];
  const libraries = image.libraries.map((name) => `/lib/${triplet}/${name}`);
  const own = ['/etc/passwd', '/etc/group', image.nodePath, ...SCRIPTS];
  own.push(image.billPath, image.noticesPath, image.nodeLicensePath);
  for (const name of image.packages)
    own.push(`${image.statusDirectory}/${name}`, `${image.documents}/${name}/copyright`);
  return [...own, ...image.programs, ...libraries, loader].sort();
}

const run = promisify(execFile);
const inside = async (...argv: string[]) => {
  const { stdout, stderr } = await run('chroot', [roots.amd64, ...argv]);
  return stdout + stderr;
};

test.runIf(process.arch === 'x64')('every program runs with only those files', async () => {
  expect(await inside('/usr/bin/node', '--version')).toBe(`v${image.node}\n`);
  expect(await inside('/usr/bin/tcpdump', '--version')).toMatch(/^tcpdump version .*libpcap version .*OpenSSL/s);
  expect(await inside('/usr/bin/nsenter', '--version')).toContain('util-linux');
  expect(await inside('/usr/bin/setpriv', '--version')).toContain('util-linux');
  expect(await inside('/usr/bin/prlimit', '--version')).toContain('util-linux');
  expect(await inside('/usr/bin/ksnoop-agent', 'idle')).toBe('agent idle\n');
  expect(await inside('/usr/bin/ksnoop-controller')).toBe('controller\n');
  expect(await inside('/usr/bin/ksnoop-observe')).toBe('observe\n');
});

test.each(['amd64', 'arm64'] as const)(
  '%s: the described files and no others, all programs of that machine',
  (name) => {
    expect(files(roots[name])).toEqual(expected(name));
    const machine = { amd64: 62, arm64: 183 }[name];
    for (const path of expected(name).filter(
      (file) => !/^\/(?:etc|usr\/share|var)\//.test(file) && !SCRIPTS.includes(file),
    )) {
      // ELF's e_machine: 62 is x86-64, 183 AArch64 (elf(5)).
      expect([path, readFileSync(join(roots[name], path)).readUInt16LE(18)]).toEqual([path, machine]);
    }
  },
);

test.each(['amd64', 'arm64'] as const)(
  '%s: packages are listed with versions and digests, and licences are texts',
  (name) => {
    const read = (path: string) => readFileSync(join(roots[name], path), 'utf8');
    const bill = JSON.parse(read(image.billPath));
    const listed = new Map<string, { version: string; purl: string }>(
      bill.components.map((component: { name: string }) => [component.name, component]),
    );
    expect([...listed.keys()].sort()).toEqual([...image.packages, 'node', 'ws'].sort());
    for (const each of image.packages) {
      const status = read(`${image.statusDirectory}/${each}`);
      expect(status).toContain(`Package: ${each}\n`);
      expect(status).toContain(`\nVersion: ${listed.get(each)?.version}\n`);
      expect(status).toMatch(new RegExp(`^Architecture: ${name}$`, 'm'));
      expect(read(`${image.documents}/${each}/copyright`)).toMatch(/copyright|licen[cs]e/i);
    }
    expect(read(image.nodeLicensePath)).toContain('Node.js is licensed');
    expect(read(image.noticesPath)).toBe('licences of what is bundled\n');
  },
);

test('two builds of one input are one image', { timeout: 900_000 }, async () => {
  const digests: string[] = [];
  for (const build of ['first', 'second']) {
    const root = join(directory, build);
    mkdirSync(root);
    const agent = join(directory, 'agent.mjs');
    await layOutFiles({ root, architecture: 'amd64', agent, cache, newest: true, log: () => {} });
    const { digest, path } = await writeImageArchive({
      tag: 'ksnoop-agent:test',
      architecture: 'amd64',
      layers: [root],
      output: join(directory, `${build}.tar`),
      entrypoint: image.entrypoint,
    });
    digests.push(`${digest} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
    rmSync(root, { recursive: true });
  }
  expect(digests[0]).toMatch(/^sha256:[0-9a-f]{64} /);
  expect(digests[1]).toBe(digests[0]);
});

test.each(['amd64', 'arm64'] as const)('%s: every library that something there needs is there', (name) => {
  const present = new Set(files(roots[name]).map((path) => path.split('/').at(-1)));
  for (const path of expected(name).filter((file) => file.includes('.so') || file.includes('/bin/'))) {
    if (SCRIPTS.includes(path)) continue;
    for (const needed of neededBy(join(roots[name], path)))
      expect([path, present.has(needed) || needed]).toEqual([path, true]);
  }
});

test.runIf(process.arch === 'x64')("the Dockerfile's steps take the same files from the same packages", () => {
  const docker = join(directory, 'docker');
  const tree = join(docker, 'tree');
  mkdirSync(tree, { recursive: true });
  const debs = join(docker, 'debs');
  mkdirSync(debs);
  const fetched = join(cache, 'debs', `${image.debian}-amd64`);
  for (const { file } of pinnedPackages('amd64')) {
    // Debian may have newer ones by now.
    if (!existsSync(join(fetched, file))) return;
    copyFileSync(join(fetched, file), join(debs, file));
  }
  const steps = dockerfile().match(/^RUN (?:cd|triplet)(?:.*\\\n)*.*$/gm) ?? [];
  expect(steps).toHaveLength(2);
  for (const step of steps) {
    const script = step.replace(/^RUN /, '').replaceAll('/tree', tree).replaceAll('/image', join(docker, 'image'));
    execFileSync('sh', ['-ec', script.replaceAll('cd /debs', `cd ${debs}`)]);
  }
  const copied = new Set<string>([image.nodePath, ...SCRIPTS]);
  for (const path of [image.billPath, image.noticesPath, image.nodeLicensePath]) copied.add(path);
  const wanted = expected('amd64').filter((path) => !copied.has(path));
  expect(files(join(docker, 'image'))).toEqual(wanted);
  for (const path of wanted)
    expect([path, hash(join(docker, 'image', path))]).toEqual([path, hash(join(roots.amd64, path))]);
});

function hash(path: string): string {
  return `${createHash('sha256').update(readFileSync(path)).digest('hex')} ${(statSync(path).mode & 0o111) !== 0}`;
}

/** The DT_NEEDED entries of a 64-bit little-endian ELF file (elf(5)). */
function neededBy(path: string): string[] {
  const bytes = readFileSync(path);
  const word = (at: number) => Number(bytes.readBigUInt64LE(at));
  const sections = Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => word(40) + index * 64);
  const dynamic = sections.find((at) => bytes.readUInt32LE(at + 4) === 6);
  if (dynamic === undefined) return [];
  const strings = word((sections[bytes.readUInt32LE(dynamic + 40)] ?? 0) + 24);
  const needed = [];
  for (let at = word(dynamic + 24); word(at) !== 0; at += 16) {
    if (word(at) !== 1) continue;
    const start = strings + word(at + 8);
    needed.push(bytes.toString('latin1', start, bytes.indexOf(0, start)));
  }
  return needed;
}
