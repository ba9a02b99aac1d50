import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from './description.ts';

/** A Debian package of the image. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** The name of its file, as apt gives it. */
  readonly file: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
}

/** The file that pins them, in the format of sha256sum(1). `node daemonset/image/pin.ts` writes it anew. */
export function pinFile(architecture: Architecture): string {
  return `packages-${architecture}.sha256`;
}

/** The packages that the image is built from, by version and digest. */
export function pinnedPackages(architecture: Architecture): DebianPackage[] {
  const lines = readFileSync(join(import.meta.dirname, pinFile(architecture)), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [sha256 = '', file = ''] = line.split('  ');
    return { ...nameAndVersion(file), file, sha256 };
  });
}

/** A package that was fetched. @param directory where its file is */
export async function fetchedPackage(directory: string, file: string): Promise<DebianPackage> {
  const sha256 = createHash('sha256')
    .update(await readFile(join(directory, file)))
    .digest('hex');
  return { ...nameAndVersion(file), file, sha256 };
}

/** `libcap2_1%3a2.66-4_amd64.deb`: apt writes the colon of an epoch so. */
function nameAndVersion(file: string): { name: string; version: string } {
  const [name = '', version = ''] = file.split('_');
  return { name, version: version.replace('%3a', ':') };
}
