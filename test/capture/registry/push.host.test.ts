// `ksnoop image push` against a real registry (distribution), with a login.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeImageArchive } from '../../../daemonset/image/oci.ts';
import { dockerCredentials } from '../../../src/capture/registry/credentials.ts';
import { pushImage } from '../../../src/capture/registry/push.ts';
import { parseReference } from '../../../src/capture/registry/reference.ts';
import { messageOf } from '../../../src/wire/errors.ts';
import { ensureBuilt, program } from '../../cluster/builds.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-registry-'));
const never = new AbortController().signal;
/** bcrypt of `secret`. */
const HTPASSWD = 'ksnoop:$2a$04$USXm/MPGxMFLUwmoF5nVNeb46i2.AI5ZBWCeDAAoYIA13DSv4Gnui\n';
const ACCEPT = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
const LOGIN = `Basic ${Buffer.from('ksnoop:secret').toString('base64')}`;
let registry: ChildProcess | undefined;
let host = '';
/** Why there is no registry; undefined when there is one. */
let missing: string | undefined;

beforeAll(async () => {
  try {
    await ensureBuilt(['registry']);
  } catch (thrown) {
    missing = `the registry cannot be built here: ${messageOf(thrown)}`;
    return;
  }
  const port = await freePort();
  host = `localhost:${port}`;
  writeFileSync(join(directory, 'htpasswd'), HTPASSWD);
  writeFileSync(
    join(directory, 'config.yml'),
    JSON.stringify({
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(directory, 'data') } },
      auth: { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } },
      http: { addr: `127.0.0.1:${port}`, secret: 'test' },
    }),
  );
  registry = spawn(program('registry'), [join(directory, 'config.yml')], {
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  const deadline = Date.now() + 120_000;
  while (!(await answers())) {
    if (registry.exitCode !== null || Date.now() > deadline) throw new Error('the registry did not start');
    await sleep(50);
  }
  const docker = join(directory, 'docker');
  mkdirSync(docker);
  const auth = LOGIN.slice('Basic '.length);
  writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
});
afterAll(() => {
  registry?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function answers(): Promise<boolean> {
  return fetch(`http://${host}/v2/`).then(
    ({ status }) => status === 401,
    () => false,
  );
}

async function archive(architecture: 'amd64' | 'arm64'): Promise<string> {
  const root = join(directory, `root-${architecture}`);
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'program'), `of ${architecture} `.repeat(100_000));
  const output = join(directory, `${architecture}.tar`);
  await writeImageArchive({ tag: 'ksnoop-agent:t', architecture, layers: [root], output, entrypoint: ['/program'] });
  return output;
}

const stored = (path: string) =>
  fetch(`http://${host}/v2/team/agent/${path}`, { headers: { authorization: LOGIN, accept: ACCEPT } });

test('both architectures are one image there, every blob as it was; a second push sends nothing', async (context) => {
  if (missing !== undefined) context.skip(missing);
  const reference = parseReference(`${host}/team/agent:1.0`);
  const credentials = await dockerCredentials(reference.registry, { DOCKER_CONFIG: join(directory, 'docker') });
  const archives = [await archive('amd64'), await archive('arm64')];
  const options = { reference, archives, credentials, signal: never };
  const lines: string[] = [];
  const pushed = await pushImage(options, (line) => void lines.push(line));
  expect(pushed.platforms).toEqual(['linux/amd64', 'linux/arm64']);
  expect([pushed.sent, lines.length]).toEqual([4, 4]);
  const index = await stored('manifests/1.0');
  expect(index.headers.get('docker-content-digest')).toBe(pushed.digest);
  const { manifests } = (await index.json()) as { manifests: { digest: string; platform: object }[] };
  expect(manifests.map(({ platform }) => platform)).toEqual([
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
  ]);
  for (const { digest } of manifests) {
    const manifest = (await (await stored(`manifests/${digest}`)).json()) as {
      layers: { digest: string; size: number }[];
    };
    for (const layer of manifest.layers) {
      expect((await (await stored(`blobs/${layer.digest}`)).arrayBuffer()).byteLength).toBe(layer.size);
    }
  }
  expect((await stored(`manifests/${pushed.digest}`)).status).toBe(200);
  expect(await pushImage(options, () => {})).toEqual({ ...pushed, sent: 0 });
});

test('without credentials, or with wrong ones, it is refused and the login is named', async (context) => {
  if (missing !== undefined) context.skip(missing);
  const reference = parseReference(`${host}/team/agent:1.0`);
  const archives = [await archive('amd64')];
  for (const credentials of [undefined, { kind: 'password', user: 'ksnoop', password: 'wrong' } as const]) {
    await expect(pushImage({ reference, archives, credentials, signal: never }, () => {})).rejects.toMatchObject({
      code: 'REGISTRY_REFUSED',
      hint: `Log in: docker login ${host}`,
    });
  }
});

test('two archives of one architecture, and what is no archive, are refused before anything is sent', async () => {
  const reference = parseReference('127.0.0.1:1/agent:1');
  const options = { reference, credentials: undefined, signal: never };
  const one = await archive('amd64');
  const bad = join(directory, 'bad.tar');
  writeFileSync(bad, 'x'.repeat(2000));
  const empty = join(directory, 'empty.tar');
  writeFileSync(empty, Buffer.alloc(1024));
  expect(existsSync(one)).toBe(true);
  for (const archives of [[one, one], [bad], [empty], [join(directory, 'none.tar')]]) {
    await expect(pushImage({ ...options, archives }, () => {})).rejects.toMatchObject({ code: 'BAD_IMAGE_ARCHIVE' });
  }
});
