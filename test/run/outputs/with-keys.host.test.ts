// Real TLS programs in a network namespace, ksnoop --local there with --keylog, and tshark at the end of its pipe.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run } from '../../agent/namespaces.ts';
import { issue, makeAuthority } from '../../support/certificates.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-pipe-keys-'));
const [certificate, key, keyLog] = ['cert.pem', 'key.pem', 'keys.log'].map((name) => join(directory, name)) as [
  string,
  string,
  string,
];
const NODE_SERVER = `
const { readFileSync } = require('node:fs');
const [cert, key] = process.argv.slice(1);
require('node:https')
  .createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_request, response) => response.end('ok'))
  .listen(7445, () => console.log('ready'));
`;
let pair: NamespacePair;
const children: ChildProcess[] = [];

beforeAll(async () => {
  pair = makePair();
  const issued = issue(makeAuthority('test'), { name: 'web.shop', hosts: ['web.shop'] });
  writeFileSync(certificate, issued.certificate);
  writeFileSync(key, issued.key);
  writeFileSync(keyLog, '');
  const inside = (...words: string[]) => pair.inside(pair.right, ...words);
  const openssl = ['openssl', 's_server', '-accept', '7443', '-cert', certificate, '-key', key, '-www'];
  children.push(await background(inside(...openssl)));
  children.push(await background(inside('node', '-e', NODE_SERVER, certificate, key)));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  pair.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** Requests to both servers, each in a connection of its own. @returns how many */
function talk(path: string, log: string | undefined): number {
  let count = 0;
  for (const port of [7443, 7445]) {
    for (const version of ['1.2', '1.3']) {
      const url = `https://${RIGHT_ADDRESS}:${port}/${path}`;
      const curl = ['curl', '-sk', '--max-time', '60', '--retry', '5', '--retry-connrefused', '-o', '/dev/null'];
      const environment = log === undefined ? [] : ['env', `SSLKEYLOGFILE=${log}`];
      run(pair.inside(pair.left, ...environment, ...curl, `--tlsv${version}`, '--tls-max', version, url));
      count += 1;
    }
  }
  return count;
}

const FIELDS = ['-Y', 'http.request', '-T', 'fields', '-e', 'http.request.uri'];

test('tshark decrypts the pipe while the capture runs, and the file after it', async () => {
  const file = join(directory, 'a.pcapng');
  const capture = ['--local', `netns/${pair.left}`, '-f', 'tcp', '--keylog', keyLog];
  const kept = new KsnoopProcess([...capture, '-w', file]);
  const pipe = join(directory, 'pipe');
  run(['mkfifo', pipe]);
  const piped = new KsnoopProcess([...capture, '-w', pipe]);
  const tshark = spawn('tshark', ['-l', '-r', pipe, ...FIELDS], { stdio: ['ignore', 'pipe', 'ignore'] });
  let shown = '';
  tshark.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString('utf8');
  });
  await Promise.all([kept.capturing(1), piped.capturing(1)]);
  let count = 0;
  for (let round = 0; round < 5; round += 1) count += talk(`shown-${round}`, keyLog);
  // While it runs: nothing is left for the end.
  await expect.poll(() => shown.split('\n').length - 1, { timeout: 120_000 }).toBe(count);
  talk('hidden', undefined);
  for (const ksnoop of [kept, piped]) ksnoop.child.kill('SIGINT');
  const [{ code, stderr }] = await Promise.all([kept.finished(), piped.finished(), once(tshark, 'close')]);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`secrets of ${count} TLS connections written; 4 connections without`);
  const own = await new KsnoopProcess(['read', file, '-o', 'json', '--where', 'protocol == "http"']).finished();
  expect(own.stdout.toString('utf8').match(/\/shown-\d/g)?.length, own.stderr).toBeGreaterThanOrEqual(count);
  const read = execFileSync('tshark', ['-r', file, ...FIELDS], { encoding: 'utf8' });
  for (const uris of [read, shown]) {
    expect(uris.trim().split('\n')).toHaveLength(count);
    expect(uris).not.toContain('hidden');
  }
}, 600_000);
