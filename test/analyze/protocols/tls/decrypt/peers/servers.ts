import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';

/** Cipher suites of TLS 1.2, by OpenSSL's names, that a server takes at all; each connection agrees on one of them. */
const TLS12 = 'ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:@SECLEVEL=0';
const TLS13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
const GO = existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : 'go';

export interface Files {
  readonly directory: string;
  readonly certificate: string;
  readonly key: string;
}

/** Programs of a TLS server that answers any GET: what runs it on a port of the loopback. */
export const SERVERS: Readonly<Record<string, (files: Files, port: number) => string[]>> = {
  OpenSSL: ({ directory, certificate, key }, port) => {
    const served = join(directory, 'served');
    const response = `HTTP/1.0 200 OK\r\nContent-Length: 3000\r\n\r\n${'x'.repeat(3000)}`;
    mkdirSync(served, { recursive: true });
    for (const path of ['first', 'second', 'third']) writeFileSync(join(served, path), response);
    const own = ['-accept', `127.0.0.1:${port}`, '-cert', certificate, '-key', key, '-HTTP', '-quiet'];
    return [
      'env',
      '-C',
      served,
      'openssl',
      's_server',
      ...own,
      '-cipher',
      TLS12,
      '-ciphersuites',
      TLS13,
      '-verify',
      '1',
    ];
  },
  nginx: ({ directory, certificate, key }, port) => {
    const configuration = join(directory, 'nginx.conf');
    const place = `location / { return 200 "${'x'.repeat(3000)}"; }`;
    const tls = `ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ${TLS12};`;
    const more = 'ssl_early_data on; ssl_verify_client optional_no_ca;';
    writeFileSync(
      configuration,
      `daemon off; master_process off; user root; pid ${directory}/nginx.pid; error_log ${directory}/nginx.log; events {}
http { access_log off; server { listen 127.0.0.1:${port} ssl; ${tls} ${more} ${place} } }`,
    );
    return ['nginx', '-e', join(directory, 'nginx.log'), '-c', configuration];
  },
  Node: ({ certificate, key }, port) => {
    const program = `const { readFileSync } = require('node:fs');
require('node:https').createServer({ cert: readFileSync('${certificate}'), key: readFileSync('${key}'), ciphers: '${TLS13}:${TLS12}' },
  (_request, response) => response.end('x'.repeat(3000))).listen(${port}, '127.0.0.1');`;
    return [process.execPath, '-e', program];
  },
  Python: ({ certificate, key }, port) => [
    'python3',
    join(import.meta.dirname, 'serve.py'),
    ...[String(port), certificate, key, TLS12],
  ],
  Go: ({ directory, certificate, key }, port) => {
    const peer = join(directory, 'go-peer');
    const source = join(import.meta.dirname, '../../../../../run/outputs/go-peer/main.go');
    execFileSync(GO, ['build', '-o', peer, source], { env: { ...process.env, GO111MODULE: 'off', CGO_ENABLED: '0' } });
    return [peer, 'server', `127.0.0.1:${port}`, certificate, key, join(directory, 'go-keys.log')];
  },
};

/** Whether a server's program is on the machine; nginx and OpenSSL are installed for the tests. */
export const has = (name: string): boolean =>
  spawnSync({ Python: 'python3', Go: GO }[name] ?? 'true', ['-h'], { stdio: 'ignore' }).error === undefined;

/** Start a server and wait until it takes connections. */
export async function startServer(
  name: string,
  files: Files,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const port = await freePort();
  const [program = '', ...words] = SERVERS[name]?.(files, port) ?? [];
  const child = spawn(program, words, { stdio: 'ignore' });
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) break;
    if (await takes(port)) return { child, port };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`${name} does not take connections`);
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

async function takes(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const taken = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return taken;
}
