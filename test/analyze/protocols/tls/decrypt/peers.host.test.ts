// TLS servers of real programs, and clients that name one cipher suite: ksnoop decrypts what tshark decrypts, and what was asked.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { type Exchange, type Fields, SIDE } from '../../../../../src/analyze/record/event.ts';
import { analyseBytes } from '../../../../support/analysis.ts';
import { issue, makeAuthority } from '../../../../support/certificates.ts';
import { Random } from '../../../../support/random.ts';
import { tsharkFields } from '../../tshark-fields.ts';
import { type Files, has, SERVERS, startServer } from './peers/servers.ts';
import { createRelay, type RecordedStep } from './recorded.ts';
import { tlsCapture } from './tls-capture.ts';

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-peers-'));
const inDirectory = (name: string) => join(directory, name);
const files: Files = { directory, certificate: inDirectory('cert.pem'), key: inDirectory('key.pem') };
const client = { certificate: inDirectory('client.pem'), key: inDirectory('client-key.pem') };

beforeAll(() => {
  const authority = makeAuthority('test');
  const server = issue(authority, { name: 'web.shop', hosts: ['web.shop'] });
  writeFileSync(files.certificate, server.certificate);
  writeFileSync(files.key, server.key);
  const own = issue(authority, { name: 'cart' });
  writeFileSync(client.certificate, own.certificate);
  writeFileSync(client.key, own.key);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What a client and a server send each other while `talk` goes on through a port of its own. */
async function recorded(server: number, talk: (port: number) => Promise<unknown>): Promise<RecordedStep[]> {
  const steps: RecordedStep[] = [];
  const relay = createRelay(() => server, steps).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  await talk((relay.address() as AddressInfo).port);
  relay.close();
  return steps;
}

function exchangesOf(capture: Uint8Array, keyLog: string, protocol = 'http'): Exchange[] {
  const keys = new KeyLog();
  keys.add(keyLog);
  return analyseBytes(capture, true, 1 << 20, keys).events.flatMap(({ event }) =>
    event.kind === 'exchange' && event.protocol === protocol ? [event] : [],
  );
}

/** What tshark finds in the same packets with the same keys. */
function byTshark(
  capture: Uint8Array,
  keyLog: string,
): { readonly paths: readonly string[]; readonly statuses: readonly string[] } {
  const [path, keys] = [inDirectory('seen.pcap'), inDirectory('seen.log')];
  writeFileSync(path, capture);
  writeFileSync(keys, keyLog);
  const fields = ['http.request.uri', 'http.response.code'];
  const rows = tsharkFields(path, 'http', fields, ['-o', `tls.keylog_file:${keys}`]) ?? [];
  const of = (at: number) => rows.flatMap((row) => (row[at] ?? '').split(',').filter((text) => text !== ''));
  return { paths: of(0), statuses: of(1) };
}

/** Names of OpenSSL and of IANA. */
const SUITES = [
  ['1.3', 'TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ['1.3', 'TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
  ['1.3', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
  ['1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  ['1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
  ['1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
  ['1.2', 'ECDHE-ECDSA-AES128-SHA', 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'],
  ['1.2', 'ECDHE-ECDSA-AES256-SHA', 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA'],
] as const;

/** Three requests of curl, over one connection where the server keeps it. */
async function curl(port: number, version: string, suite: string, keyLog: string): Promise<void> {
  const wanted = version === '1.3' ? ['--tls13-ciphers', suite] : ['--ciphers', `${suite}:@SECLEVEL=0`];
  const urls = ['first', 'second', 'third'].flatMap((path) => ['-o', '/dev/null', `https://127.0.0.1:${port}/${path}`]);
  const options = ['-sk', '--http1.1', '--max-time', '60', `--tlsv${version}`, '--tls-max', version];
  await run('curl', [...options, ...wanted, ...urls], { env: { ...process.env, SSLKEYLOGFILE: keyLog } });
}

describe.each(Object.keys(SERVERS).filter(has))('%s as the server', (name) => {
  let server: { readonly child: ChildProcess; readonly port: number } | undefined;
  beforeAll(async () => {
    server = await startServer(name, files);
  });
  afterAll(() => void server?.child.kill('SIGKILL'));
  const keeps = name !== 'OpenSSL';

  test.each(SUITES)('TLS %s with %s', async (version, suite, cipher) => {
    const keys = inDirectory(`${name}-${suite}.log`);
    writeFileSync(keys, '');
    const steps = await recorded(server?.port ?? 0, (port) => curl(port, version, suite, keys));
    const keyLog = readFileSync(keys, 'utf8');
    // s_server closes each connection: the first is looked at.
    const asked = keeps ? ['/first', '/second', '/third'] : ['/first'];
    const [connection = []] = connectionsOf(steps);
    expect(agreed(connection, keyLog, asked)).toMatchObject({ version: `TLS${version}`, cipher });
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = new Random(seed);
      const lossy = tlsCapture(connection, () => random.below(100) < 6);
      for (const { label, status, incomplete, failed } of exchangesOf(lossy, keyLog)) {
        expect(failed).toBe(false);
        if (incomplete === undefined)
          expect([seed, asked.includes(label.slice(4)), status]).toEqual([seed, true, '200']);
      }
    }
  });
});

/** The steps of each connection: one begins with its ClientHello, after the end of the one before. */
function connectionsOf(steps: readonly RecordedStep[]): readonly (readonly RecordedStep[])[] {
  const hellos = steps.flatMap(([side, bytes], index) =>
    side === SIDE.client && bytes[0] === 22 && bytes[5] === 1 ? [index] : [],
  );
  return hellos.map((begin, index) => steps.slice(begin, hellos[index + 1]));
}

/** What ksnoop and tshark find in a connection alike. */
function agreed(steps: readonly RecordedStep[], keyLog: string, asked: readonly string[]): Fields {
  const capture = tlsCapture(steps);
  const found = exchangesOf(capture, keyLog);
  expect(found.map(({ label, status, incomplete }) => [label, status, incomplete])).toEqual(
    asked.map((path) => [`GET ${path}`, '200', undefined]),
  );
  expect(byTshark(capture, keyLog)).toEqual({ paths: asked, statuses: asked.map(() => '200') });
  return exchangesOf(capture, keyLog, 'tls')[0]?.fields.tls as Fields;
}

const request = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: web.shop\r\n${more}\r\n`;
const CLOSE = 'Connection: close\r\n';

describe.skipIf(!has('Python'))('nginx, with clients that do more', () => {
  let server: { readonly child: ChildProcess; readonly port: number } | undefined;
  beforeAll(async () => {
    server = await startServer('nginx', files);
  });
  afterAll(() => void server?.child.kill('SIGKILL'));
  const record = (talk: (port: number) => Promise<unknown>) => recorded(server?.port ?? 0, talk);

  test.each(['TLSv1_2', 'TLSv1_3'])(
    "Python's %s: a client certificate, and a session that is resumed",
    async (version) => {
      const keys = inDirectory(`python-${version}.log`);
      let said = '';
      const steps = await record(async (port) => {
        const words = [String(port), keys, version, client.certificate, client.key];
        said = (await run('python3', [join(import.meta.dirname, 'peers/resume.py'), ...words])).stdout;
      });
      expect(said).toBe('False\nTrue\n');
      const keyLog = readFileSync(keys, 'utf8');
      const [first = [], second = []] = connectionsOf(steps);
      expect(agreed(first, keyLog, ['/first'])).toMatchObject({ clientAuth: 'given', resumed: false });
      expect(agreed(second, keyLog, ['/resumed'])).toMatchObject({ resumed: true });
    },
  );

  /** OpenSSL's s_client, which writes its keys to a file. */
  function sClient(port: number, keys: string, ...more: string[]) {
    const words = ['-connect', `127.0.0.1:${port}`, '-keylogfile', keys, '-tls1_3', '-servername', 'web.shop', ...more];
    const child = spawn('openssl', ['s_client', ...words], { stdio: 'pipe' });
    let shown = '';
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', (bytes: Buffer) => {
        shown += bytes.toString('latin1');
      });
    }
    child.stdin.on('error', () => {});
    const closed = once(child, 'close');
    return {
      say: (words: string) => void child.stdin.write(words),
      /** Until what it prints has this so many times. */
      shows: (words: string, times = 1) => expect.poll(() => shown.split(words).length > times).toBe(true),
      closed: async () => {
        await closed;
        return shown;
      },
    };
  }

  test("OpenSSL's s_client changes its keys, twice", async () => {
    const keys = inDirectory('update.log');
    const steps = await record(async (port) => {
      const talk = sClient(port, keys);
      await talk.shows('Verify return code');
      for (const [index, path] of ['/first', '/second'].entries()) {
        talk.say(request(path));
        await talk.shows('200 OK', index + 1);
        // K asks the server to change its keys too, k does not.
        talk.say(index === 0 ? 'K\n' : 'k\n');
        await talk.shows('KEYUPDATE', index + 1);
      }
      talk.say(request('/third', CLOSE));
      await talk.closed();
    });
    agreed(steps, readFileSync(keys, 'utf8'), ['/first', '/second', '/third']);
  });

  test("early data of OpenSSL's s_client", async () => {
    const [keys, session, early] = ['early.log', 'session.pem', 'early.txt'].map(inDirectory) as [
      string,
      string,
      string,
    ];
    writeFileSync(early, request('/early', CLOSE));
    await record(async (port) => {
      const talk = sClient(port, keys, '-sess_out', session);
      await talk.shows('Verify return code');
      talk.say(request('/first', CLOSE));
      await talk.closed();
    });
    let shown = '';
    const steps = await record(async (port) => {
      const talk = sClient(port, keys, '-sess_in', session, '-early_data', early);
      shown = await talk.closed();
    });
    expect(shown).toContain('Early data was accepted');
    const tls = agreed(steps, readFileSync(keys, 'utf8'), ['/early']);
    expect(tls).toMatchObject({ resumed: true, earlyData: true });
  });
});
