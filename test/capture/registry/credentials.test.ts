import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { dockerCredentials } from '../../../src/capture/registry/credentials.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-docker-'));
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

/** What a configuration gives for a registry. @param config text, or a value that becomes JSON */
function given(config: unknown, registry = 'registry.example'): ReturnType<typeof dockerCredentials> {
  const place = mkdtempSync(join(tmpdir(), 'ksnoop-docker-'));
  writeFileSync(join(place, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return dockerCredentials(registry, { DOCKER_CONFIG: place }).finally(() => rmSync(place, { recursive: true }));
}

const auth = Buffer.from('user:pass:word').toString('base64');

test('a user and password, with a colon in it, or an identity token', async () => {
  expect(await given({ auths: { 'registry.example': { auth } } })).toEqual({
    kind: 'password',
    user: 'user',
    password: 'pass:word',
  });
  expect(await given({ auths: { 'https://index.docker.io/v1/': { auth, identitytoken: 't' } } }, 'docker.io')).toEqual({
    kind: 'token',
    token: 't',
  });
});

test('nothing for another registry, and where there is no file', async () => {
  expect(await given({ auths: { 'other.example': { auth } } })).toBeUndefined();
  expect(await dockerCredentials('registry.example', { DOCKER_CONFIG: '/nowhere' })).toBeUndefined();
});

test.each(['{', '[]', { auths: { 'registry.example': { auth: 'bm9jb2xvbg==' } } }, { credsStore: '../evil' }])(
  '%j is refused',
  async (config) => {
    await expect(given(config)).rejects.toMatchObject({ code: 'BAD_DOCKER_CONFIG' });
  },
);

test('a credential helper is asked for the registry, and its refusal is no error', async () => {
  const place = mkdtempSync(join(tmpdir(), 'ksnoop-helper-'));
  const program = join(place, 'docker-credential-test');
  writeFileSync(
    program,
    '#!/bin/sh\nread -r server\n[ "$1" = get ] || exit 9\ncase "$server" in\nregistry.example) echo \'{"Username":"u","Secret":"s"}\';;\ntoken.example) echo \'{"Username":"<token>","Secret":"t"}\';;\nbroken.example) exit 3;;\n*) echo "credentials not found in native keychain"; exit 1;;\nesac\n',
  );
  chmodSync(program, 0o755);
  vi.stubEnv('PATH', `${place}${delimiter}${process.env.PATH}`);
  try {
    expect(await given({ credsStore: 'test' })).toEqual({ kind: 'password', user: 'u', password: 's' });
    expect(await given({ credHelpers: { 'token.example': 'test' } }, 'token.example')).toEqual({
      kind: 'token',
      token: 't',
    });
    expect(await given({ credsStore: 'test' }, 'other.example')).toBeUndefined();
    await expect(given({ credsStore: 'test' }, 'broken.example')).rejects.toMatchObject({ code: 'BAD_DOCKER_CONFIG' });
    await expect(given({ credsStore: 'missing' })).rejects.toMatchObject({ code: 'BAD_DOCKER_CONFIG' });
  } finally {
    rmSync(place, { recursive: true });
  }
});
