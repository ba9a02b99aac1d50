import { expect, test } from 'vitest';
import { connectionFailure, refusal } from '../../../src/capture/kube/failures.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';

const KUBE = { cluster: 'c', server: new URL('https://127.0.0.1:1'), proxy: undefined } as unknown as Kube;
const REQUEST = { method: 'GET', path: '/api' } as unknown as Parameters<typeof refusal>[1];

test.each(['<', '<script', '<script>', '<style>', '<a'])('a page of 4 MB of %s is read in linear time', (worst) => {
  const begun = process.cpuUsage();
  refusal(KUBE, REQUEST, 500, worst.repeat(4_000_000 / worst.length));
  // Quadratic time is minutes.
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(5);
});

test('a long text is cut', () => {
  const { message } = refusal(KUBE, REQUEST, 500, 'x'.repeat(9000));
  expect(/x+/i.exec(message)?.[0]).toHaveLength(500);
});

test("a proxy's page is its text", () => {
  const page = '<html><style>a { b }</style><script>x()</script><h1>Bad  Gateway</h1><p>try later</p></html>';
  expect(refusal(KUBE, REQUEST, 500, page).message).toContain('Bad Gateway try later');
});

test('a pod that the kubelet has not heard of yet, just started, is not one that does not exist', () => {
  const words = (message: string) => JSON.stringify({ kind: 'Status', status: 'Failure', message });
  const codeOf = (body: string) => refusal(KUBE, REQUEST, 404, body).code;
  expect(codeOf('pod does not exist')).toBe('API_ERROR');
  expect(codeOf(words('pod does not exist'))).toBe('API_ERROR');
  expect(codeOf(words('pods "web-1" not found'))).toBe('NOT_FOUND');
  expect(codeOf(words('pods "pod does not exist" not found'))).toBe('NOT_FOUND');
});

test.each([
  ['CERT_HAS_EXPIRED', 'CERTIFICATE_EXPIRED', 'has expired'],
  ['CERT_NOT_YET_VALID', 'CERTIFICATE_EXPIRED', 'is not valid yet'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'CERTIFICATE_UNKNOWN', 'was not issued'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'CERTIFICATE_NAME', 'is for another name'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'TLS_FAILED', 'TLS with the'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS_FAILED', 'TLS with the'],
  ['EPROTO', 'TLS_FAILED', 'TLS with the'],
  ['ECONNREFUSED', 'UNREACHABLE', ''],
  ['ENOTFOUND', 'UNREACHABLE', ''],
  ['ESOMETHING', 'UNREACHABLE', ''],
])('a connection that fails with %s is the error %s', (code, expected, words) => {
  const failed = connectionFailure(KUBE, Object.assign(new Error('the reason'), { code }));
  expect(failed.code).toBe(expected);
  expect(failed.message).toContain(words);
});
