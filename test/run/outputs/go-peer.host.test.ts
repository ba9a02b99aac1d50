// Go's crypto/tls with a KeyLogWriter, in network namespaces: ksnoop --local decrypts what it shows, and tshark what ksnoop wrote.
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run } from '../../agent/namespaces.ts';
import { issue, makeAuthority } from '../../support/certificates.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';

const INSTALLED = '/usr/local/go/bin/go';
const go = existsSync(INSTALLED) ? INSTALLED : 'go';
const canBuild = spawnSync(go, ['version']).status === 0;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-go-peer-'));
const inDirectory = (name: string) => join(directory, name);
const peer = inDirectory('go-peer');
const keyLog = inDirectory('keys.log');
let pair: NamespacePair | undefined;
let server: ChildProcess | undefined;

beforeAll(async () => {
  if (!canBuild) return;
  execFileSync(go, ['build', '-o', peer, join(import.meta.dirname, 'go-peer/main.go')], {
    env: { ...process.env, GO111MODULE: 'off', CGO_ENABLED: '0' },
  });
  const issued = issue(makeAuthority('test'), { name: 'web.shop', hosts: ['web.shop'] });
  writeFileSync(inDirectory('cert.pem'), issued.certificate);
  writeFileSync(inDirectory('key.pem'), issued.key);
  pair = makePair();
  const files = [inDirectory('cert.pem'), inDirectory('key.pem'), keyLog];
  server = await background(pair.inside(pair.right, peer, 'server', ':8443', ...files));
}, 600_000);
afterAll(() => {
  server?.kill('SIGKILL');
  pair?.remove();
  rmSync(directory, { recursive: true, force: true });
});

const REQUESTS = 40;

test.skipIf(!canBuild)(
  'what Go peers say over TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2',
  async () => {
    if (pair === undefined) throw new Error('no namespaces');
    const capture = ['--local', `netns/${pair.left}`, '-f', 'tcp', '--keylog', keyLog];
    const file = inDirectory('a.pcapng');
    const written = new KsnoopProcess([...capture, '-w', file]);
    const shown = new KsnoopProcess([...capture, '-o', 'json', '--where', 'protocol.startsWith("http")']);
    await Promise.all([written.capturing(1), shown.capturing(1)]);
    run(pair.inside(pair.left, peer, 'client', `https://${RIGHT_ADDRESS}:8443`, String(REQUESTS)));
    for (const ksnoop of [written, shown]) ksnoop.child.kill('SIGINT');
    const [{ stderr }, { stdout }] = await Promise.all([written.finished(), shown.finished()]);
    expect(stderr).toContain(`secrets of ${REQUESTS} TLS connections written`);
    const wanted = Array.from({ length: REQUESTS }, (_, number) => `/${number}`).sort();
    const paths = (text: string) => [...new Set(text.match(/(?<![\w/])\/\d+(?=\b)/g))].sort();
    expect(paths(stdout.toString('utf8'))).toEqual(wanted);
    const fields = ['-Y', 'http.request || http2.headers.path', '-T', 'fields'];
    const uris = execFileSync('tshark', ['-r', file, ...fields, '-e', 'http.request.uri', '-e', 'http2.headers.path'], {
      encoding: 'utf8',
    });
    expect(paths(uris)).toEqual(wanted);
  },
  600_000,
);
