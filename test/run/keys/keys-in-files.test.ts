import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatNamed } from '../../../src/run/convert/index.ts';
import { readKeyLog } from '../../../src/run/keys/read-key-log.ts';
import { convert } from '../../../src/run/reading/convert.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { recordTls } from '../../analyze/protocols/tls/decrypt/recorded.ts';
import { tlsCapture } from '../../analyze/protocols/tls/decrypt/tls-capture.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-keys-'));
const [capture, keyLog, written] = ['tls.pcap', 'keys.log', 'new.pcapng'].map((name) => join(directory, name)) as [
  string,
  string,
  string,
];
let other = '';

beforeAll(async () => {
  const talk = ['/a', '/b'].map(
    (path) =>
      [`GET ${path} HTTP/1.1\r\nHost: web.shop\r\n\r\n`, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'] as const,
  );
  const recorded = await recordTls({ version: 'TLSv1.3', talk });
  writeFileSync(capture, tlsCapture(recorded.steps));
  other = (await recordTls({ version: 'TLSv1.3', talk: [] })).keyLog;
  writeFileSync(keyLog, `# comment\n${other}${recorded.keyLog}`);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function write(from: string, to: string, options: { readonly keyLog?: string; readonly withoutKeys?: boolean }) {
  const format = formatNamed('pcapng');
  if (format === undefined) throw new Error('no pcapng');
  const reading = { paths: [from], follow: false, filter: undefined, from: undefined, to: undefined, where: undefined };
  await convert(
    { ...reading, showSecrets: false, keyLog: options.keyLog },
    { format, target: { kind: 'file', path: to }, snaplen: 262_144, force: true, withoutKeys: options.withoutKeys },
    new AbortController().signal,
    {},
  );
}

/** Lines of secrets in a file, and how many packets came before each block. */
function secretsIn(path: string): { readonly lines: string; readonly before: readonly number[] } {
  let packets = 0;
  let lines = '';
  const before: number[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: () => {
      packets += 1;
    },
    secrets: (text) => {
      lines += text;
      before.push(packets);
    },
  });
  framer.push(readFileSync(path));
  return { lines, before };
}

test('the secrets of the captured connections alone stand before the packets, and tshark decrypts with them', async () => {
  await write(capture, written, { keyLog });
  const { lines, before } = secretsIn(written);
  expect(before).toEqual([0]);
  expect(lines.split('\n').filter((line) => line !== '')).toHaveLength(4);
  const stranger = other.split(' ')[1] ?? '';
  expect(lines).not.toContain(stranger);
  expect(lines).not.toContain('EXPORTER');
  const uris = execFileSync('tshark', ['-r', written, '-Y', 'http.request', '-T', 'fields', '-e', 'http.request.uri'], {
    encoding: 'utf8',
  });
  expect(uris.trim().split('\n')).toEqual(['/a', '/b']);
});

test('--no-keys leaves them out', async () => {
  await write(capture, written, { keyLog });
  const without = join(directory, 'without.pcapng');
  await write(written, without, { withoutKeys: true });
  expect(secretsIn(without)).toEqual({ lines: '', before: [] });
  await write(written, without, {});
  expect(secretsIn(without)).toEqual(secretsIn(written));
});

test('a file without secrets, and one that is not there, are named', async () => {
  await expect(readKeyLog(capture)).rejects.toMatchObject({ code: 'NO_KEYS' });
  await expect(readKeyLog(join(directory, 'none'))).rejects.toMatchObject({ code: 'CANNOT_READ' });
});
