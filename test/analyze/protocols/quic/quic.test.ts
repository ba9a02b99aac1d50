import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { DatagramContext } from '../../../../src/analyze/protocols/protocol.ts';
import { quic } from '../../../../src/analyze/protocols/quic/index.ts';
import { initialKeys, openInitial } from '../../../../src/analyze/protocols/quic/initial-keys.ts';
import { type LongHeader, readLongHeader } from '../../../../src/analyze/protocols/quic/long-header.ts';
import { VarintReader } from '../../../../src/analyze/protocols/quic/varint.ts';
import { type QuicVersion, quicVersion } from '../../../../src/analyze/protocols/quic/versions.ts';
import type { AnalysisEvent, Side } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { Random } from '../../../support/random.ts';
import {
  RFC9001_CLIENT_INITIAL,
  RFC9001_RETRY,
  RFC9001_SERVER_INITIAL,
  RFC9369_CLIENT_INITIAL,
  RFC9369_SERVER_INITIAL,
} from './vectors.ts';

const CAPTURE = fileURLToPath(new URL('../captures/quic.pcap', import.meta.url));

type Datagram = readonly [side: Side, bytes: Uint8Array, wireLength?: number];

/** What is said of one flow's datagrams, one each millisecond. */
function talk(datagrams: readonly Datagram[], detail = true): AnalysisEvent[] {
  const events: AnalysisEvent[] = [];
  const context = {
    now: 0,
    place: 0,
    detail,
    showSecrets: false,
    emit: (_flow: number, event: AnalysisEvent) => void events.push(event),
  };
  const analyzer = quic.create(context satisfies DatagramContext);
  for (const [index, [side, bytes, wireLength]] of datagrams.entries()) {
    context.now = index * 1e6;
    analyzer.datagram(7, side, bytes, 0, bytes.length, wireLength ?? bytes.length);
  }
  analyzer.end();
  analyzer.endFlow(7);
  return events;
}

const words = (event: AnalysisEvent) =>
  event.kind === 'exchange'
    ? [event.label, event.status, ...(event.failed ? ['failed'] : []), ...(event.incomplete ? [event.incomplete] : [])]
    : [event.label];

const said = (events: readonly AnalysisEvent[]) => events.map((event) => words(event).join(' | '));

const DCID = '8394c8f03e515708';
const SHORT = Uint8Array.from([0x4f, ...new Uint8Array(40).fill(0x5a)]);

const header = (bytes: Uint8Array) => readLongHeader(bytes, 0, bytes.length) as LongHeader;
const version = (number: number) => quicVersion(number) as QuicVersion;

describe('keys and packets (RFC 9001 and 9369, appendix A)', () => {
  test.each([
    [1, '1f369613dd76d5467730efcbe3b1a22d', 'fa044b2f42a3fd3b46fb255c', '9f50449e04a0e810283a1e9933adedd2'],
    [0x6b3343cf, '8b1a0bc121284290a29e0971b5cd045d', '91f73e2351d8fa91660e909f', '45b95e15235d6f45a6b19cbcb0294ba9'],
    [0xff00001d, '175257a31eb09dea9366d8bb79ad80ba', '6b26114b9cba2b63a9e8dd4f', '9ddd12c994c0698b89374a9c077a3077'],
  ])("the client's keys of version %i", (number, key, iv, hp) => {
    const keys = initialKeys(version(number), DCID, 'client');
    expect([keys.payload.key, keys.payload.iv, keys.header.key].map((bytes) => bytes.toString('hex'))).toEqual([
      key,
      iv,
      hp,
    ]);
  });

  test.each([
    [1, RFC9001_CLIENT_INITIAL, RFC9001_SERVER_INITIAL],
    [0x6b3343cf, RFC9369_CLIENT_INITIAL, RFC9369_SERVER_INITIAL],
  ])("the client's and the server's packet of version %i", (number, client, server) => {
    const ofClient = initialKeys(version(number), DCID, 'client');
    const opened = openInitial(ofClient, client, header(client), client.length, -1);
    expect(opened?.number).toBe(2);
    expect(opened?.payload.subarray(0, 8).toString('hex')).toBe('060040f1010000ed');
    const ofServer = initialKeys(version(number), DCID, 'server');
    const answer = openInitial(ofServer, server, header(server), server.length, -1);
    expect(answer?.number).toBe(1);
    expect(answer?.payload.subarray(0, 12).toString('hex')).toBe('02000000000600405a020000');
    // Not with the other's keys, and not when a byte is another.
    expect(openInitial(ofServer, client, header(client), client.length, -1)).toBeUndefined();
    const changed = Uint8Array.from(client);
    changed[600] = (changed[600] as number) ^ 1;
    expect(openInitial(ofClient, changed, header(changed), changed.length, -1)).toBeUndefined();
    const events = talk([
      [0, client],
      [1, server],
      [0, SHORT],
    ]);
    const name = number === 1 ? '1' : '2';
    expect(said(events)).toEqual([`QUICv${name} example.com alpn | QUICv${name}`]);
    expect(events[0]).toMatchObject({ time: 0, requestEnd: 0, responseTime: 1e6, responseEnd: 2e6 });
    expect(events[0]).toMatchObject({ requestBytes: 1241, responseBytes: 135 });
    expect(events[0]?.fields).toMatchObject({
      quic: { version: name, dcid: DCID, scid: '' },
      tls: { sni: 'example.com', version: 'TLS1.3', cipher: 'TLS_AES_128_GCM_SHA256', alpn: 'alpn' },
    });
  });

  test('who says it', () => {
    const like = (bytes: Uint8Array) => quic.probe(bytes, 0, bytes.length, false);
    expect(like(RFC9001_CLIENT_INITIAL)).toBe('client');
    expect(like(RFC9369_CLIENT_INITIAL)).toBe('client');
    expect(like(RFC9001_SERVER_INITIAL)).toBe('server');
    expect(like(RFC9001_RETRY)).toBe('server');
    // What the capture cut cannot be opened.
    expect(like(RFC9001_CLIENT_INITIAL.subarray(0, 200))).toBe('client');
    expect(like(SHORT)).toBe('no');
    const changed = Uint8Array.from(RFC9001_CLIENT_INITIAL);
    changed[900] = 0;
    expect(like(changed)).toBe('no');
  });

  test('integers (RFC 9000 appendix A.1)', () => {
    const reader = (hex: string) => {
      const bytes = Buffer.from(hex, 'hex');
      return new VarintReader(bytes, 0, bytes.length);
    };
    const all = reader('c2197c5eff14e88c9d7f3e7d7bbd254025');
    expect([all.next(), all.next(), all.next(), all.next(), all.next()]).toEqual([
      Number(151288809941952652n),
      494878333,
      15293,
      37,
      37,
    ]);
    expect(all.next()).toBeNaN();
    expect(reader('9d7f3e').next()).toBeNaN();
  });
});

/** What happened at which port of quic.pcap. */
const EXPECTED: readonly (readonly [port: number, event: string, fields: object])[] = [
  [4501, 'QUICv1 web.shop h3 | QUICv1', { tls: { resumed: false } }],
  [4501, 'QUICv1 web.shop h3 | QUICv1', { tls: { resumed: true, earlyData: true } }],
  [
    4501,
    'QUICv1 web.shop smtp | no_application_protocol | failed',
    { quic: { error: 'no_application_protocol' }, tls: { alert: 'no_application_protocol' } },
  ],
  [4502, 'QUICv1 web.shop h3 | QUICv1', { tls: { helloRetry: true, cipher: 'TLS_AES_128_GCM_SHA256' } }],
  [4503, 'Retry: the client must show that it has its address', {}],
  [4503, 'Retry: the client must show that it has its address', {}],
  [4503, 'QUICv1 web.shop shop | QUICv1', { quic: { retry: true }, tls: { alpnOffered: ['shop'] } }],
  [4504, 'QUICv2 web.shop h3 | QUICv2', { quic: { version: '2' } }],
  [4501, expect.stringMatching(/^the server speaks versions 1, 0x.a.a.a.a$/) as unknown as string, {}],
  [4501, expect.stringMatching(/^the server speaks versions 1, 0x.a.a.a.a$/) as unknown as string, {}],
  [4501, 'QUICv1 web.shop h3 | QUICv1', { quic: { version: '1' } }],
  [4505, 'QUICv1 web.shop h3 | no answer | failed | no response', { tls: { version: undefined } }],
];

describe('quic-go (quic.pcap)', () => {
  test.each([true, false])('every connection, detail %s', async (detail) => {
    const { events } = await analyseFile(CAPTURE, detail);
    const found = events.filter(({ event }) => event.protocol === 'quic');
    expect(found.map(({ event, server }) => [Number(server.split(':')[1]), words(event).join(' | ')])).toEqual(
      EXPECTED.map(([port, event]) => [port, event]),
    );
    for (const [index, { event }] of found.entries()) {
      if (detail) expect(event.fields).toMatchObject(EXPECTED[index]?.[2] as object);
      if (event.kind !== 'exchange' || event.responseTime === undefined) continue;
      expect(event.requestEnd).toBeGreaterThanOrEqual(event.time);
      expect(event.responseTime).toBeGreaterThan(event.requestEnd);
      expect(event.responseEnd).toBeGreaterThanOrEqual(event.responseTime);
    }
    if (detail) return;
    const plain = { sni: 'web.shop', version: 'TLS1.3', alpn: 'h3' };
    expect(found[0]?.event.fields.tls).toEqual(plain);
  });
});

/** The datagrams of quic.pcap by client port (Ethernet, IPv4, UDP). */
function datagrams(): Map<number, Datagram[]> {
  const bytes = readFileSync(CAPTURE);
  const flows = new Map<number, Datagram[]>();
  for (let at = 24; at + 16 <= bytes.length; ) {
    const frame = bytes.subarray(at + 16, at + 16 + bytes.readUInt32LE(at + 8));
    at += 16 + frame.length;
    const [source, destination] = [frame.readUInt16BE(34), frame.readUInt16BE(36)];
    const fromServer = source >= 4501 && source <= 4505;
    const client = fromServer ? destination : source;
    flows.set(client, [...(flows.get(client) ?? []), [fromServer ? 1 : 0, frame.subarray(42)]]);
  }
  return flows;
}

describe('what is missing', () => {
  const flows = [...datagrams().values()];

  test('the answer, and the question', () => {
    expect(said(talk([[0, RFC9001_CLIENT_INITIAL]]))).toEqual([
      'QUICv1 example.com alpn | no answer | failed | no response',
    ]);
    expect(said(talk([[1, RFC9001_SERVER_INITIAL]]))).toEqual([]);
    // The server was not captured, but the client went on.
    expect(
      said(
        talk([
          [0, RFC9001_CLIENT_INITIAL],
          [0, SHORT],
        ]),
      ),
    ).toEqual(['QUICv1 example.com alpn | QUICv1 | no response']);
    expect(
      said(
        talk([
          [0, RFC9001_CLIENT_INITIAL],
          [1, RFC9001_SERVER_INITIAL],
        ]),
      ),
    ).toEqual(['QUICv1 example.com alpn | QUICv1 | no response']);
  });

  test("what the capture cut: the server's answer tells all the same", () => {
    const cut: Datagram[] = [
      [0, RFC9001_CLIENT_INITIAL.subarray(0, 200), 1200],
      [1, RFC9001_SERVER_INITIAL],
      [0, SHORT.subarray(0, 1), 41],
    ];
    expect(said(talk(cut))).toEqual(['QUICv1 (ClientHello not seen) | QUICv1 | response not captured']);
    expect(talk(cut)[0]).toMatchObject({ requestBytes: 1241 });
    expect(talk(cut.slice(0, 1))).toEqual([]);
  });

  test('datagrams, in any order, and twice', () => {
    const random = new Random(11);
    for (const flow of flows) {
      for (let run = 0; run < 40; run += 1) {
        const some = flow.flatMap((one) => (random.below(6) === 0 ? [] : random.below(6) === 0 ? [one, one] : [one]));
        const at = random.below(some.length - 1);
        const mixed = [...some.slice(0, at), ...some.slice(at, at + 2).reverse(), ...some.slice(at + 2)];
        for (const event of talk(mixed)) {
          if (event.kind === 'exchange') expect(['web.shop', '(ClientHello not seen)']).toContain(event.route);
        }
      }
    }
  });

  test('any bytes: nothing is thrown, and no name is invented', () => {
    const random = new Random(12);
    for (let run = 0; run < 600; run += 1) {
      const flow = flows[random.below(flows.length)] as Datagram[];
      const changed = flow.slice(0, 12).map(([side, bytes]): Datagram => {
        const copy = Uint8Array.from(
          bytes.subarray(0, random.below(3) === 0 ? random.below(bytes.length + 1) : bytes.length),
        );
        for (let count = random.below(4); count > 0 && copy.length > 0; count -= 1) {
          copy[random.below(Math.min(60, copy.length))] = random.below(256);
        }
        return [side, run % 20 === 0 ? copy.map(() => random.below(256)) : copy, bytes.length];
      });
      for (const [, bytes] of changed) quic.probe(bytes, 0, bytes.length, run % 2 === 0);
      for (const event of talk(changed)) {
        if (event.kind === 'exchange') expect(['web.shop', '(ClientHello not seen)']).toContain(event.route);
      }
    }
  });

  test('random datagrams are not QUIC', () => {
    const random = new Random(13);
    let liked = 0;
    for (let run = 0; run < 200_000; run += 1) {
      const bytes = Uint8Array.from({ length: 40 }, () => random.below(256));
      if (run % 2 === 0) bytes[0] = (bytes[0] as number) | 0xc0;
      const likeness = quic.probe(bytes, 0, bytes.length, true);
      if (likeness === 'client' || likeness === 'server') liked += 1;
    }
    expect(liked).toBe(0);
  });
});

describe('what it does not look at', () => {
  const changed = Uint8Array.from(RFC9001_CLIENT_INITIAL);
  changed[900] = (changed[900] as number) ^ 1;

  test('Initial packets without end: of one connection the first few are decrypted', () => {
    const many: Datagram[] = Array.from({ length: 100 }, () => [0, changed]);
    expect(said(talk([[0, RFC9001_CLIENT_INITIAL], ...many, [1, RFC9001_SERVER_INITIAL]]))).toEqual([
      'QUICv1 example.com alpn | QUICv1 | response not captured',
    ]);
    expect(said(talk([[0, RFC9001_CLIENT_INITIAL], ...many.slice(0, 10), [1, RFC9001_SERVER_INITIAL]]))).toEqual([
      'QUICv1 example.com alpn | QUICv1 | no response',
    ]);
  });

  test('what comes behind the handshake, and what pads a datagram', () => {
    const whole: Datagram[] = [
      [0, RFC9001_CLIENT_INITIAL],
      [1, RFC9001_SERVER_INITIAL],
      [0, SHORT],
    ];
    expect(said(talk([...whole, ...whole, ...whole]))).toEqual(['QUICv1 example.com alpn | QUICv1']);
    expect(said(talk([...whole.slice(0, 2), [0, new Uint8Array(40)]]))).toEqual([
      'QUICv1 example.com alpn | QUICv1 | no response',
    ]);
  });
});
