import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/analyze/engine/capture-analysis.ts';
import { packetInfo } from '../../../src/analyze/protocols/packet-info.ts';
import { builtPcap } from '../../support/built-capture.ts';
import { Random } from '../../support/random.ts';

/** What is said of every packet of a capture. */
function infos(capture: Uint8Array, showSecrets = false): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  const analysis = new CaptureAnalysis(
    { event: () => {}, flowEnded: () => {} },
    { detail: false, showSecrets },
    { packet: (packet) => void found.push(packetInfo(packet, showSecrets)) },
  );
  analysis.push(capture);
  analysis.end();
  return found;
}

const segment = (payload: Uint8Array | string, caplen?: number) =>
  infos(
    builtPcap([
      {
        side: 0,
        sequence: 1,
        acknowledgment: 1,
        flags: 'P.',
        payload,
        at: 0,
        ...(caplen === undefined ? {} : { caplen }),
      },
    ]),
  )[0];

test.each([
  ['GET /cart HTTP/1.1\r\nHost: web\r\n\r\n', 'HTTP GET /cart HTTP/1.1'],
  ['HTTP/1.1 404 Not Found\r\n\r\n', 'HTTP HTTP/1.1 404 Not Found'],
  ['GET /a?token=hush&x=1 HTTP/1.1\r\n\r\n', 'HTTP GET /a?token=***&x=1 HTTP/1.1'],
  ['hello', undefined],
  ['', undefined],
])('%j is %s', (payload, info) => {
  expect(segment(payload)).toBe(info);
});

test('a start line that is cut says so', () => {
  expect(segment(`GET /${'a'.repeat(1000)} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP GET \/a{200,}…$/);
});

test.each([
  ['dns.pcap', [/^DNS query 0x[0-9a-f]{4} [A-Z]+ \S+/, /^DNS response 0x[0-9a-f]{4} A \S+ NOERROR A \d+\.\d+/]],
  ['tls.pcap', [/^TLS ClientHello \S+$/, /^TLS ServerHello TLS1\.[23]$/, /^TLS application data$/]],
])('the packets of %s are named', (name, forms) => {
  const found = infos(readFileSync(join(import.meta.dirname, 'captures', name)));
  for (const form of forms) expect(found.filter((info) => info !== undefined && form.test(info))).not.toEqual([]);
});

test('any bytes are taken', () => {
  const random = new Random(3);
  for (let n = 0; n < 2000; n += 1) {
    const begin = [22, 3, 3, random.below(2), random.below(60), 1 + random.below(2)];
    const payload = Uint8Array.from([
      ...(n % 2 === 0 ? begin : []),
      ...Array.from({ length: 80 }, () => random.below(256)),
    ]);
    expect(() => segment(payload, 54 + random.below(payload.length))).not.toThrow();
  }
});
