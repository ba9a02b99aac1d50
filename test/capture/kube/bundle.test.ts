import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plainBuiltins, REQUIRE } from '../../../scripts/plain-builtins.ts';
import { slimClientNode } from '../../../scripts/slim-client-node.ts';
import { type ApiServer, json, startApiServer } from '../../support/api-server.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
let directory: string;
let inputs: string[];
let server: ApiServer;
let shown: (string | undefined)[];

const ENTRY = `
import { get } from ${JSON.stringify(join(root, 'src/capture/kube/api.ts'))};
import { loadKube } from ${JSON.stringify(join(root, 'src/capture/kube/config.ts'))};
const kube = await loadKube({ kubeconfig: process.argv[2] });
await get(kube, '/api/v1/pods');
console.log(process.moduleLoadList.some((name) => /deps.undici/.test(name)) ? 'undici' : 'lean');
`;

beforeAll(async () => {
  directory = mkdtempSync(join(root, 'node_modules', '.ksnoop-bundle-'));
  writeFileSync(join(directory, 'entry.ts'), ENTRY);
  const result = await build({
    entryPoints: [join(directory, 'entry.ts')],
    outfile: join(directory, 'bundle.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.19',
    metafile: true,
    banner: { js: REQUIRE },
    plugins: [slimClientNode(), plainBuiltins()],
  });
  inputs = Object.keys(result.metafile.inputs);
  server = await startApiServer({
    onRequest: (request, response) => {
      shown.push(request.headers.authorization);
      json(response, 200, {});
    },
  });
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await server.close();
});

async function bundle(kubeconfig: string): Promise<string> {
  shown = [];
  const { stdout } = await run(process.execPath, [join(directory, 'bundle.mjs'), kubeconfig]);
  return stdout.trim();
}

test('the bundle holds neither undici nor the typed API, and Node is not made to load its own', async () => {
  expect(inputs.filter((path) => /node_modules\/(undici|openid-client)|client-node\/dist\/gen/.test(path))).toEqual([]);
  expect(inputs.some((path) => path.endsWith('client-node/dist/config.js'))).toBe(true);
  expect(await bundle(server.kubeconfig())).toBe('lean');
  expect(shown).toEqual(['Bearer secret']);
});

test('the gcp provider of old kubeconfigs still runs its command', async () => {
  const config = {
    'cmd-path': 'echo',
    'cmd-args': `'{"credential":{"token":"from-gcp","expiry":"2999-01-01T00:00:00Z"}}'`,
    'token-key': '{.credential.token}',
    'expiry-key': '{.credential.expiry}',
  };
  await bundle(server.kubeconfig({ user: { 'auth-provider': { name: 'gcp', config } } }));
  expect(shown).toEqual(['Bearer from-gcp']);
});

test('a SOCKS proxy is gone through', async () => {
  let connected = 0;
  const proxy = createServer((client) => {
    client.once('data', () => {
      client.write(Buffer.of(5, 0));
      client.once('data', (request: Buffer) => {
        connected++;
        const onward = connect(request.readUInt16BE(request.length - 2), '127.0.0.1', () => {
          client.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          onward.pipe(client).pipe(onward);
        });
        for (const socket of [onward, client]) socket.on('error', () => socket.destroy());
      });
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  await bundle(server.kubeconfig({ cluster: { 'proxy-url': `socks5://127.0.0.1:${port}` } }));
  expect(connected).toBe(1);
  expect(shown).toEqual(['Bearer secret']);
  proxy.close();
});
