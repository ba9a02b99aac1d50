// A registry that the test plays: tokens, uploads to another host, and what it refuses.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import type { RegistryCredentials } from '../../../src/capture/registry/credentials.ts';
import { parseReference } from '../../../src/capture/registry/reference.ts';
import { Registry } from '../../../src/capture/registry/registry.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  vi.unstubAllGlobals();
});

/** @returns its host and port */
async function played(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => answer(request, response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const PASSWORD: RegistryCredentials = { kind: 'password', user: 'u', password: 'p' };
const never = new AbortController().signal;
const at = (host: string, credentials?: RegistryCredentials) =>
  new Registry(parseReference(`${host}/team/agent:1`), credentials, never);
const DIGEST = `sha256:${'0'.repeat(64)}`;
const BLOB = new Blob(['bytes']);

test('a token is asked for with the credentials, and an upload to another host is without them', async () => {
  const seen: string[] = [];
  const storage = await played((request, response) => {
    seen.push(
      `storage ${request.method} ${request.headers.authorization ?? 'no login'} ${request.headers['content-length']}`,
    );
    response.writeHead(201).end();
  });
  const host = await played((request, response) => {
    const { method, url = '', headers } = request;
    seen.push(`${method} ${url} ${headers.authorization ?? 'no login'}`);
    if (url.startsWith('/token')) response.end('{"token":"T"}');
    else if (headers.authorization !== 'Bearer T') {
      const challenge = `Bearer realm="http://${headers.host}/token",service="s",scope="repository:team/agent:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    } else if (method === 'HEAD') response.writeHead(404).end();
    else response.writeHead(202, { location: `http://${storage}/put?x=1` }).end();
  });
  expect(await at(host, PASSWORD).putBlob(DIGEST, BLOB)).toBe(true);
  expect(seen).toEqual([
    `HEAD /v2/team/agent/blobs/${DIGEST} no login`,
    'GET /token?service=s&scope=repository%3Ateam%2Fagent%3Apull%2Cpush Basic dTpw',
    `HEAD /v2/team/agent/blobs/${DIGEST} Bearer T`,
    'POST /v2/team/agent/blobs/uploads/ Bearer T',
    'storage PUT no login 5',
  ]);
});

test('credentials are not sent without TLS to another host', async () => {
  const host = await played((_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://registry.example/token"' }).end();
  });
  await expect(at(host, PASSWORD).putBlob(DIGEST, BLOB)).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    message: expect.stringContaining('without TLS'),
  });
});

test('a login method that is not known, and an upload without an address, are named', async () => {
  const strange = await played((_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end();
  });
  await expect(at(strange, PASSWORD).putBlob(DIGEST, BLOB)).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    message: expect.stringContaining('401, It asks for a login method that ksnoop does not have.'),
  });
  const aimless = await played(({ method }, response) => {
    response.writeHead(method === 'HEAD' ? 404 : 202).end();
  });
  await expect(at(aimless).putBlob(DIGEST, BLOB)).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    message: expect.stringContaining('It gave no address for the upload.'),
  });
});

test("the registry's own words are in the error, bounded", async () => {
  const host = await played((_request, response) => {
    response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED', message: 'no push for you' }] }));
  });
  await expect(at(host).putManifest('1', Buffer.from('{}'), 'x/y')).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    message: expect.stringContaining('no push for you'),
    hint: `Log in: docker login ${host}`,
  });
  const endless = await played((_request, response) => {
    response.writeHead(500);
    response.end('x'.repeat(1_000_000));
  });
  const error = await at(endless)
    .putManifest('1', Buffer.from('{}'), 'x/y')
    .catch((thrown: unknown) => thrown);
  expect(String(error).length).toBeLessThan(500);
});

test('a registry that is not there is unreachable', async () => {
  await expect(at('127.0.0.1:1').putBlob(DIGEST, BLOB)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
});

test('credentials are not sent without TLS to the host of a registry that has it', async () => {
  const seen: string[] = [];
  vi.stubGlobal('fetch', async (url: URL) => {
    seen.push(url.href);
    return new Response(null, {
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="http://registry.example/token"' },
    });
  });
  await expect(at('registry.example', PASSWORD).putBlob(DIGEST, BLOB)).rejects.toMatchObject({
    message: expect.stringContaining('without TLS'),
  });
  expect(seen).toEqual([`https://registry.example/v2/team/agent/blobs/${DIGEST}`]);
});

test('a token that is exchanged for others is not sent on to where a redirect leads', async () => {
  const seen: string[] = [];
  const other = await played((request, response) => {
    seen.push(`other ${request.method}`);
    response.end('{"token":"T"}');
  });
  const host = await played((request, response) => {
    const { url = '', headers } = request;
    if (url.startsWith('/token')) response.writeHead(307, { location: `http://${other}/token` }).end();
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }).end();
  });
  await expect(at(host, { kind: 'token', token: 'secret' }).putBlob(DIGEST, BLOB)).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    message: expect.stringContaining('307'),
  });
  expect(seen).toEqual([]);
});

test('answers that are no JSON and no address are refused', async () => {
  const noToken = await played((request, response) => {
    const { url = '', headers } = request;
    if (url.startsWith('/token')) response.end('<html>');
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }).end();
  });
  await expect(at(noToken).putBlob(DIGEST, BLOB)).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    message: expect.stringContaining('gave no token'),
  });
  const noPlace = await played((request, response) => {
    if (request.method === 'HEAD') response.writeHead(404).end();
    else response.writeHead(202, { location: 'http://[' }).end();
  });
  await expect(at(noPlace).putBlob(DIGEST, BLOB)).rejects.toMatchObject({
    code: 'REGISTRY_REFUSED',
    message: expect.stringContaining('gave no address for the upload'),
  });
});

test("a registry's own words are bounded, as an error's messages too", async () => {
  const host = await played((_request, response) => {
    const errors = Array.from({ length: 1000 }, () => ({ message: 'no push for you' }));
    response.writeHead(403).end(JSON.stringify({ errors }));
  });
  const error = await at(host)
    .putManifest('1', Buffer.from('{}'), 'x/y')
    .catch((thrown: unknown) => thrown);
  expect(String(error).length).toBeLessThan(500);
});

test('a token that no header field can hold is none, and is in no message', async () => {
  const host = await played((request, response) => {
    const { url = '', headers } = request;
    if (url.startsWith('/token')) response.end(JSON.stringify({ token: 'hidden\nhidden' }));
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }).end();
  });
  const error = await at(host)
    .putBlob(DIGEST, BLOB)
    .catch((thrown: unknown) => thrown);
  expect(String(error)).toContain('gave no token');
  expect(String(error)).not.toContain('hidden');
});
