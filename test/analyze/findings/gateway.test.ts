import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { KeyLog } from '../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { findings } from '../../../src/run/analysis/findings.ts';
import { plainSettings } from '../../support/analysis-session.ts';
import { Judged } from '../../support/found-in.ts';

const FAILED: Partial<Exchange> = { status: '503', failed: true };

/** A gateway (10.0.0.2) that answers with 503, and what it got from its backend (10.0.0.3) meanwhile. */
function answered(count: number, upstream?: Partial<Exchange> | 'refused', beforeMs = 2) {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  const behind = judged.flow(2, 3);
  for (let index = 0; index < count; index += 1) {
    const at = index * 1000;
    const time = (at + beforeMs) * 1e6;
    if (upstream === 'refused') {
      const base = { kind: 'event', protocol: 'tcp', code: 'TCP_REFUSED', from: 1, failed: true, fields: {} } as const;
      judged.event({ ...base, label: 'connection refused', time }, behind);
    } else if (upstream !== undefined) judged.exchange(behind, at + beforeMs, 5, upstream);
    judged.exchange(flow, at, 20, FAILED);
  }
  return judged.found.filter(({ code }) => code === 'GATEWAY_ERROR');
}

test('what a gateway only passes on is a finding of the server behind it', () => {
  expect(answered(3, FAILED)).toMatchObject([{ subject: '10.0.0.3:80', confidence: 'likely', cases: 3 }]);
});

test('a gateway whose backend refuses or breaks off is said with that', () => {
  const [refused] = answered(3, 'refused');
  expect(refused).toMatchObject({ subject: '10.0.0.2:80', confidence: 'proven' });
  expect(refused?.message).toContain('because its own requests fail (connection refused from 10.0.0.3:80)');
  const [reset] = answered(3, {
    incomplete: 'reset',
    failed: true,
    status: '',
    responseTime: undefined,
    responseEnd: undefined,
  });
  expect(reset?.message).toContain('(reset from 10.0.0.3:80)');
});

test('other requests that failed are counted while all of them are kept', () => {
  const seen = (routes: number) => {
    const judged = new Judged();
    const flow = judged.flow(1, 2);
    for (let index = 0; index < routes; index += 1)
      judged.exchange(flow, index * 1000, 20, { ...FAILED, route: `GET /${index}` });
    return judged.found.find(({ code }) => code === 'GATEWAY_ERROR')?.evidence[0]?.text;
  };
  expect(seen(5)).toBe('GET /0 503 and 4 other requests');
  expect(seen(9)).toBe('GET /0 503 and other requests');
});

test('a cause of some of the errors is not the cause', () => {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  const behind = judged.flow(2, 3);
  for (let index = 0; index < 4; index += 1) {
    if (index % 2 === 0) judged.exchange(behind, index * 1000 + 2, 5, { incomplete: 'reset', status: '' });
    judged.exchange(flow, index * 1000, 20, FAILED);
  }
  const [found] = judged.found.filter(({ code }) => code === 'GATEWAY_ERROR');
  expect(found).toMatchObject({ confidence: 'likely', cases: 4 });
});

test('what failed before the request, and success, explain nothing', () => {
  expect(
    answered(3, FAILED, -500)
      .map(({ subject }) => subject)
      .sort(),
  ).toEqual(['10.0.0.2:80', '10.0.0.3:80']);
  const [alone] = answered(3, { status: '200' });
  expect(alone).toMatchObject({ subject: '10.0.0.2:80', confidence: 'likely' });
  expect(alone?.message).toBe('10.0.0.2:80 answers with 502, 503 or 504: all 3 requests.');
});

const UNUSED: Partial<Exchange> = {
  protocol: 'tls',
  failed: true,
  status: 'closed after expired certificate',
  fields: { tls: { sni: 'c' } },
};

/** A gateway whose connections end after the certificate; that is known only when it has answered. @param used handshakes after which data came */
function closed(used: number, more: Partial<Exchange> = {}) {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  for (let index = 0; index < 3; index += 1) {
    judged.exchange(flow, index * 1000, 20, FAILED);
    judged.exchange(judged.flow(2, 3), index * 1000 + 2, 5, { ...UNUSED, ...more });
  }
  for (let index = 0; index < used; index += 1)
    judged.exchange(judged.flow(2, 3), 5000 + index, 5, { ...UNUSED, failed: false, status: 'TLS1.2' });
  return judged.found.find(({ code }) => code === 'GATEWAY_ERROR');
}

test('a gateway that closes its connections after a certificate is said with that', () => {
  expect(closed(0)).toMatchObject({
    confidence: 'likely',
    message:
      "10.0.0.2:80 answers with 502, 503 or 504 because its own requests fail (it closes its connections to 10.0.0.3:80 after the server's certificate, which has expired): all 3 requests.",
    next: 'Look at the certificate of the server behind it: 10.0.0.3:80.',
  });
  expect(closed(2, { status: 'closed after certificate for another name' })?.message).toContain(
    'which is for another name',
  );
});

test('a certificate with which most connections carry data is no cause', () => {
  expect(closed(3)?.message).toBe('10.0.0.2:80 answers with 502, 503 or 504: all 3 requests.');
});

test.each([
  ['connect', { connect: { host: 'pay.example.com', port: 80 } }],
  ['socks', { socks: { version: 5, host: 'pay.example.com', port: 80 } }],
])('in a tunnel (%s) the far end answers, not the proxy', (_, fields) => {
  const judged = new Judged();
  const flow = judged.flow(1, 2);
  for (let index = 0; index < 3; index += 1) judged.exchange(flow, index * 1000, 20, { ...FAILED, fields });
  const found = judged.found.filter(({ code }) => code === 'GATEWAY_ERROR');
  expect(found).toMatchObject([{ subject: 'pay.example.com:80 through 10.0.0.2:80', cases: 3, attempts: 3 }]);
});

const GONE = readFileSync(join(import.meta.dirname, '../trace/captures/mesh/gone.pcapng'));
const NAMES = {
  '10.96.0.7': ['web.shop'],
  '10.244.1.6': ['shop/web-1', 'web.shop'],
  '10.244.1.9': ['shop/client-1'],
};

test.each([
  ['without keys', undefined],
  ['with the keys of mTLS', 'gone-keys.log'],
])('a program that answers 503 behind two sidecars is reported once, and no sidecar is (%s)', (_, keyLog) => {
  const keys = new KeyLog();
  if (keyLog !== undefined) keys.add(readFileSync(join(import.meta.dirname, '../trace/captures/mesh', keyLog), 'utf8'));
  const lines: string[] = [];
  const session = new AnalysisSession(
    findings,
    plainSettings({ json: true, keys, line: (line) => void lines.push(line) }),
  );
  session.addNames(Object.entries(NAMES).map(([address, names]) => ({ address, names })));
  session.push(GONE);
  session.end();
  const [report] = lines.map((line) => JSON.parse(line) as { findings: { code: string; message: string }[] });
  expect(report?.findings.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'GATEWAY_ERROR web.shop behind its sidecar answers with 502, 503 or 504: all 5 requests.',
  ]);
});
