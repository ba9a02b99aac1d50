import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { VERSION } from '../../src/wire/version.ts';
import type { BinaryPlatform } from './platforms.ts';

/** What a Debian package is made of. */
export interface DebianContent {
  /** `Name <address>`, as Debian's control file has it. */
  readonly maintainer: string;
  readonly summary: string;
  readonly description: string;
  /** The licences of what is inside the executable. */
  readonly notices: string;
  /** A directory of man pages. */
  readonly man: string;
  /** The time of all files in the package, s since 1970: equal files make an equal package. */
  readonly time: number;
}

/** The machine-readable copyright file (copyright-format 1.0); Debian has the text of the licence itself. */
const COPYRIGHT = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ksnoop
Comment: The licences of Node and of the packages inside the executable are in
 /usr/share/doc/ksnoop/THIRD_PARTY_NOTICES.gz.

Files: *
Copyright: 2026 the authors of ksnoop
License: Apache-2.0
 On Debian systems the complete text of the Apache License, Version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
`;

/** What lintian reports and cannot be otherwise: the executable is Node's own program with ksnoop inside. */
const OVERRIDES = `# Node's official program, with its own libraries; its symbols and ksnoop would not survive strip.
ksnoop: embedded-library
ksnoop: unstripped-binary-or-object
ksnoop: hardening-no-pie
`;

/**
 * A Debian package of an executable: ksnoop, kubectl-ksnoop, man pages and licences.
 * @param directory where it goes
 * @returns its path
 */
export function debianPackage(
  { architecture }: BinaryPlatform,
  program: string,
  directory: string,
  content: DebianContent,
): string {
  const root = mkdtempSync(join(tmpdir(), 'ksnoop-deb-'));
  const put = (path: string, bytes: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
  };
  try {
    chmodSync(root, 0o755);
    put('DEBIAN/control', control(architecture, statSync(program).size, content));
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    copyFileSync(program, join(root, 'usr/bin/ksnoop'));
    chmodSync(join(root, 'usr/bin/ksnoop'), 0o755);
    symlinkSync('ksnoop', join(root, 'usr/bin/kubectl-ksnoop'));
    put('usr/share/doc/ksnoop/copyright', COPYRIGHT);
    put('usr/share/doc/ksnoop/THIRD_PARTY_NOTICES.gz', compressed(readFileSync(content.notices)));
    put('usr/share/doc/ksnoop/changelog.gz', compressed(changelog(content)));
    put('usr/share/lintian/overrides/ksnoop', OVERRIDES);
    for (const page of readdirSync(content.man)) {
      put(`usr/share/man/man${page.at(-1)}/${page}.gz`, compressed(readFileSync(join(content.man, page))));
    }
    symlinkSync('ksnoop.1.gz', join(root, 'usr/share/man/man1/kubectl-ksnoop.1.gz'));
    const path = join(directory, `ksnoop_${VERSION}_${architecture}.deb`);
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', root, path], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(content.time) },
      stdio: 'pipe',
    });
    return path;
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** @param size of the executable, bytes */
function control(architecture: string, size: number, { maintainer, summary, description }: DebianContent): string {
  return [
    'Package: ksnoop',
    `Version: ${VERSION}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${Math.ceil(size / 1024)}`,
    'Depends: libc6 (>= 2.28), libstdc++6, libatomic1',
    'Suggests: wireshark, tcpdump',
    'Section: net',
    'Priority: optional',
    `Description: ${summary}`,
    ...description
      .trim()
      .split('\n')
      .map((line) => ` ${line}`),
    '',
  ].join('\n');
}

function changelog({ maintainer, time }: DebianContent): string {
  // RFC 5322, as Debian's changelogs have it: without the name of the zone.
  const date = new Date(time * 1000).toUTCString().replace('GMT', '+0000');
  return `ksnoop (${VERSION}) unstable; urgency=medium\n\n  * Version ${VERSION}.\n\n -- ${maintainer}  ${date}\n`;
}

/** As `gzip -9n`: without a name and a time. */
function compressed(content: string | Uint8Array): Buffer {
  return gzipSync(content, { level: 9 });
}
