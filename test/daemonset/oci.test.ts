import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ImageArchive, writeImageArchive } from '../../daemonset/image/oci.ts';

let directory: string;
let archive: ImageArchive;
const request = (layers: readonly string[], output: string) => ({
  tag: 'shop:1',
  architecture: 'arm64' as const,
  layers,
  output,
  entrypoint: ['/bin/web'],
  command: ['serve'],
  environment: { PATH: '/bin' },
  user: '7',
});

/** One layer with a program, one that is empty. */
function layers(name: string): string[] {
  const root = join(directory, name, 'root');
  mkdirSync(join(root, 'bin'), { recursive: true });
  writeFileSync(join(root, 'bin/web'), 'program');
  chmodSync(join(root, 'bin/web'), 0o700);
  symlinkSync('web', join(root, 'bin/also'));
  mkdirSync(join(directory, name, 'empty'));
  return [root, join(directory, name, 'empty')];
}

const read = (path: string) => execFileSync('tar', ['-xOf', archive.path, path]);
const blob = (digest: string) => {
  const bytes = read(`blobs/sha256/${digest.replace('sha256:', '')}`);
  expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(digest);
  return bytes;
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-oci-'));
  archive = await writeImageArchive(request(layers('a'), join(directory, 'a.tar')));
});
afterAll(() => rmSync(directory, { recursive: true }));

test('an OCI layout whose digests hold all the way down', () => {
  expect(JSON.parse(read('oci-layout').toString())).toEqual({ imageLayoutVersion: '1.0.0' });
  const [entry] = JSON.parse(read('index.json').toString()).manifests;
  expect(entry).toMatchObject({
    digest: archive.digest,
    platform: { os: 'linux', architecture: 'arm64' },
    annotations: { 'io.containerd.image.name': 'docker.io/library/shop:1' },
  });
  const manifest = JSON.parse(blob(entry.digest).toString());
  expect(manifest.layers).toHaveLength(2);
  const config = JSON.parse(blob(manifest.config.digest).toString());
  expect(config).toMatchObject({
    architecture: 'arm64',
    config: { Entrypoint: ['/bin/web'], Cmd: ['serve'], Env: ['PATH=/bin'], User: '7', WorkingDir: '/' },
  });
  const diffIds = manifest.layers.map(({ digest, size }: { digest: string; size: number }) => {
    const bytes = blob(digest);
    expect(bytes.length).toBe(size);
    return `sha256:${createHash('sha256').update(gunzipSync(bytes)).digest('hex')}`;
  });
  expect(config.rootfs.diff_ids).toEqual(diffIds);
});

test('docker, kind and minikube find manifest.json by that very name', () => {
  const names = execFileSync('tar', ['-tf', archive.path]).toString().split('\n');
  expect(names).toContain('manifest.json');
  const [{ Config, RepoTags, Layers }] = JSON.parse(read('manifest.json').toString());
  expect(RepoTags).toEqual(['shop:1']);
  for (const path of [Config, ...Layers]) expect(names).toContain(path);
});

test('files belong to root, have no age and are readable by everyone; the image root keeps its own mode', () => {
  const [{ Layers }] = JSON.parse(read('manifest.json').toString());
  const env = { ...process.env, TZ: 'UTC' };
  const listing = execFileSync('tar', ['-tvzf', '-'], { input: read(Layers[0]), env }).toString();
  expect(listing.trim().split('\n')).toEqual([
    expect.stringMatching(/^drwxr-xr-x 0\/0 .* 1970-01-01 00:00 bin\/$/),
    expect.stringMatching(/^lrwxrwxrwx 0\/0 .* 1970-01-01 00:00 bin\/also -> web$/),
    expect.stringMatching(/^-rwxr-xr-x 0\/0 .* 1970-01-01 00:00 bin\/web$/),
  ]);
});

test('the same directories give the same bytes, whenever they were made', async () => {
  const again = layers('b');
  utimesSync(join(again[0] ?? '', 'bin/web'), 1, 1);
  const other = await writeImageArchive(request(again, join(directory, 'b.tar')));
  expect(readFileSync(other.path).equals(readFileSync(archive.path))).toBe(true);
});

test('a directory that is not there is an error, and no archive is left', async () => {
  const output = join(directory, 'c.tar');
  await expect(writeImageArchive(request([join(directory, 'none')], output))).rejects.toThrow(/none/);
  expect(() => readFileSync(output)).toThrow();
});
