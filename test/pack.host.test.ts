// What `npm pack` makes is installed into an empty directory, and runs.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrayAt, isObject, objectAt, parseJson } from '../src/wire/guard.ts';
import { VERSION } from '../src/wire/version.ts';

const root = join(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-pack-'));
const installed = join(directory, 'installed');
let files: string[];
let archive: string;

beforeAll(() => {
  const words = ['pack', '--json', '--pack-destination', directory];
  const json = execFileSync('npm', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const report = parseJson(json, 'npm pack');
  // npm 11 gives a list of packages, npm 12 an object by their names.
  const packed = Object.values(isObject(report) || Array.isArray(report) ? report : [])[0];
  if (!isObject(packed)) throw new Error('npm packed nothing');
  files = arrayAt(packed, 'files').map((file) => String(objectAt({ file }, 'file').path));
  mkdirSync(installed);
  archive = join(directory, String(packed.filename));
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', archive], {
    cwd: installed,
    stdio: 'ignore',
  });
});
afterAll(() => rmSync(directory, { recursive: true }));

const run = (name: string, args: string[], path = process.env.PATH) =>
  spawnSync(join(installed, 'node_modules/.bin', name), args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  });

test('only what runs is in it', () => {
  const allowed = [
    /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
    /^docs\/[\w-]+\.md$/,
    /^docs\/grafana\/[\w-]+\.json$/,
    /^docs\/kubernetes\/[\w-]+\.yaml$/,
    /^bin\/(ksnoop|ksnoop-agent|ksnoop-controller|kubectl_complete-ksnoop|node-version|script-cache|not-built)\.mjs$/,
    /^dist\/(ksnoop-agent|ksnoop-controller|ksnoop-edge|ksnoop-trigger)\.mjs(\.LEGAL\.txt)?$/,
    /^dist\/(ksnoop|chunks\/[\w-]+)\.script\.js(\.LEGAL\.txt)?$/,
    /^dist\/(THIRD_PARTY_NOTICES\.txt|sbom\.cdx\.json|agent-image-(amd64|arm64)\.cdx\.json)$/,
    /^dist\/man\/ksnoop(-[\w-]+)?\.[17]$/,
    /^daemonset\/(base|captures|overlays\/[\w-]+)\/\w+\.yaml$/,
    /^daemonset\/image\/(Dockerfile|packages-(amd64|arm64)\.sha256)$/,
  ];
  expect(files.filter((file) => !allowed.some((pattern) => pattern.test(file)))).toEqual([]);
  for (const pattern of allowed) expect(files.some((file) => pattern.test(file))).toBe(true);
  expect(files).toContain('dist/ksnoop-agent.mjs');
  expect(files).toContain('daemonset/base/daemonset.yaml');
  expect(files).toEqual(expect.arrayContaining(['dist/THIRD_PARTY_NOTICES.txt', 'dist/sbom.cdx.json']));
  const notices = readFileSync(join(root, 'dist/THIRD_PARTY_NOTICES.txt'), 'utf8');
  for (const name of ['ws', 'js-yaml', '@kubernetes/client-node', 'commander']) {
    expect(notices).toMatch(new RegExp(`^${name} \\d+\\.`, 'm'));
  }
});

test('its programs run, and say the version of the package', () => {
  expect(parseJson(readFileSync(join(root, 'package.json'), 'utf8'), 'package.json')).toMatchObject({
    version: VERSION,
  });
  for (const name of ['ksnoop', 'kubectl-ksnoop', 'ksnoop-agent']) {
    expect(run(name, ['--version'])).toMatchObject({ status: 0, stdout: `${VERSION}\n` });
  }
  expect(run('ksnoop', ['--help']).stdout).toMatch(/^Usage: ksnoop .*\binstall\b/s);
  // kubectl finds its plugins by their names, and its user never typed ours.
  expect(run('kubectl-ksnoop', ['--help']).stdout).toMatch(/^Usage: kubectl ksnoop /);
});

test('kubectl completes from it, and man finds its pages', () => {
  // kubectl's contract: words in, candidates and cobra's directive out.
  expect(run('kubectl_complete-ksnoop', ['read', '-o', 'js'])).toMatchObject({
    status: 0,
    stdout: 'json\njsonpath\n:4\n',
  });
  // npm takes no directory: every page is named.
  const pages = readdirSync(join(root, 'dist/man')).map((name) => `dist/man/${name}`);
  expect(parseJson(readFileSync(join(root, 'package.json'), 'utf8'), 'package.json')).toMatchObject({ man: pages });
  const prefix = join(directory, 'global');
  const words = ['install', '--global', '--prefix', prefix, '--offline', '--no-audit', '--no-fund', archive];
  execFileSync('npm', words, { stdio: 'ignore' });
  expect(existsSync(join(prefix, 'share/man/man1/ksnoop.1'))).toBe(true);
  expect(existsSync(join(prefix, 'share/man/man7/ksnoop-targets.7'))).toBe(true);
});

test('every page that README, help or another page of docs/ names is in it', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const pages = files.filter((file) => file.startsWith('docs/'));
  const links = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([\w-]+\.md)/g)].map(([, name]) => `docs/${name}`),
  );
  const help = ['outputs', 'security'].map((topic) => run('ksnoop', ['help', topic]).stdout).join('');
  const named = [...`${readme}${help}`.matchAll(/\bdocs\/[\w-]+\.md/g)].map(([page]) => page);
  expect(named).toEqual(expect.arrayContaining(['docs/analytics.md', 'docs/permissions.md']));
  expect(files).toEqual(expect.arrayContaining([...new Set([...named, ...links])]));
});

test('the agents can be installed from it: the manifests are found', () => {
  const none = join(directory, 'no-kubeconfig');
  const { status, stderr } = run('ksnoop', ['install', '--image', 'x', '--kubeconfig', none]);
  expect(stderr).toContain('does not exist');
  expect(status).toBe(2);
});

/** The files Node loads while ksnoop runs with these words. */
function loaded(...words: string[]): string {
  const hook = `data:text/javascript,const fs=process.getBuiltinModule('node:fs');const{openSync}=fs;fs.openSync=(...a)=>{process._rawDebug(a[0]);return openSync(...a)}`;
  return spawnSync(process.execPath, ['--import', hook, join(root, 'bin/ksnoop.mjs'), ...words], { encoding: 'utf8' })
    .stderr;
}

test('what talks to the cluster is loaded by those who need it, the configuration of client-node only for what it alone can do', () => {
  const holding = (text: string) => {
    // The controller is a program of its own, in one file.
    const ofClient = files.filter((file) => file.startsWith('dist/') && file !== 'dist/ksnoop-controller.mjs');
    return ofClient.filter((file) => readFileSync(join(root, file), 'utf8').includes(text));
  };
  const readers = holding('certificate-authority-data');
  const clientNode = readers.filter((file) => file.includes('client-node'));
  expect(clientNode).toHaveLength(1);
  expect(readers).toHaveLength(2);
  const objectApi = holding('KubernetesObjectApi');
  expect(objectApi).toHaveLength(1);
  for (const words of [['--version'], ['--help'], ['--local', 'netns/ksnoop-none'], ['pod/a', '--count', '0']]) {
    const seen = loaded(...words);
    expect(seen).toContain('dist/ksnoop.script.js');
    for (const file of readers) expect(seen, words.join(' ')).not.toContain(file);
  }
  const seen = loaded('pod/a', '--kubeconfig', join(directory, 'no-kubeconfig'));
  expect(readers.some((file) => seen.includes(file))).toBe(true);
  const read = loaded('read', join(root, 'test/analyze/flow/captures/both-ends-of-a-service.pcapng'), '-o', 'summary');
  const status = loaded('status', '--kubeconfig', join(directory, 'no-kubeconfig'));
  for (const file of objectApi) {
    for (const other of [seen, read]) expect(other).not.toContain(file);
    expect(status).toContain(file);
  }
});

test('a Node that is too old is told which one is needed and where this one is', ({ skip }) => {
  const others = (process.env.PATH ?? '').split(delimiter).filter((part) => !part.includes('node_modules'));
  const old = others.map((part) => join(part, 'node')).find((file) => existsSync(file) && isOld(file));
  if (old === undefined) return skip('this machine has no Node before 22.19');
  for (const name of ['ksnoop', 'ksnoop-agent']) {
    const { status, stdout, stderr } = spawnSync(old, [join(root, 'bin', `${name}.mjs`), '--version'], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/22\.19/);
    expect(stderr).toContain(old);
    expect(stderr).not.toMatch(/\n\s+at /);
  }
});

function isOld(node: string): boolean {
  const [major = 0, minor = 0] = execFileSync(node, ['--version'], { encoding: 'utf8' })
    .slice(1)
    .split('.')
    .map(Number);
  return major < 22 || (major === 22 && minor < 19);
}
