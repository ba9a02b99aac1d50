import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { completeObservation, type RawObserveOptions } from '../../../src/cli/install/observe-options.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-observe-options-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, 'ca.pem');
  writeFileSync(path, text);
  return path;
}

const raw: RawObserveOptions = { observe: ['svc/web'], otlp: 'http://collector:4318' };
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';

test('targets, namespaces and the further words of ksnoop observe', () => {
  expect(completeObservation({}, 'home')).toBeUndefined();
  expect(completeObservation(raw, 'home')).toMatchObject({
    targets: ['svc/web'],
    namespaces: ['home'],
    flags: ['--otlp', 'http://collector:4318'],
  });
  const all = completeObservation(
    { ...raw, allNamespaces: true, spans: 'failed', prometheusPort: '9464', otlpCa: file(CERTIFICATE) },
    'home',
  );
  expect(all).toMatchObject({ namespaces: undefined, port: 9464, ca: CERTIFICATE });
  expect(all?.flags).toEqual([
    ...['--otlp', 'http://collector:4318', '--spans', 'failed', '--prometheus-listen', '0.0.0.0:9464'],
  ]);
});

test.each<[string, RawObserveOptions, RegExp]>([
  ['flags without --observe', { otlp: 'http://c' }, /--otlp belongs to --observe/],
  ['no receiver', { observe: ['svc/web'] }, /needs a receiver/],
  ['-n and -A', { ...raw, namespace: 'a', allNamespaces: true }, /exclude each other/],
  ['an empty -n', { ...raw, namespace: ',' }, /-n takes a value/],
  ['a URL of another scheme', { ...raw, otlp: 'grpc://c:4317' }, /http or https URL/],
  ['a password', { ...raw, otlp: 'https://user:pass@c' }, /password is not installed/],
  ['an unknown signal', { ...raw, signals: 'metrics,logz' }, /not "logz"/],
  ['a time that is none', { ...raw, interval: 'soon' }, /--interval/],
  ['a port of root', { ...raw, prometheusPort: '80' }, /1024 to 65535/],
  ['the name of no Secret', { ...raw, otlpHeadersSecret: '../x' }, /name of a Secret/],
  ['no file', { ...raw, otlpCa: '/nonexistent/ca' }, /cannot be read/],
])('refused: %s', (_, options, message) => {
  expect(() => completeObservation(options, 'home')).toThrow(message);
});

test('a private key does not get into a ConfigMap, and no password into a message', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n';
  for (const text of [key, CERTIFICATE + key, 'no certificate', CERTIFICATE + ' '.repeat(600_000)]) {
    expect(() => completeObservation({ ...raw, otlpCa: file(text) }, 'home')).toThrow(/without private keys/);
  }
  let message = '';
  try {
    completeObservation({ ...raw, otlp: 'https://user:hunter2@c' }, 'home');
  } catch (thrown) {
    message = String(thrown);
  }
  expect(message).not.toContain('hunter2');
});
