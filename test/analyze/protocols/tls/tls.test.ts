import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { tls } from '../../../../src/analyze/protocols/tls/index.ts';
import type { AnalysisEvent, Exchange } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { Random } from '../../../support/random.ts';
import { type PlayOptions, play, playCut, type Step } from '../play.ts';
import { conversations } from './conversations.ts';

const CAPTURE = fileURLToPath(new URL('../captures/tls.pcap', import.meta.url));
const talks = conversations(CAPTURE, 4401, 4409);

const words = (event: AnalysisEvent) =>
  event.kind === 'exchange'
    ? [event.label, event.status, ...(event.failed ? ['failed'] : []), ...(event.incomplete ? [event.incomplete] : [])]
    : [event.label];

const said = (events: readonly AnalysisEvent[]) => events.map((event) => words(event).join(' | '));
const exchangeOf = (events: readonly AnalysisEvent[]) =>
  events.find((event): event is Exchange => event.kind === 'exchange') as Exchange;

const fieldsOf = (events: readonly AnalysisEvent[]) => exchangeOf(events).fields.tls as Record<string, unknown>;

/** Port by port, connection by connection: what happened, and fields that tell it apart. */
const EXPECTED: readonly (readonly [port: number, events: readonly string[], fields: object])[] = [
  [4401, ['TLS1.2 web.shop h2 | TLS1.2'], { resumed: false, alpnOffered: ['h2', 'http/1.1'] }],
  [4401, ['TLS1.2 web.shop http/1.1 | TLS1.2'], { resumed: true, certificates: undefined }],
  [
    4401,
    ['fatal alert no_application_protocol', 'TLS web.shop spdy/3 | no_application_protocol | failed'],
    { alert: 'no_application_protocol', version: undefined },
  ],
  [4402, ['TLS1.3 web.shop h2 | TLS1.3'], { helloRetry: true, resumed: false, cipher: 'TLS_AES_256_GCM_SHA384' }],
  [4402, ['TLS1.3 web.shop h2 | TLS1.3'], { resumed: true, earlyData: undefined }],
  [4402, ['TLS1.3 web.shop h2 | TLS1.3'], { resumed: true, earlyData: true }],
  [4403, ['TLS1.2 web.shop | TLS1.2'], { clientAuth: 'given' }],
  [
    4403,
    ['fatal alert handshake_failure', 'TLS1.2 web.shop | handshake_failure | failed'],
    { clientAuth: 'requested', clientCertificates: undefined },
  ],
  [4404, ['TLS1.3 web.shop | TLS1.3'], { clientAuth: undefined }],
  // The server's refusal is encrypted: seen from outside the handshake went well.
  [4404, ['TLS1.3 web.shop | TLS1.3'], { clientAuth: undefined }],
  [
    4405,
    ['fatal alert protocol_version', 'TLS web.shop | protocol_version | failed'],
    { supportedVersions: ['TLS1.3'] },
  ],
  [4405, ['fatal alert handshake_failure', 'TLS web.shop | handshake_failure | failed'], { cipher: undefined }],
  [4405, ['fatal alert unknown_ca', 'TLS1.2 web.shop | unknown_ca | failed'], { alert: 'unknown_ca' }],
  [4407, ['fatal alert unknown_ca', 'TLS1.3 web.shop | unknown_ca | failed'], { alert: 'unknown_ca' }],
  [4406, ['TLS1.0 no SNI | TLS1.0'], { sni: undefined, cipher: 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA' }],
  [4408, ['TLS1.3 web.shop h2,http/1.1 | TLS1.3'], { ja4: 't13d3112h2_e8f1e7e78f70_b26ce05bbdd6' }],
  [4408, ['TLS1.3 web.shop | TLS1.3'], { alpn: undefined, supportedVersions: ['TLS1.3', 'TLS1.2'] }],
  [4407, ['TLS1.3 no SNI http/1.0 | TLS1.3'], { sni: undefined, alpnOffered: ['http/1.0'] }],
  [4409, ['TLS no SNI h2,http/1.1 | answer is not TLS | failed'], { version: undefined }],
];

describe('real programs (tls.pcap)', () => {
  test('every connection, through the whole analysis', async () => {
    const { events } = await analyseFile(CAPTURE);
    const found = events.filter(({ event }) => event.protocol === 'tls');
    const flows = [...new Set(found.map(({ flow }) => flow))].map((flow) => found.filter((one) => one.flow === flow));
    const told = flows.map((flow) => [Number(flow[0]?.server.split(':')[1]), said(flow.map(({ event }) => event))]);
    expect(told).toEqual(EXPECTED.map(([port, expected]) => [port, expected]));
    for (const { event } of found) {
      if (event.kind !== 'exchange') continue;
      expect(event.requestEnd).toBeGreaterThanOrEqual(event.time);
      expect(event.responseTime).toBeGreaterThanOrEqual(event.requestEnd);
      expect(event.responseEnd).toBeGreaterThanOrEqual(event.responseTime as number);
    }
  });

  test.each(talks.map((talk, index) => [index, talk.port, talk.steps] as const))(
    'connection %i, to port %i: the same however it is cut, and its fields',
    (index, _port, steps) => {
      const [, expected, fields] = EXPECTED[index] as (typeof EXPECTED)[number];
      const whole = playCut(tls, steps);
      for (const events of whole) expect(events).toEqual(whole[0]);
      expect(said(whole[0] as AnalysisEvent[])).toEqual(expected);
      expect(fieldsOf(whole[0] as AnalysisEvent[])).toMatchObject(fields);
      // In a summary nothing is different but what is not asked for.
      const short = playCut(tls, steps, { detail: false });
      for (const events of short) expect(events).toEqual(short[0]);
      const without = (events: AnalysisEvent[] = []) => events.map((event) => ({ ...event, fields: {} }));
      expect(without(short[0])).toEqual(without(whole[0]));
      // Findings need the server's own certificate in any case.
      const { sni, version, alpn, notAfter, certificates } = fieldsOf(whole[0] as AnalysisEvent[]);
      const own = (certificates as readonly unknown[] | undefined)?.slice(0, 1);
      expect(fieldsOf(short[0] as AnalysisEvent[])).toEqual({ sni, version, alpn, notAfter, certificates: own });
    },
  );

  test('certificates: names and validity', () => {
    const web = {
      subject: 'O=Shop, CN=web.shop',
      issuer: 'O=Shop, CN=Shop CA',
      names: ['web.shop', '*.shop.svc.cluster.local', '10.96.0.10'],
      notAfter: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    };
    const fields = fieldsOf(play(tls, talks[6]?.steps ?? []));
    expect(fields.certificates).toEqual([
      expect.objectContaining(web),
      expect.objectContaining({ subject: 'O=Shop, CN=Shop CA', names: undefined }),
    ]);
    const [cart] = fields.clientCertificates as readonly object[];
    expect(cart).toMatchObject({ subject: 'O=Shop, CN=cart', names: ['cart.shop'] });
    expect(fields.notAfter).toBe((fields.certificates as { notAfter: string }[])[0]?.notAfter);
  });
});

/** A talk's bytes by side, in the same order, with every record cut into records of at most `size` bytes. */
function recut(steps: readonly Step[], size: number): Step[] {
  return steps.map(([side, bytes]) => {
    const parts: Uint8Array[] = [];
    const all = bytes as Uint8Array;
    for (let at = 0; at + 5 <= all.length; ) {
      const length = ((all[at + 3] as number) << 8) | (all[at + 4] as number);
      const content = all.subarray(at + 5, at + 5 + length);
      const portion = all[at] === 22 ? size : content.length;
      for (let from = 0; from < content.length; from += portion) {
        const part = content.subarray(from, from + portion);
        parts.push(Uint8Array.from([...all.subarray(at, at + 3), part.length >> 8, part.length & 255, ...part]));
      }
      at += 5 + length;
    }
    return [side, Buffer.concat(parts)] as const;
  });
}

describe('records and messages', () => {
  test.each([1, 2, 3, 7, 50, 1000])('handshake messages across records of %i bytes', (size) => {
    // Until the ServerHelloDone all is in the clear.
    const steps = (talks[0]?.steps ?? []).slice(0, 2);
    const cut = recut(steps, size);
    for (const events of playCut(tls, cut, { end: 'capture ended' }, 5)) {
      expect(said(events)).toEqual(['TLS1.2 web.shop h2 | TLS1.2 | capture ended']);
      expect(fieldsOf(events)).toEqual(fieldsOf(play(tls, steps, { end: 'capture ended' })));
    }
    const first = cut[0]?.[1] as Uint8Array;
    expect(tls.probe(first, 0, first.length)).toBe('client');
  });

  test('times: of the first byte of the ClientHello, of its last, of the ServerHello, and of the last Finished', () => {
    const steps = talks[0]?.steps ?? [];
    const [hello, answer, finished, done] = steps.map(([, bytes]) => bytes) as [Buffer, Buffer, Buffer, Buffer];
    const slow: Step[] = [
      [0, hello.subarray(0, 3)],
      [0, hello.subarray(3, 100)],
      [0, hello.subarray(100)],
      [1, answer.subarray(0, 2)],
      [1, answer.subarray(2)],
      [0, finished],
      [1, done.subarray(0, -1)],
      [1, done.subarray(-1)],
    ];
    const event = exchangeOf(play(tls, slow));
    expect([event.time, event.requestEnd, event.responseTime, event.responseEnd]).toEqual([0, 2e6, 3e6, 7e6]);
    expect(event.requestBytes).toBe(hello.length + finished.length);
    expect(event.responseBytes).toBe(answer.length + done.length);
  });

  test("RFC 8448's 1-RTT handshake", () => {
    const events = play(tls, [
      [0, RFC8448_CLIENT],
      [1, Buffer.concat([RFC8448_SERVER, record(23, 674)])],
      [0, record(23, 53)],
      [1, record(23, 222)],
    ]);
    expect(said(events)).toEqual(['TLS1.3 server | TLS1.3']);
    expect(fieldsOf(events)).toMatchObject({ cipher: 'TLS_AES_128_GCM_SHA256', sni: 'server', resumed: false });
    expect(exchangeOf(events)).toMatchObject({ requestBytes: 201 + 58, responseBytes: 95 + 679, responseEnd: 2e6 });
  });

  test('what a TLS 1.3 client says after the ServerHello ends the handshake if a Finished has room in it', () => {
    const begin: Step[] = [
      [0, RFC8448_CLIENT],
      [1, Buffer.concat([RFC8448_SERVER, record(23, 674)])],
    ];
    // An alert has 2 bytes, and 17 of protection.
    expect(said(play(tls, [...begin, [0, record(23, 19)]]))).toEqual([
      'TLS1.3 server | closed | failed | closed early',
    ]);
    expect(said(play(tls, [...begin, [0, record(23, 19)]], { end: 'reset' }))).toEqual([
      'TLS1.3 server | reset | failed | reset',
    ]);
    expect(said(play(tls, [...begin, [0, record(23, 69)]]))).toEqual(['TLS1.3 server | TLS1.3']);
  });
});

describe('what is missing', () => {
  const full = talks[0]?.steps ?? [];
  const of = (side: number) => full.filter((step) => step[0] === side);
  const ends = (steps: readonly Step[], end: PlayOptions['end']) => said(play(tls, steps, { end: end ?? 'closed' }));

  test('an answer', () => {
    expect(ends(full.slice(0, 1), 'closed')).toEqual(['TLS web.shop h2,http/1.1 | no answer | failed | no response']);
    expect(ends(full.slice(0, 1), 'reset')).toEqual(['TLS web.shop h2,http/1.1 | reset | failed | reset']);
    expect(ends(full.slice(0, 2), 'closed')).toEqual(['TLS1.2 web.shop h2 | closed | failed | closed early']);
    expect(ends(full.slice(0, 2), 'capture ended')).toEqual(['TLS1.2 web.shop h2 | TLS1.2 | capture ended']);
    // What was on its way when the capture ended, or was given up, did not fail.
    expect(ends(full.slice(0, 1), 'capture ended')).toEqual(['TLS web.shop h2,http/1.1 |  | capture ended']);
    expect(ends(full.slice(0, 1), 'evicted')).toEqual(['TLS web.shop h2,http/1.1 |  | unknown']);
    expect(play(tls, full.slice(0, 2), { end: 'reset', endBy: 1, finished: [] })).toMatchObject([
      { endedBy: 1, incomplete: 'reset', fields: { tls: { failure: 'reset' } } },
    ]);
  });

  test('a direction', () => {
    expect(ends(of(0), 'closed')).toEqual(['TLS web.shop h2,http/1.1 |  | response not captured']);
    expect(ends(of(1), 'closed')).toEqual(['TLS1.2 (ClientHello not seen) h2 | TLS1.2 | request not seen']);
  });

  test('bytes: never another name than the one that was said, never two handshakes', () => {
    for (const { steps } of talks) {
      const random = new Random(7);
      for (let run = 0; run < 60; run += 1) {
        const broken = steps.flatMap(([side, bytes]): Step[] => {
          const at = random.below(bytes.length);
          const length = 1 + random.below(bytes.length - at);
          const parts: Step[] = [
            [side, bytes.subarray(0, at)],
            [side, { gap: length }],
            [side, bytes.subarray(at + length)],
          ];
          return random.below(2) === 0 ? parts : [[side, bytes]];
        });
        const exchanges = play(tls, broken).filter((event) => event.kind === 'exchange');
        expect(exchanges.length).toBeLessThanOrEqual(1);
        for (const { route } of exchanges) expect(['web.shop', 'no SNI', '(ClientHello not seen)']).toContain(route);
      }
    }
  });

  test('bytes in an encrypted record are not missed', () => {
    const steps: Step[] = [
      [0, RFC8448_CLIENT],
      [1, Buffer.concat([RFC8448_SERVER, record(23, 674).subarray(0, 100)])],
      [1, { gap: 579 }],
      [0, record(23, 53)],
    ];
    expect(said(play(tls, steps))).toEqual(['TLS1.3 server | TLS1.3']);
  });

  test("words from before TLS: PostgreSQL's S", () => {
    expect(said(play(tls, [[1, 'S'], ...full]))).toEqual(['TLS1.2 web.shop h2 | TLS1.2']);
  });
});

describe('a certificate that clients reject, and what they do after the handshake', () => {
  const full = (talks[0]?.steps ?? []).slice(0, 4);
  const expired: PlayOptions = { epoch: Date.parse('2200-01-01T00:00:00Z') };
  const left: PlayOptions = { ...expired, endBy: 0 };
  const statusOf = (steps: readonly Step[], options: PlayOptions) => {
    const whole = playCut(tls, steps, options);
    for (const events of whole) expect(events).toEqual(whole[0]);
    const [event, ...others] = whole[0] ?? [];
    expect(others).toEqual([]);
    return event?.kind === 'exchange' ? `${event.status}${event.failed ? ' failed' : ''}` : '';
  };
  const failed = 'closed after expired certificate failed';

  test('a client that closes or resets without a word', () => {
    expect(statusOf(full, { ...left, end: 'closed' })).toBe(failed);
    expect(statusOf(full, { ...left, end: 'reset', finished: [0] })).toBe(failed);
    expect(statusOf(full, { ...expired, end: 'capture ended', finished: [0] })).toBe(failed);
  });

  test('what else it may be is not failed', () => {
    expect(statusOf(full, { ...left, epoch: Date.parse('1990-01-01T00:00:00Z') })).toBe('TLS1.2');
    expect(statusOf(full, { endBy: 0 })).toBe('TLS1.2');
    expect(statusOf(full, { ...expired, endBy: 1 })).toBe('TLS1.2');
    expect(statusOf(full, { ...left, end: 'reset', finished: [0, 1] })).toBe('TLS1.2');
    expect(statusOf(full, { ...expired, end: 'capture ended', finished: [] })).toBe('TLS1.2');
    expect(statusOf(full, { ...expired, end: 'evicted' })).toBe('TLS1.2');
    // Data, or an alert of which the content is not seen; of the server before the client has closed.
    for (const type of [21, 23])
      for (const side of [0, 1] as const)
        expect(statusOf([...full, [side, record(type, 40)]], { ...left, end: 'reset', finished: [] })).toBe('TLS1.2');
    for (const side of [0, 1] as const)
      expect(statusOf([...full, [side, { gap: 40 }]], { ...left, finished: [] })).toBe('TLS1.2');
    expect(statusOf((talks[1]?.steps ?? []).slice(0, 3), left)).toBe('TLS1.2');
  });
});

describe('any bytes', () => {
  test('random ones are not TLS', () => {
    const random = new Random(3);
    let liked = 0;
    for (let run = 0; run < 300_000; run += 1) {
      const bytes = Uint8Array.from({ length: 24 }, () => random.below(256));
      // Half of them begin as an SSL 2.0 or TLS record does.
      if (run % 4 === 0) bytes[0] = 22;
      else if (run % 4 === 1) bytes[0] = 0x80;
      const likeness = tls.probe(bytes, 0, bytes.length);
      if (likeness === 'client' || likeness === 'server') liked += 1;
    }
    expect(liked).toBe(0);
  });

  test('a prefix of a hello says so, or that more is needed', () => {
    for (const { steps } of talks) {
      const [first] = steps[0]?.[1] === undefined ? [] : [steps[0][1]];
      if (first === undefined) continue;
      for (let end = 0; end <= 64; end += 1) expect(['client', 'more']).toContain(tls.probe(first, 0, end));
      expect(tls.probe(first, 0, 64)).toBe('client');
    }
  });

  test('random and changed ones never throw, and are the same however they are cut', () => {
    const random = new Random(5);
    for (let run = 0; run < 400; run += 1) {
      const { steps } = talks[random.below(talks.length)] as (typeof talks)[number];
      const changed = steps.map(([side, bytes]): Step => {
        const copy = Uint8Array.from(bytes);
        for (let count = random.below(4); count > 0; count -= 1) copy[random.below(copy.length)] = random.below(256);
        return [side, run % 10 === 0 ? copy.map(() => random.below(256)) : copy];
      });
      for (const detail of [true, false]) {
        const whole = play(tls, changed, { detail });
        expect(play(tls, changed, { detail, portion: () => 1 + random.below(40) })).toEqual(whole);
        expect(whole.filter((event) => event.kind === 'exchange').length).toBeLessThanOrEqual(1);
      }
    }
  });
});

/** A record of a type with so much in it that nobody can read. */
function record(type: number, length: number): Uint8Array {
  return Uint8Array.from([type, 3, 3, length >> 8, length & 255, ...new Uint8Array(length).fill(0xa5)]);
}

const RFC8448_CLIENT = Buffer.from(
  '16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000' +
    '000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099' +
    '381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e04030503060302030804080508' +
    '0604010501060102010402050206020202002d00020101001c00024001',
  'hex',
);

const RFC8448_SERVER = Buffer.from(
  '160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9' +
    '828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304',
  'hex',
);
