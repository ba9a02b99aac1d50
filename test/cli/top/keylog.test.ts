import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CaptureFileSource } from '../../../src/cli/top/file-source.ts';
import { Top } from '../../../src/cli/top/model.ts';
import { recordTls } from '../../analyze/protocols/tls/decrypt/recorded.ts';
import { tlsCapture } from '../../analyze/protocols/tls/decrypt/tls-capture.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-top-keylog-'));
const capture = join(directory, 'a.pcap');
const keyLog = join(directory, 'keys.log');
const REQUEST = 'GET /cart HTTP/1.1\r\nHost: web.shop\r\n\r\n';
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

beforeAll(async () => {
  const recorded = await recordTls({ version: 'TLSv1.3', talk: [[REQUEST, RESPONSE]] });
  writeFileSync(capture, tlsCapture(recorded.steps));
  writeFileSync(keyLog, recorded.keyLog);
});

afterAll(() => rmSync(directory, { recursive: true }));

/** The routes of HTTP that the screen has. */
function shownRoutes(model: Top): string[] {
  model.refresh();
  return model.report?.routes.filter(({ protocol }) => protocol.startsWith('http')).map(({ route }) => route) ?? [];
}

test('a file is decrypted with its keys, also when it is read again', async () => {
  const options = { filter: undefined, showSecrets: false };
  const plain = new CaptureFileSource(capture, { ...options, keyLog: undefined });
  const without = new Top(plain);
  await plain.read(without, undefined);
  expect(shownRoutes(without)).toEqual([]);
  const source = new CaptureFileSource(capture, { ...options, keyLog });
  const model = new Top(source);
  await source.read(model, undefined);
  expect(shownRoutes(model)).toEqual(['GET /cart']);
  await source.read(model, 0);
  expect(shownRoutes(model)).toEqual([]);
  await source.read(model, undefined);
  expect(shownRoutes(model)).toEqual(['GET /cart']);
});

test('a key log that cannot be read is an error', async () => {
  const options = { filter: undefined, showSecrets: false, keyLog: join(directory, 'none.log') };
  const source = new CaptureFileSource(capture, options);
  await expect(source.read(new Top(source), undefined)).rejects.toMatchObject({ code: 'NO_FILE' });
});
