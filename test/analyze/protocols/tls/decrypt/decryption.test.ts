import { describe, expect, test } from 'vitest';
import { http1 } from '../../../../../src/analyze/protocols/http1/index.ts';
import { KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import type { AnalysisEvent, Exchange } from '../../../../../src/analyze/record/event.ts';
import { analyseBytes } from '../../../../support/analysis.ts';
import { Random } from '../../../../support/random.ts';
import { play } from '../../play.ts';
import { type Recorded, recordTls, type TlsTalk } from './recorded.ts';
import { tlsCapture } from './tls-capture.ts';

/** Requests of which each response has a length of its own. */
const TALK = Array.from({ length: 12 }, (_, index) => {
  const length = index * 977 + (index % 4 === 3 ? 40_000 : 0);
  return [
    `GET /item/${'abcdefghijkl'[index]} HTTP/1.1\r\nHost: web.shop\r\n\r\n`,
    `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`,
  ] as const;
});

const PEERS: readonly (readonly [name: string, peers: Omit<TlsTalk, 'talk'>])[] = [
  ['TLS 1.3, AES-128-GCM', { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }],
  ['TLS 1.3, AES-256-GCM', { version: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' }],
  ['TLS 1.3, ChaCha20', { version: 'TLSv1.3', ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }],
  ['TLS 1.3, AES-128-CCM', { version: 'TLSv1.3', ciphers: 'TLS_AES_128_CCM_SHA256' }],
  ['TLS 1.3 with a client certificate', { version: 'TLSv1.3', clientCertificate: true }],
  ['TLS 1.2, AES-128-GCM', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }],
  ['TLS 1.2, AES-256-GCM', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }],
  ['TLS 1.2, ChaCha20', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }],
  ['TLS 1.2, CCM-8', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM8' }],
  ['TLS 1.2, AES-128-CBC and SHA-1', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }],
  ['TLS 1.2, AES-256-CBC and SHA-384', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }],
];

const exchangesOf = (events: readonly AnalysisEvent[], protocol: string) =>
  events.filter((event): event is Exchange => event.kind === 'exchange' && event.protocol === protocol);

/** What an exchange says that does not depend on how its bytes travelled. */
const told = ({ label, status, failed, incomplete, requestBytes, responseBytes, fields }: Exchange) => ({
  label,
  status,
  failed,
  incomplete,
  requestBytes,
  responseBytes,
  http: fields.http,
});

/** Connections that a key log decrypts, wholly or in part. */
function decrypted(recorded: Recorded, keyLog = recorded.keyLog): number {
  const keys = new KeyLog();
  keys.add(keyLog);
  analyseBytes(tlsCapture(recorded.steps), true, 1 << 20, keys);
  return keys.decrypted;
}

function analysed(recorded: Recorded, keyLog = recorded.keyLog, lost?: (index: number) => boolean): AnalysisEvent[] {
  const keys = new KeyLog();
  keys.add(keyLog);
  return analyseBytes(tlsCapture(recorded.steps, lost), true, 1 << 20, keys).events.map(({ event }) => event);
}

const plain = exchangesOf(
  play(
    http1,
    TALK.flatMap(([request, response]) => [[0, request] as const, [1, response] as const]),
  ),
  'http',
);

describe.each(PEERS)('%s', (_name, peers) => {
  test('the exchanges are those of the plain text', async () => {
    const events = analysed(await recordTls({ ...peers, talk: TALK }));
    expect(exchangesOf(events, 'http').map(told)).toEqual(plain.map(told));
    expect(events.filter(({ kind }) => kind === 'event')).toEqual([]);
  });

  test('where packets are missing, what is stated whole is right', async () => {
    const recorded = await recordTls({ ...peers, talk: TALK });
    const right = new Map(plain.map((exchange) => [exchange.label, exchange]));
    let stated = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = new Random(seed);
      const events = analysed(recorded, recorded.keyLog, () => random.below(100) < 4);
      for (const exchange of exchangesOf(events, 'http')) {
        if (exchange.incomplete !== undefined) continue;
        stated += 1;
        const truth = right.get(exchange.label);
        expect([seed, exchange.status, exchange.responseBytes]).toEqual([seed, truth?.status, truth?.responseBytes]);
        expect(exchange.responseTime ?? 0).toBeGreaterThanOrEqual(exchange.requestEnd);
      }
      expect(exchangesOf(events, 'http').filter(({ failed }) => failed)).toEqual([]);
    }
    expect(stated).toBeGreaterThan(20);
  });
});

test('of TLS 1.3 the certificates and the protocol agreed on are seen as well', async () => {
  const recorded = await recordTls({ version: 'TLSv1.3', clientCertificate: true, talk: TALK.slice(0, 1) });
  const [handshake] = exchangesOf(analysed(recorded), 'tls');
  expect(handshake?.fields.tls).toMatchObject({
    certificates: expect.arrayContaining([expect.objectContaining({ names: ['web.shop'] })]),
    clientAuth: 'given',
    clientCertificates: expect.arrayContaining([expect.objectContaining({ subject: 'CN=cart' })]),
  });
});

describe('keys that do not fit', () => {
  test("another connection's secrets under this one's random decrypt nothing, and it is said once", async () => {
    const recorded = await recordTls({ version: 'TLSv1.3', talk: TALK });
    const wrong = recorded.keyLog.replaceAll(/[0-9a-f]{8}$/gm, '00000000');
    const events = analysed(recorded, wrong);
    expect(exchangesOf(events, 'http')).toEqual([]);
    expect([decrypted(recorded, wrong), decrypted(recorded)]).toEqual([0, 1]);
  });

  test('without any secrets of the connection nothing changes', async () => {
    const recorded = await recordTls({ version: 'TLSv1.3', talk: TALK });
    const other = await recordTls({ version: 'TLSv1.3', talk: TALK.slice(0, 1) });
    expect(analysed(recorded, other.keyLog)).toEqual(analysed(recorded, ''));
  });

  test('with the secrets of the data alone the handshake stays unread and the data is decrypted', async () => {
    // Else it is not known whether what cannot be read of the server, ahead of the first request, was data.
    const recorded = await recordTls({ version: 'TLSv1.3', ticketsFirst: true, talk: TALK });
    const data = recorded.keyLog.split('\n').filter((line) => line.includes('TRAFFIC_SECRET_0'));
    const events = analysed(recorded, data.join('\n'));
    expect(exchangesOf(events, 'http').map(told)).toEqual(plain.map(told));
  });

  test("with one side's secrets alone no response is invented, and none is called missing", async () => {
    const recorded = await recordTls({ version: 'TLSv1.3', talk: TALK });
    const client = recorded.keyLog.split('\n').filter((line) => line.startsWith('CLIENT_'));
    for (const exchange of exchangesOf(analysed(recorded, client.join('\n')), 'http')) {
      expect(exchange).toMatchObject({ failed: false, responseTime: undefined });
      expect(['response not captured', 'unknown', 'capture ended']).toContain(exchange.incomplete);
    }
  });
});
