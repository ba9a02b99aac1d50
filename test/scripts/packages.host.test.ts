// What krew and dpkg get; a small program stands in for the executable, which binary.host.test.ts tests.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, expect, test } from 'vitest';
import { debianPackage } from '../../scripts/binary/debian.ts';
import { krewArchive, krewManifest } from '../../scripts/binary/packages.ts';
import { PLATFORMS } from '../../scripts/binary/platforms.ts';
import { VERSION } from '../../src/wire/version.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-packages-'));
afterAll(() => rmSync(directory, { recursive: true }));

const program = join(directory, 'program');
writeFileSync(program, '#!/bin/sh\necho this is ksnoop\n');
chmodSync(program, 0o755);
const text = (name: string, content: string) => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
mkdirSync(join(directory, 'man'));
text('man/ksnoop.1', '.TH ksnoop 1\n');
const files = {
  license: text('LICENSE', 'Apache\n'),
  notices: text('notices', 'others\n'),
};

test('the plugin manifest names an archive of each platform, its digest and its program', () => {
  const archives = PLATFORMS.map((platform) => krewArchive(platform, program, directory, files));
  const plugin = load(krewManifest(archives, 'https://example/v1'));
  expect(plugin).toMatchObject({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'ksnoop' },
    spec: { version: `v${VERSION}`, shortDescription: expect.stringMatching(/^.{1,50}[^.]$/) },
  });
  const { platforms } = Object(plugin).spec;
  expect(platforms).toHaveLength(4);
  expect(platforms[0].selector).toEqual({ matchLabels: { os: 'linux', arch: 'amd64' } });
  for (const [index, { uri, sha256, bin }] of platforms.entries()) {
    const { path } = archives[index] ?? { path: '' };
    expect(uri).toBe(`https://example/v1/${path.slice(directory.length + 1)}`);
    expect(sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
    const listed = execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).trim().split('\n');
    expect(listed.sort()).toEqual(['LICENSE', 'THIRD_PARTY_NOTICES.txt', bin].sort());
  }
  const again = krewArchive(PLATFORMS[0] as (typeof PLATFORMS)[number], program, directory, files);
  expect(again.sha256).toBe(archives[0]?.sha256);
});

test('the Debian package has the program under both names, its pages and licences', () => {
  const [linux] = PLATFORMS;
  if (linux === undefined) throw new Error('no platform');
  const content = {
    maintainer: 'A B <a@b.org>',
    summary: 'Network captures',
    description: 'Captures packets of pods.\n',
    notices: files.notices,
    man: join(directory, 'man'),
    time: 1_700_000_000,
  };
  const path = debianPackage(linux, program, directory, content);
  const control = execFileSync('dpkg-deb', ['--field', path], { encoding: 'utf8' });
  expect(control).toContain(`Version: ${VERSION}\n`);
  expect(control).toContain('Architecture: amd64\n');
  const unpacked = join(directory, 'unpacked');
  execFileSync('dpkg-deb', ['-x', path, unpacked]);
  expect(execFileSync(join(unpacked, 'usr/bin/kubectl-ksnoop'), { encoding: 'utf8' })).toBe('this is ksnoop\n');
  const share = (name: string) => join(unpacked, 'usr/share', name);
  const unzipped = (name: string) => execFileSync('gzip', ['-dc', share(name)], { encoding: 'utf8' });
  expect(readFileSync(share('doc/ksnoop/copyright'), 'utf8')).toMatch(/^License: Apache-2\.0$/m);
  expect(unzipped('doc/ksnoop/THIRD_PARTY_NOTICES.gz')).toBe('others\n');
  expect(unzipped('doc/ksnoop/changelog.gz')).toContain(' -- A B <a@b.org>  Tue, 14 Nov 2023 22:13:20 +0000\n');
  for (const page of ['ksnoop', 'kubectl-ksnoop']) expect(unzipped(`man/man1/${page}.1.gz`)).toContain('.TH');
  expect(statSync(share('doc/ksnoop/copyright')).mtimeMs).toBe(content.time * 1000);
});
