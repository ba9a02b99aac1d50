import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { get } from '../../../src/capture/kube/api.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { openExec } from '../../../src/capture/kube/exec.ts';
import { proxyFor } from '../../../src/capture/kube/proxy.ts';
import { type ApiServer, base64, channel, json, startApiServer } from '../../support/api-server.ts';
import { issue } from '../../support/certificates.ts';

let server: ApiServer;
/** What the server was shown, request by request. */
let shown: { authorization: string | undefined; headers: Record<string, unknown>; user: string | undefined }[];
let accepted: (authorization: string | undefined) => boolean;

beforeEach(async () => {
  shown = [];
  accepted = () => true;
  server = await startApiServer({
    onRequest: (request, response) => {
      const socket = request.socket;
      const user =
        'getPeerCertificate' in socket
          ? (socket as import('node:tls').TLSSocket).getPeerCertificate().subject?.CN
          : undefined;
      shown.push({ authorization: request.headers.authorization, headers: request.headers, user: String(user ?? '') });
      if (accepted(request.headers.authorization)) json(response, 200, { kind: 'Pod' });
      else json(response, 401, { kind: 'Status', message: 'Unauthorized' });
    },
    onExec: (socket) => {
      socket.send(channel(1, 'through'));
      socket.send(channel(3, '{"status":"Success"}'));
      socket.close(1000);
    },
  });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const PATH = '/api/v1/namespaces/shop/pods/web';

function file(name: string, content: string, mode = 0o600): string {
  const path = join(server.directory, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

test('several files: the first to say something wins, missing ones are passed over, paths are relative to their file', async () => {
  file('two/ca.crt', server.authority.certificate);
  file('two/token', 'from-file\n');
  const one = file(
    'one.yaml',
    `
contexts:
- {name: shop, context: {cluster: real, user: eve, namespace: shop}}
users:
- {name: eve, user: {token: from-one}}
`,
  );
  const two = file(
    'two/config.yaml',
    `
current-context: other
contexts:
- {name: other, context: {cluster: real, user: file}}
- {name: shop, context: {cluster: nowhere, user: eve}}
clusters:
- {name: real, cluster: {server: "${server.url}", certificate-authority: ca.crt}}
users:
- {name: eve, user: {token: from-two}}
- {name: file, user: {tokenFile: token}}
`,
  );
  vi.stubEnv('KUBECONFIG', [join(server.directory, 'missing'), one, two].join(':'));
  const current = await loadKube();
  expect(current).toMatchObject({ context: 'other', namespace: 'default', auth: 'token-file' });
  await get(current, PATH);
  const shop = await loadKube({ context: 'shop' });
  expect(shop).toMatchObject({ context: 'shop', namespace: 'shop', cluster: 'real' });
  await get(shop, PATH);
  expect(shown.map(({ authorization }) => authorization)).toEqual(['Bearer from-file', 'Bearer from-one']);
});

test('a context that does not exist names near ones', async () => {
  const kubeconfig = server.kubeconfig({ name: 'kind-shop' });
  await expect(loadKube({ kubeconfig, context: 'kind-shp' })).rejects.toMatchObject({
    code: 'CONTEXT_NOT_FOUND',
    exit: 2,
    hint: 'Did you mean kind-shop?',
  });
});

test('no kubeconfig at all, one that is missing, one that is no YAML', async () => {
  vi.stubEnv('KUBECONFIG', '/nowhere/a:/nowhere/b');
  await expect(loadKube()).rejects.toMatchObject({
    code: 'NO_KUBECONFIG',
    message: 'There is no kubeconfig: looked for /nowhere/a, /nowhere/b.',
  });
  await expect(loadKube({ kubeconfig: '/nowhere/c' })).rejects.toMatchObject({
    message: 'The kubeconfig /nowhere/c does not exist.',
  });
  await expect(loadKube({ kubeconfig: file('broken', 'a: [') })).rejects.toMatchObject({ code: 'BAD_KUBECONFIG' });
});

test('a client certificate, from data and from files', async () => {
  const issued = issue(server.authority, { name: 'alice', organization: 'devs' });
  file('alice.crt', issued.certificate);
  file('alice.key', issued.key);
  const users = [
    { 'client-certificate-data': base64(issued.certificate), 'client-key-data': base64(issued.key) },
    { 'client-certificate': 'alice.crt', 'client-key': 'alice.key' },
  ];
  for (const user of users) await get(await loadKube({ kubeconfig: server.kubeconfig({ user }) }), PATH);
  expect(shown.map(({ user }) => user)).toEqual(['alice', 'alice']);
});

test('certificates are read once for all connections; what is no key is said', async () => {
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const { agent } = await kube.options();
  expect(agent).toMatchObject({ options: { secureContext: expect.anything() } });
  const user = { 'client-certificate-data': base64('no certificate'), 'client-key-data': base64('no key') };
  await expect(get(await loadKube({ kubeconfig: server.kubeconfig({ user }) }), PATH)).rejects.toMatchObject({
    code: 'BAD_KUBECONFIG',
    message: expect.stringContaining('cannot be used'),
  });
});

test('impersonation: user, groups and uid', async () => {
  const user = { token: 't', as: 'bob', 'as-groups': ['devs', 'ops'], 'as-uid': '42' };
  await get(await loadKube({ kubeconfig: server.kubeconfig({ user }) }), PATH);
  expect(shown[0]?.headers).toMatchObject({
    'impersonate-user': 'bob',
    'impersonate-group': 'devs, ops',
    'impersonate-uid': '42',
  });
});

test('a token file that was rotated is read again when the server refuses the old token', async () => {
  const tokenFile = file('token', 'old');
  const kube = await loadKube({ kubeconfig: server.kubeconfig({ user: { tokenFile } }) });
  await get(kube, PATH);
  file('token', 'new\n');
  accepted = (authorization) => authorization === 'Bearer new';
  await get(kube, PATH);
  expect(shown.map(({ authorization }) => authorization)).toEqual(['Bearer old', 'Bearer old', 'Bearer new']);
});

const PLUGIN = (body: string) => `#!/bin/sh\n${body}\n`;

test('a credential plugin is run once, told about the cluster, and again when its token is refused', async () => {
  const script = PLUGIN(`
echo run >> "$LOG"
[ "$KUBERNETES_EXEC_INFO" != "" ] && echo "$KUBERNETES_EXEC_INFO" > "$LOG.info"
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'"$1-$(wc -l < "$LOG" | tr -d ' ')"'"}}'`);
  file('bin/login', script, 0o700);
  const log = join(server.directory, 'log');
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './bin/login',
    args: ['word with space'],
    env: [{ name: 'LOG', value: log }],
    interactiveMode: 'Never',
    provideClusterInfo: true,
  };
  const kube = await loadKube({ kubeconfig: server.kubeconfig({ user: { exec } }) });
  await Promise.all([get(kube, PATH), get(kube, PATH)]);
  accepted = (authorization) => authorization === 'Bearer word with space-2';
  await get(kube, PATH);
  expect(shown.map(({ authorization }) => authorization?.at(-1))).toEqual(['1', '1', '1', '2']);
  const told = JSON.parse(readFileSync(`${log}.info`, 'utf8'));
  expect(told.spec).toMatchObject({ interactive: false, cluster: { server: server.url } });
});

test('a credential plugin asks on the terminal it is given, and none other', async () => {
  const exec = { command: file('bin/ask', PLUGIN('echo "code: 1234" >&2; exit 1'), 0o700), interactiveMode: 'Always' };
  const kubeconfig = server.kubeconfig({ user: { exec } });
  await expect(get(await loadKube({ kubeconfig }), PATH)).rejects.toThrow(/needs a terminal/);
  const shownTexts: string[] = [];
  const pluginTerminal = { interactive: true, show: (text: string) => void shownTexts.push(text) };
  await expect(get(await loadKube({ kubeconfig, pluginTerminal }), PATH)).rejects.toThrow(/exit code 1/);
  expect(shownTexts.join('')).toBe('code: 1234\n');
});

test('a credential plugin may give a certificate', async () => {
  const { certificate, key } = issue(server.authority, { name: 'plugin-user' });
  const status = { clientCertificateData: certificate, clientKeyData: key };
  file('credential.json', JSON.stringify({ kind: 'ExecCredential', status }));
  const exec = { command: 'cat', args: [join(server.directory, 'credential.json')] };
  await get(await loadKube({ kubeconfig: server.kubeconfig({ user: { exec } }) }), PATH);
  expect(shown[0]?.user).toBe('plugin-user');
});

test('a credential plugin that is missing, fails, or says nonsense', async () => {
  const ask = async (exec: Record<string, unknown>) =>
    get(await loadKube({ kubeconfig: server.kubeconfig({ user: { exec } }) }), PATH);
  await expect(ask({ command: 'no-such-plugin', installHint: 'brew install it' })).rejects.toMatchObject({
    code: 'CREDENTIAL_PLUGIN_MISSING',
    message: `The kubeconfig's credential plugin "no-such-plugin" is not installed.`,
    hint: 'brew install it',
  });
  const failing = file('failing', PLUGIN('echo "Your session has expired: run login" >&2; exit 3'), 0o700);
  await expect(ask({ command: failing })).rejects.toMatchObject({
    code: 'CREDENTIAL_PLUGIN_FAILED',
    message: expect.stringContaining('exit code 3 and wrote: Your session has expired: run login'),
  });
  await expect(ask({ command: 'echo', args: ['hello'] })).rejects.toMatchObject({
    message: expect.stringContaining('its output is not JSON'),
  });
});

test('a proxy carries calls and exec, and its refusal is told', async () => {
  const asked: string[] = [];
  let refuse = false;
  const proxy = createServer();
  proxy.on('connect', (request, client) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
    if (refuse) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const onward = connect(server.port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(client).pipe(onward);
    });
    for (const socket of [onward, client]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  const cluster = { 'proxy-url': `http://user:pa%20ss@127.0.0.1:${port}` };
  const kube = await loadKube({ kubeconfig: server.kubeconfig({ cluster }) });
  await get(kube, PATH);
  let text = '';
  const request = { namespace: 'a', pod: 'b', container: 'c', command: ['x'], stdin: false };
  const take = (bytes: Uint8Array) => {
    text += Buffer.from(bytes).toString();
  };
  const stream = await openExec(kube, { ...request, onStdout: take, onStderr: take });
  expect(await stream.ended).toEqual({ kind: 'exited', code: 0 });
  expect(text).toBe('through');
  expect(asked[0]).toBe(`127.0.0.1:${server.port} Basic ${base64('user:pa ss')}`);
  refuse = true;
  const refused = await loadKube({ kubeconfig: server.kubeconfig({ cluster }) });
  await expect(get(refused, PATH)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: `The cluster "test" (${server.url} through the proxy http://127.0.0.1:${port}) cannot be reached: Bad response: 407.`,
  });
  proxy.close();
});

test('the environment names a proxy as it does for kubectl', () => {
  const of = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env);
  const proxy = 'http://proxy:3128';
  expect(of('https://api.example.com:6443', { HTTPS_PROXY: proxy })).toBe(proxy);
  expect(of('https://api.example.com', { https_proxy: 'proxy:3128' })).toBe(proxy);
  expect(of('http://api.example.com', { HTTPS_PROXY: proxy })).toBeUndefined();
  expect(of('https://127.0.0.1:6443', { HTTPS_PROXY: proxy })).toBeUndefined();
  for (const exception of ['*', 'example.com', '.example.com', 'api.example.com:6443', 'x, *.example.com']) {
    expect(of('https://api.example.com:6443', { HTTPS_PROXY: proxy, NO_PROXY: exception })).toBeUndefined();
  }
  for (const exception of ['ample.com', 'api.example.com:443', '10.0.0.0/8', '']) {
    expect(of('https://api.example.com:6443', { HTTPS_PROXY: proxy, NO_PROXY: exception })).toBe(proxy);
  }
  expect(of('https://10.1.2.3', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' })).toBeUndefined();
  expect(of('https://[fd00::7]', { HTTPS_PROXY: proxy, no_proxy: 'fd00::/16' })).toBeUndefined();
});

test('plain http, as kubectl proxy serves it', async () => {
  const plain = createServer((_, response) => json(response, 200, { plain: true }));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const { port } = plain.address() as AddressInfo;
  const kube = await loadKube({ kubeconfig: server.kubeconfig({ cluster: { server: `http://127.0.0.1:${port}` } }) });
  expect(await get(kube, PATH)).toEqual({ plain: true });
  kube.close();
  plain.close();
});
