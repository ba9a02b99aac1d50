import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { bill, bundledPackages, thirdPartyNotices } from '../../scripts/third-party.ts';

const root = mkdtempSync(join(tmpdir(), 'ksnoop-third-party-'));
afterAll(() => rmSync(root, { recursive: true }));

function add(path: string, manifest: object, license?: string): void {
  const directory = join(root, 'node_modules', path);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  if (license !== undefined) writeFileSync(join(directory, 'LICENSE'), license);
}

/** One output with these inputs: path and bytes. */
function metafile(inputs: Readonly<Record<string, number>>): Metafile {
  const each = Object.entries(inputs).map(([path, bytesInOutput]) => [path, { bytesInOutput }] as const);
  const output = { bytes: 1, imports: [], exports: [], inputs: Object.fromEntries(each) };
  return { inputs: {}, outputs: { 'dist/a.mjs': output } };
}

add('ws', { name: 'ws', version: '1.2.3', license: 'MIT' }, 'ws may be copied');
add('@a/b', { name: '@a/b', version: '2.0.0', license: 'ISC' }, 'b may be copied');
add('ws/node_modules/inner', { name: 'inner', version: '3.0.0', license: 'MIT' }, 'inner may be copied');
add('unlicensed', { name: 'unlicensed', version: '1.0.0' }, 'text');
add('textless', { name: 'textless', version: '1.0.0', license: 'MIT' });

const inputs = {
  'src/cli/main.ts': 5,
  'node_modules/ws/lib/a.js': 10,
  'node_modules/ws/node_modules/inner/index.js': 1,
  'node_modules/@a/b/dist/index.js': 7,
  'node_modules/unlicensed/index.js': 0,
};

test('packages of which code is in an output are named with their licence and its text', () => {
  const packages = bundledPackages([metafile(inputs)], root);
  expect(packages.map(({ name, version }) => `${name} ${version}`)).toEqual(['@a/b 2.0.0', 'inner 3.0.0', 'ws 1.2.3']);
  const notices = thirdPartyNotices(packages);
  for (const text of ['ws 1.2.3 (MIT)', 'ws may be copied', 'b may be copied', 'inner may be copied']) {
    expect(notices).toContain(text);
  }
});

test('a package without a licence, or without its text, may not be bundled', () => {
  expect(() => bundledPackages([metafile({ 'node_modules/unlicensed/index.js': 1 })], root)).toThrow(
    'unlicensed names no license',
  );
  expect(() => bundledPackages([metafile({ 'node_modules/textless/index.js': 1 })], root)).toThrow(
    'textless has no licence file',
  );
});

test('the bill of materials is CycloneDX and the same for the same packages', () => {
  const packages = bundledPackages([metafile(inputs)], root);
  const text = bill('ksnoop', '0.1.0', packages);
  expect(JSON.parse(text)).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: 'ksnoop', version: '0.1.0' } },
    components: [
      { name: '@a/b', purl: 'pkg:npm/%40a/b@2.0.0', licenses: [{ expression: 'ISC' }] },
      { name: 'inner' },
      { name: 'ws', version: '1.2.3', purl: 'pkg:npm/ws@1.2.3' },
    ],
  });
  expect(bill('ksnoop', '0.1.0', bundledPackages([metafile(inputs)], root))).toBe(text);
});
