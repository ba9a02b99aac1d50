// TLS that the proxies of a service mesh speak with one another is named, and what they call.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KeyLog } from '../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { meshOf } from '../../../../src/analyze/protocols/tls/mesh.ts';
import { fieldsIn } from '../../../../src/analyze/record/field-values.ts';
import { findings } from '../../../../src/run/analysis/findings.ts';
import { analyseBytes } from '../../../support/analysis.ts';
import { analysed } from '../../../support/analysis-session.ts';

const captures = join(import.meta.dirname, '../../trace/captures/mesh');
const read = (name: string) => readFileSync(join(captures, name));

function handshakes(name: string, keyLog?: string) {
  const keys = new KeyLog();
  if (keyLog !== undefined) keys.add(read(keyLog).toString());
  return analyseBytes(read(name), true, 1 << 20, keys).events.flatMap(({ event }) =>
    event.kind === 'exchange' && event.protocol === 'tls' ? [event] : [],
  );
}

test.each(['http1', 'http2', 'tcp'])('%s between Envoys with Istio’s names', (name) => {
  const found = handshakes(`${name}.pcapng`);
  expect(found.length).toBeGreaterThan(0);
  for (const { label, route, fields } of found) {
    expect(label).toBe('TLS1.3 web.shop:80 Istio mTLS');
    expect(route).toBe('web.shop:80 Istio mTLS');
    expect(fieldsIn(fields.tls)).toMatchObject({
      mesh: 'Istio',
      service: 'web.shop',
      sni: 'outbound_.80_._.web.shop.svc.cluster.local',
    });
  }
});

const IDENTITIES = {
  identity: 'spiffe://cluster.local/ns/shop/sa/web',
  clientIdentity: 'spiffe://cluster.local/ns/shop/sa/client',
};

test('both identities, of TLS 1.2 and of TLS 1.3 with its keys', () => {
  for (const { fields } of handshakes('tls12.pcapng')) expect(fieldsIn(fields.tls)).toMatchObject(IDENTITIES);
  const found = handshakes('http1.pcapng', 'http1-keys.log');
  for (const { fields } of found) expect(fieldsIn(fields.tls)).toMatchObject(IDENTITIES);
  expect(found).toHaveLength(3);
  for (const { fields } of handshakes('http1.pcapng')) expect(fieldsIn(fields.tls)?.identity).toBeUndefined();
});

test.each([
  ['tls12', undefined],
  ['http1', 'http1-keys.log'],
])('%s: a certificate with a SPIFFE ID and no name of a host is for no other name', (name, keyLog) => {
  const keys = new KeyLog();
  if (keyLog !== undefined) keys.add(read(keyLog).toString());
  const { lines } = analysed(findings, read(`${name}.pcapng`), { json: true, keys });
  expect(lines.filter((line) => line.includes('TLS_'))).toEqual([]);
});

test('Istio’s names and protocols', () => {
  const name = (sni: string) => meshOf([], sni, 8080)?.called;
  expect(name('outbound_.9080_.v1_.reviews.bookinfo.svc.cluster.local')).toBe('reviews.bookinfo:9080 subset v1');
  expect(name('OUTBOUND_.443_._.api.example.com')).toBe('api.example.com:443');
  expect(name('outbound_.80_._.web.shop.svc.example.org')).toBe('web.shop:80');
  expect(meshOf(['istio-peer-exchange', 'istio'], undefined, 6379)).toMatchObject({ mesh: 'Istio', called: undefined });
});

test('Linkerd’s identities and its protocol', () => {
  expect(meshOf([], 'web.shop.serviceaccount.identity.linkerd.cluster.local', 8080)).toEqual({
    mesh: 'Linkerd',
    service: undefined,
    called: 'service account web.shop',
  });
  expect(meshOf(['transport.l5d.io/v1'], undefined, 4143)?.mesh).toBe('Linkerd');
});

test('HBONE by its port and HTTP/2 alone', () => {
  expect(meshOf(['h2'], undefined, 15_008)?.mesh).toBe('HBONE');
  expect(meshOf(['h2', 'http/1.1'], undefined, 15_008)).toBeUndefined();
  expect(meshOf([], undefined, 15_008)).toBeUndefined();
  expect(meshOf(['h2'], undefined, 443)).toBeUndefined();
});

test('nothing else is a mesh’s', () => {
  const names = [
    'istio.io',
    'outbound.example.com',
    'outbound_.80_.web.shop.svc.cluster.local',
    'outbound_.x_._.web.shop.svc.cluster.local',
    'outbound_._._.web',
    'a.outbound_.80_._.web.shop',
    'web.shop.svc.cluster.local',
    'linkerd.cluster.local',
    'serviceaccount.identity.linkerd.cluster.local',
    'web.identity.linkerd.cluster.local',
    '',
  ];
  for (const sni of names) expect(meshOf(['h2', 'http/1.1'], sni, 443), sni).toBeUndefined();
  for (const alpn of ['istiod', 'istio-', 'xistio', 'istio-http/2', 'transport.l5d.io', 'h2']) {
    expect(meshOf([alpn], undefined, 443), alpn).toBeUndefined();
  }
});
