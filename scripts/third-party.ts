import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { isObject, optionalString, parseJson } from '../src/wire/guard.ts';

/** An npm package of which code is in the bundles. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  /** What its licence files say, one after the other. */
  readonly text: string;
}

/** Names under which packages carry their licence. */
const LICENSE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/**
 * The packages whose code is in an output, by name.
 * @param metafiles what esbuild reports of its builds
 * @param root the directory that the paths in it are relative to
 * @throws Error that names a package without a licence or without its text: it may not be distributed
 */
export function bundledPackages(metafiles: readonly Metafile[], root: string): BundledPackage[] {
  const directories = new Set<string>();
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const directory = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(
          path.replace(/^[a-z-]+:(?=\/|node_modules)/, ''),
        )?.[0];
        if (bytesInOutput > 0 && directory !== undefined) directories.add(directory);
      }
    }
  }
  const packages = [...directories].map((directory) => readPackage(join(root, directory)));
  return packages.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

function readPackage(directory: string): BundledPackage {
  const manifest = parseJson(readFileSync(join(directory, 'package.json'), 'utf8'), `package.json of ${directory}`);
  const fields = isObject(manifest) ? manifest : {};
  const name = optionalString(fields, 'name');
  const version = optionalString(fields, 'version');
  const license = optionalString(fields, 'license');
  if (name === undefined || version === undefined) throw new Error(`${directory} has no name or no version`);
  if (license === undefined) throw new Error(`the bundled package ${name} names no license in its package.json`);
  const files = existsSync(directory) ? readdirSync(directory).filter((file) => LICENSE_FILE.test(file)) : [];
  if (files.length === 0) throw new Error(`the bundled package ${name} has no licence file in ${directory}`);
  const text = files.sort().map((file) => readFileSync(join(directory, file), 'utf8').trim());
  return { name, version, license, text: text.join('\n\n') };
}

/** The notices that are distributed with the bundles. */
export function thirdPartyNotices(packages: readonly BundledPackage[]): string {
  const head = 'ksnoop contains code of these packages, under their licences:\n';
  const line = '-'.repeat(80);
  const parts = packages.map(
    ({ name, version, license, text }) =>
      `${line}\n${name} ${version} (${license})\n\n${text.replaceAll('\r\n', '\n')}\n`,
  );
  return [head, ...parts].join('\n');
}

/** The bundled packages as a CycloneDX 1.5 document; it has no time and no serial number, so that builds are equal. */
export function bill(name: string, version: string, packages: readonly BundledPackage[]): string {
  const components = packages.map((each) => {
    const purl = `pkg:npm/${each.name.replace('@', '%40')}@${each.version}`;
    return {
      type: 'library',
      'bom-ref': purl,
      name: each.name,
      version: each.version,
      licenses: [{ expression: each.license }],
      purl,
    };
  });
  const component = { type: 'application', name, version };
  const document = { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component }, components };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
