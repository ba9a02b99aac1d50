import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { codesOf, Judged } from '../../support/found-in.ts';

/** Codes found in exchanges of one kind, among others that are in order. */
function found(cases: number, more: Partial<Exchange>, others = 0): string[] {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  const protocol = more.protocol ?? 'http';
  for (let index = 0; index < others; index += 1) judged.exchange(flow, index, 1, { protocol, status: 'OK' });
  for (let index = 0; index < cases; index += 1) judged.exchange(flow, others + index, 1, { failed: true, ...more });
  return codesOf(judged.found);
}

test.each<[string, Partial<Exchange>]>([
  ['DB_REFUSES', { protocol: 'postgresql', status: '53300 too many connections' }],
  ['DB_REFUSES', { protocol: 'mysql', status: '1040 Too many connections' }],
  ['DB_REFUSES', { protocol: 'redis', status: 'ERR max number of clients reached' }],
  ['DB_LOCK_WAIT', { protocol: 'postgresql', status: '40P01 deadlock detected' }],
  ['DB_LOCK_WAIT', { protocol: 'mysql', status: '1205 Lock wait timeout exceeded' }],
  ['GRPC_EXHAUSTED', { protocol: 'grpc', status: 'RESOURCE_EXHAUSTED quota' }],
])('%s of %o: three cases, or 1 %, not fewer', (code, more) => {
  expect(found(3, more, 1000)).toEqual([code]);
  expect(found(1, more, 99)).toEqual([code]);
  expect(found(2, more, 1000)).toEqual([]);
});

test('numbers of other protocols are no errors of databases', () => {
  expect(found(3, { protocol: 'redis', status: 'ERR 40P01' })).toEqual([]);
  expect(found(3, { protocol: 'kafka', status: '1040' })).toEqual([]);
  expect(found(3, { protocol: 'postgresql', status: '42P01 relation does not exist' })).toEqual([]);
});

test('connections without a response that end after one round time', () => {
  const ended = (durations: readonly number[]) => {
    const judged = new Judged();
    for (const seconds of durations) {
      const flow = judged.flow(1, 2);
      judged.ended(flow, 0, { state: 'closed', closedBy: 'client' }, { last: seconds * 1e9, payload: 50 });
    }
    return codesOf(judged.found);
  };
  expect(ended([5, 5.04, 4.96])).toEqual(['ROUND_TIMEOUT']);
  expect(ended([5, 5.04])).toEqual([]);
  expect(ended([5, 5.06, 4.9])).toEqual([]);
  expect(ended([7, 7, 7])).toEqual([]);
});

test.each([
  [['client', 'client', 'client'], 'Clients end connections to', 'settings of the client;'],
  [['server', 'server', 'server'], 'The server ends connections to', 'settings of the server;'],
  [['client', 'server', 'client'], 'Connections to', 'settings of the client and the server;'],
] as const)('who ends connections after a round time: %j', (closed, words, next) => {
  const judged = new Judged();
  for (const closedBy of closed) {
    judged.ended(judged.flow(1, 2), 0, { state: 'closed', closedBy }, { last: 5e9, payload: 50 });
  }
  const [finding] = judged.found;
  expect(finding?.message.startsWith(words)).toBe(true);
  expect(finding?.next).toContain(next);
});

test('names with a search suffix that cannot exist, before the bare name that does', () => {
  const lookups = (rounds: number, plain = 0, isMissing = false) => {
    const judged = new Judged();
    const flow = judged.flow(1, 53, { transport: 'udp', serverPort: 53 });
    let at = 0;
    const ask = (name: string, rcode: string) => {
      at += 1;
      const fields = { dns: { name, type: 'A', rcode } };
      judged.exchange(flow, at, 0.5, { protocol: 'dns', route: 'A', status: rcode, fields });
    };
    for (let index = 0; index < rounds; index += 1) {
      for (const suffix of ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'])
        ask(`api.example.com.${suffix}`, 'NXDOMAIN');
      ask('api.example.com', isMissing ? 'NXDOMAIN' : 'NOERROR');
    }
    for (let index = 0; index < plain; index += 1) ask('web.shop.svc.cluster.local', 'NOERROR');
    return codesOf(judged.found);
  };
  expect(lookups(4)).toEqual(['DNS_SEARCH_EXPANSION']);
  expect(lookups(3)).toEqual([]);
  expect(lookups(4, 9)).toEqual([]);
  expect(lookups(4, 0, true)).toEqual(['DNS_NAME_MISSING']);
});

test('what a handshake shows: an expired certificate, one for other names, an answer that is not TLS', () => {
  const handshake = (tls: Record<string, unknown>, more: Partial<Exchange> = {}) => {
    const judged = new Judged();
    const flow = judged.flow(1, 2, { serverPort: 443 });
    judged.exchange(flow, 0, 1, { protocol: 'tls', route: 'TLS', status: '', fields: { tls: tls as never }, ...more });
    return judged.found.map(({ code, severity }) => `${code} ${severity}`);
  };
  const certificate = (notAfter: string, names: string[] = ['a.example']) => ({
    sni: 'a.example',
    notAfter,
    certificates: [{ names, notBefore: '2023-01-01T00:00:00Z' }],
  });
  // Built captures are of 2023-11-14.
  expect(handshake(certificate('2023-11-13T00:00:00Z'))).toEqual(['TLS_CERTIFICATE_EXPIRED error']);
  expect(handshake(certificate('2023-11-20T00:00:00Z'))).toEqual(['TLS_CERTIFICATE_EXPIRED warning']);
  expect(handshake(certificate('2024-11-20T00:00:00Z'))).toEqual([]);
  expect(handshake(certificate('2024-11-20T00:00:00Z', ['b.example']))).toEqual(['TLS_NAME_MISMATCH error']);
  expect(handshake(certificate('2024-11-20T00:00:00Z', ['*.example']))).toEqual([]);
  expect(handshake({ sni: 'a.example' }, { failed: true, status: 'answer is not TLS' })).toEqual([
    'TLS_PORT_MISMATCH error',
  ]);
});

test('the certificate that has expired is identified, with commands that show it', () => {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  const show = (serial: string, at: number) => {
    const certificate = { subject: 'CN=a', issuer: 'CN=ca', serial, notBefore: '2023-01-01T00:00:00Z', names: ['a'] };
    const notAfter = '2023-11-13T00:00:00Z';
    const fields = { tls: { sni: 'a', notAfter, certificates: [{ ...certificate, notAfter }] } };
    judged.exchange(flow, at, 5, { protocol: 'tls', status: 'closed after expired certificate', failed: true, fields });
  };
  show('01', 0);
  show('01', 10);
  const [found, ...others] = judged.found;
  expect(others).toEqual([]);
  expect(found?.evidence.map(({ text }) => text)).toEqual([
    'all 2 handshakes showed it: subject CN=a, issuer CN=ca, serial 01',
    'after 2 handshakes with it the client sent no data, and closed',
  ]);
  expect(found?.next).toContain('openssl s_client -connect 10.0.0.2:80 -servername a </dev/null');
  show('02', 20);
  expect(judged.found[0]?.evidence[0]?.text).toContain(
    'showed it or another that ends; the first to end has subject CN=a, issuer CN=ca, serial 01',
  );
});
