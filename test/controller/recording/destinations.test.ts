import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { destinationsIn } from '../../../src/controller/recording/destinations.ts';
import { makeAuthority } from '../../support/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-destinations-'));
const [definitions, keys] = [join(directory, 'definitions'), join(directory, 'keys')];
const find = destinationsIn(definitions, keys);
const GOOD = { type: 's3', endpoint: 'https://s3.example.com', bucket: 'captures', prefix: 'ksnoop/' };

beforeAll(() => {
  mkdirSync(definitions);
  mkdirSync(keys);
});
afterAll(() => rmSync(directory, { recursive: true }));

function define(definition: unknown, name = 'archive'): void {
  writeFileSync(join(definitions, name), JSON.stringify(definition));
  writeFileSync(join(keys, `${name}.accessKeyId`), 'id\n');
  writeFileSync(join(keys, `${name}.secretAccessKey`), 'secret\n');
}

test('a destination is read from its definition and its keys', () => {
  define({ ...GOOD, region: 'eu-central-1', namespaces: ['shop'] });
  expect(find('archive', 'shop')).toMatchObject({
    name: 'archive',
    prefix: 'ksnoop/',
    bucket: { name: 'captures', region: 'eu-central-1', accessKeyId: 'id', secretAccessKey: 'secret' },
  });
});

test('a claim needs no keys, and may be for some namespaces only', () => {
  writeFileSync(join(definitions, 'shared'), 'type: pvc\nclaim: recordings\nnamespaces: [shop]\n');
  expect(find('shared', 'shop')).toEqual({ name: 'shared', claim: 'recordings' });
  expect(find('shared', 'other')).toBe('The destination shared is not for namespace other.');
  // Not by the name of the claim, and not with a name that makes none of a volume.
  expect(find('recordings', 'shop')).toMatch(/has defined no destination/);
  const long = 'x'.repeat(53);
  writeFileSync(join(definitions, long), 'type: pvc\nclaim: recordings\n');
  expect(find(long, 'shop')).toContain('its name is longer than 52 characters');
});

test('the authority of an endpoint is PEM, of one certificate or several', () => {
  const ca = `${makeAuthority('s3').certificate}${makeAuthority('older').certificate}`;
  define({ ...GOOD, ca });
  expect(find('archive', 'shop')).toMatchObject({ ca });
});

test('what is not defined, or not for the namespace, is refused by its name', () => {
  define({ ...GOOD, namespaces: ['shop'] });
  expect(find('archive', 'other')).toBe('The destination archive is not for namespace other.');
  expect(find('elsewhere', 'shop')).toBe('The administrator has defined no destination elsewhere.');
  expect(find('../keys/archive.accessKeyId', 'shop')).toMatch(/has defined no destination/);
});

test.each([
  ['its type is neither s3 nor pvc', { ...GOOD, type: 'hostPath' }],
  ['its claim is no name', { type: 'pvc' }],
  ['its claim is no name', { type: 'pvc', claim: '../other' }],
  ['its claim is no name', { type: 'pvc', claim: ['shared'] }],
  ['its endpoint is no URL', { ...GOOD, endpoint: 'file:///etc/passwd' }],
  ['its endpoint has more', { ...GOOD, endpoint: 'https://user@s3.example.com/path' }],
  ['its bucket is no name', { ...GOOD, bucket: '../other' }],
  ['its prefix has other', { ...GOOD, prefix: '../other/' }],
  ['its ca has no certificates', { ...GOOD, ca: '/etc/ssl/ca.pem' }],
  ['its ca has no certificates', { ...GOOD, ca: makeAuthority('s3').certificate.replace(/[A-Za-z]{20}/, '') }],
  ['it is no mapping', ['s3']],
])('a definition is refused: %s', (why, definition) => {
  define(definition, 'bad');
  expect(find('bad', 'shop')).toContain(why);
});

test('a destination without keys is refused, and its definition is not shown', () => {
  writeFileSync(join(definitions, 'keyless'), JSON.stringify(GOOD));
  expect(find('keyless', 'shop')).toBe(
    'The definition of the destination keyless cannot be used: Secret ksnoop-destinations has no keyless.accessKeyId and keyless.secretAccessKey.',
  );
});
