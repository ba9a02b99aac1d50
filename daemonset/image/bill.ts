import { isObject, objectsAt, parseJson } from '../../src/wire/guard.ts';
import { type Architecture, DESCRIPTION as image } from './description.ts';
import type { DebianPackage } from './packages.ts';

/**
 * What the image is made of, as a CycloneDX 1.5 document; it has no time and no serial number, so that builds are equal.
 * @param bundled the document of the npm package (dist/sbom.cdx.json): of its components the agent's bundle has some
 * @throws KsnoopError INVALID_MESSAGE when that is no JSON
 */
export function imageBill(architecture: Architecture, packages: readonly DebianPackage[], bundled: string): string {
  const document = parseJson(bundled, 'bill of the npm package');
  const components = [
    ...packages.map(({ name, version, sha256 }) => {
      const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=${image.debian}`;
      return {
        type: 'library',
        'bom-ref': purl,
        name,
        version,
        // Of the package's file; the image has a part of what is in it.
        hashes: [{ alg: 'SHA-256', content: sha256 }],
        purl,
      };
    }),
    {
      type: 'platform',
      'bom-ref': 'node',
      name: 'node',
      version: image.node,
      licenses: [{ license: { name: 'MIT' } }],
    },
    ...(isObject(document) ? objectsAt(document, 'components') : []),
  ];
  const component = { type: 'container', name: 'ksnoop-agent' };
  const bill = { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component }, components };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}
