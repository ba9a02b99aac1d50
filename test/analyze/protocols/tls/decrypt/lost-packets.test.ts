import { describe, expect, test } from 'vitest';
import { KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { analyseBytes } from '../../../../support/analysis.ts';
import { type Recorded, recordTls, type TlsTalk } from './recorded.ts';
import { tlsCapture } from './tls-capture.ts';

/** Each response has a length of its own; two of the requests are sent at once. */
const LENGTHS: Readonly<Record<string, number>> = { '/a': 300, '/b': 5000, '/c': 17_000, '/d': 2, '/e': 40, '/f': 41 };
const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: web.shop\r\n\r\n`;
const response = (path: string) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${LENGTHS[path]}\r\n\r\n${'x'.repeat(LENGTHS[path] ?? 0)}`;
const TALK = [['/a'], ['/b'], ['/c'], ['/d', '/e'], ['/f']].map(
  (paths) => [paths.map(request).join(''), paths.map(response).join('')] as const,
);

const PEERS: readonly (readonly [name: string, peers: Omit<TlsTalk, 'talk'>])[] = [
  ['TLS 1.3', { version: 'TLSv1.3' }],
  ['TLS 1.2 with AES-GCM', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }],
  ['TLS 1.2 with ChaCha20', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }],
  ['TLS 1.2 with AES-CBC', { version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }],
];

const packetsOf = (steps: Recorded['steps']) =>
  steps.reduce((sum, [, bytes]) => sum + Math.ceil(bytes.length / 1448), 0);

/** How many exchanges are stated whole, each of which has to be right. */
function stated({ steps, keyLog }: Recorded, lost: readonly number[]): number {
  const keys = new KeyLog();
  keys.add(keyLog);
  const capture = tlsCapture(steps, (index) => lost.includes(index));
  let count = 0;
  for (const { event } of analyseBytes(capture, true, 1 << 20, keys).events) {
    if (event.kind !== 'exchange' || event.protocol !== 'http' || event.incomplete !== undefined) continue;
    const path = event.label.slice(4);
    expect([lost, path, event.status, event.responseBytes]).toEqual([lost, path, '200', response(path).length]);
    expect(event.failed).toBe(false);
    expect(event.responseTime ?? Number.NaN).toBeGreaterThanOrEqual(event.requestEnd);
    count += 1;
  }
  expect(keys.heldBytes).toBe(0);
  return count;
}

describe.each(PEERS)('%s', (_name, peers) => {
  test('each packet lost in turn, and pairs of them, give no wrong exchange', async () => {
    const recorded = await recordTls({ ...peers, talk: TALK });
    const packets = packetsOf(recorded.steps);
    expect(stated(recorded, [])).toBe(6);
    const counts = Array.from({ length: packets }, (_, index) => stated(recorded, [index]));
    // The hellos are needed; one of the other packets takes no more than some exchanges with it, but for CBC all that follow.
    const least = peers.ciphers?.endsWith('SHA') === true ? 1 : 3;
    expect(counts.filter((count) => count >= least).length).toBeGreaterThan(packets / 3);
    for (let first = 0; first < packets; first += 1) stated(recorded, [first, (first * 7 + 3) % packets]);
  });
});
