import dnsPacket from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { dns, observedAddresses } from '../../../../src/analyze/protocols/dns/index.ts';
import { type Fields, SIDE } from '../../../../src/analyze/record/event.ts';
import { Random } from '../../../support/random.ts';
import {
  A,
  AAAA,
  answer,
  type Datagram,
  dnsOf,
  essence,
  message,
  opt,
  query,
  question,
  record,
  talk,
  u16be,
  wireName,
} from './messages.ts';

const { client, server } = SIDE;

function answered(bytes: Uint8Array): Fields {
  return dnsOf(talk([[0, server, bytes, 1]]).events[0]);
}

function first(list: unknown): Fields {
  return (list as Fields[])[0] as Fields;
}

/** The data of a record of a type. */
function data(type: number, bytes: readonly number[]): Fields {
  const fields = answered(answer('web.test', 1, type, { answers: [record(type, bytes)] }));
  return { data: first(fields.answers).data, type: first(fields.answers).type, malformed: fields.malformed };
}

const text = (value: string) => [...Buffer.from(value, 'latin1')];
const string = (value: string) => [value.length, ...text(value)];
const pointer = [0xc0, 12];

describe('data of records', () => {
  it.each([
    ['A', 1, [192, 0, 2, 1], '192.0.2.1'],
    ['AAAA', 28, [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 7], '2001:db8::7'],
    ['NS', 2, wireName('ns.test'), 'ns.test'],
    ['CNAME', 5, [1, 0x78, ...pointer], 'x.web.test'],
    ['PTR', 12, wireName(''), '.'],
    ['MX', 15, [0, 10, ...pointer], '10 web.test'],
    ['SRV', 33, [0, 1, 0, 2, 1, 187, ...pointer], '1 2 443 web.test'],
    [
      'SOA',
      6,
      [...pointer, ...wireName('root.test'), 0xff, 0xff, 0xff, 0xff, ...[1, 2, 3, 4].flatMap((n) => [0, 0, 0, n])],
      'web.test root.test 4294967295 1 2 3 4',
    ],
    ['TXT', 16, [...string('a "b" \\'), ...string('\xe9\n')], '"a \\"b\\" \\\\" "\\233\\010"'],
    ['SPF', 99, string('v=spf1 -all'), '"v=spf1 -all"'],
    ['HINFO', 13, [...string('RFC8482'), 0], '"RFC8482" ""'],
    ['CAA', 257, [128, ...string('issue'), ...text('ca.test')], '128 issue "ca.test"'],
    ['DS', 43, [0, 5, 8, 2, 0xab, 0xcd], '5 8 2 abcd'],
    ['DNSKEY', 48, [1, 1, 3, 13, 1, 2, 3], '257 3 13 AQID'],
    ['SSHFP', 44, [4, 1, ...new Array(20).fill(0xaa)], `4 1 ${'AA'.repeat(20)}`],
    ['TLSA', 52, [3, 1, 1, 0xde, 0xad], '3 1 1 dead'],
    ['NSEC', 47, [...wireName('z.test'), 0, 1, 0x40, 1, 1, 0x40], 'z.test A CAA'],
    ['NSEC', 47, [...wireName('z.test'), 0, 9, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40], 'z.test A HTTPS'],
    ['NSEC3', 50, [1, 0, 0, 5, 1, 0xbb, 5, 0, 1, 2, 3, 4, 0, 1, 0x40], '1 0 5 bb 000g40o4 A'],
    ['NAPTR', 35, [0, 1, 0, 2, ...string('s'), ...string('SIP+D2U'), 0, ...pointer], '1 2 "s" "SIP+D2U" "" web.test'],
    ['TYPE65280', 65280, [1, 0xff], '\\# 2 01ff'],
    ['LOC', 29, [0], '\\# 1 00'],
    ['SVCB', 64, [0, 0, ...wireName('svc.test')], '0 svc.test'],
    [
      'HTTPS',
      65,
      [
        ...[0, 1, 0],
        ...[0, 0, 0, 4, 0, 1, 0, 4],
        ...[0, 1, 0, 6, 2, 0x68, 0x32, 2, 0x68, 0x33],
        ...[0, 2, 0, 0],
        ...[0, 3, 0, 2, 1, 187],
        ...[0, 4, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8],
        ...[0, 5, 0, 3, 1, 2, 3],
        ...[0, 6, 0, 16, ...new Array(15).fill(0), 1],
        ...[0, 7, 0, 2, 0x2f, 0x71],
        ...[0, 99, 0, 1, 0xff],
      ],
      '1 . mandatory=alpn,ipv4hint alpn=h2,h3 no-default-alpn port=443 ipv4hint=1.2.3.4,5.6.7.8 ech=AQID ipv6hint=::1 dohpath="/q" key99="\\255"',
    ],
  ])('%s', (type, number, bytes, expected) => {
    expect(data(number, bytes)).toEqual({ type, data: expected, malformed: undefined });
  });

  it.each([
    ['A', 1, [1, 2, 3]],
    ['AAAA', 28, [1, 2, 3, 4]],
    ['CNAME', 5, [3, 0x61]],
    ['CNAME', 5, [0xc0, 0xff]],
    ['MX', 15, [0]],
    ['SOA', 6, [...pointer, ...pointer, 0, 0]],
    ['SRV', 33, [0, 1, 0]],
    ['TXT', 16, [9, 0x61]],
    ['DNSKEY', 48, [1, 1, 9, 13, 1]],
    ['NAPTR', 35, [0]],
    ['HTTPS', 65, [0, 1]],
    ['HTTPS', 65, [0, 1, 0, 0, 3, 0, 9, 1, 1]],
    ['HTTPS', 65, [0, 1, 0, 0, 3, 0, 1, 1]],
    ['HTTPS', 65, [0, 1, 0, 0, 4, 0, 3, 1, 2, 3]],
    ['HTTPS', 65, [0, 1, 0, 0, 1, 0, 2, 9, 1]],
    ['HTTPS', 65, [0, 1, ...pointer]],
  ])('%s that is none is shown as bytes', (type, number, bytes) => {
    const hex = Buffer.from(bytes).toString('hex');
    expect(data(number, bytes)).toEqual({ type, data: `\\# ${bytes.length} ${hex}`, malformed: true });
  });

  it('keeps what is before a record that is not whole', () => {
    const fields = answered(
      answer('a.test', 1, A, { answers: [record(A, [1, 2, 3, 4]), record(A, [1]).slice(0, -1)] }),
    );
    expect(fields).toMatchObject({ malformed: true, answers: [{ data: '1.2.3.4' }] });
  });

  it('does not follow pointers for ever, or out of the message', () => {
    const at = 12 + 8 + 4;
    for (const name of [
      [0xc0, at],
      [0xc0, at + 2, 0xc0, at],
      [0xff, 0xff],
      [1, 0x61, 0xc0, at],
    ]) {
      const fields = answered(answer('a.test', 1, A, { answers: [record(A, [1, 2, 3, 4], name)] }));
      expect(fields).toMatchObject({ name: 'a.test', malformed: true, answers: [] });
    }
  });

  it('refuses names over 255 bytes, also when pointers make them so', () => {
    const label = [63, ...new Array(63).fill(0x61)];
    const most = [...label, ...label, ...label, 61, ...new Array(61).fill(0x62), 0];
    expect(most).toHaveLength(255);
    const bytes = (name: readonly number[], owner: readonly number[]) =>
      message({ flags: 0x8180, questions: [[...name, 0, 1, 0, 1]], answers: [record(A, [1, 2, 3, 4], owner)] });
    expect(first(answered(bytes(most, pointer)).answers).name).toHaveLength(253);
    expect(answered(bytes(most, [1, 0x63, ...pointer]))).toMatchObject({ malformed: true, answers: [] });
    const more = [...label, ...label, ...label, 62, ...new Array(62).fill(0x62), 0];
    expect(talk([[0, server, bytes(more, pointer), 1]]).events).toMatchObject([{ code: 'DNS_MALFORMED' }]);
  });

  it('escapes what is not printable, dots and backslashes in labels', () => {
    const name = [5, 0x61, 0x2e, 0x5c, 0x20, 0xe9, 4, ...text('TEST'), 0];
    const [event] = talk([[0, client, message({ questions: [[...name, 0, 1, 0, 1]] }), 1]]).events;
    expect(dnsOf(event).name).toBe('a\\.\\\\\\032\\233.TEST');
    expect(event?.label).toBe('A a\\.\\\\\\032\\233.test');
  });

  it('lists a bounded number of records, and counts the others', () => {
    const many = answered(answer('a.test', 1, A, { answers: new Array(300).fill(record(A, [1, 2, 3, 4])) }));
    expect(many.answers).toHaveLength(64);
    expect(many).toMatchObject({ omitted: 236 });
  });

  it('has the other sections, and tells classes that are not the usual one', () => {
    const fields = answered(
      answer('a.test', 1, A, { authority: [record(2, wireName('ns'))], additional: [record(A, [9, 9, 9, 9]), opt()] }),
    );
    expect(fields).toMatchObject({ authority: [{ type: 'NS', data: 'ns' }], additional: [{ data: '9.9.9.9' }] });
    const chaos = [...pointer, 0, 16, 0, 3, 0, 0, 0, 0, ...u16be(3), ...string('hi')];
    const version = message({ flags: 0x8180, questions: [question('version.bind', 16, 3)], answers: [chaos] });
    expect(answered(version)).toMatchObject({ class: 'CH', answers: [{ class: 'CH', data: '"hi"' }] });
  });
});

describe('EDNS', () => {
  const option = (code: number, bytes: readonly number[]) => [...u16be(code), ...u16be(bytes.length), ...bytes];

  it('is told of query and response', () => {
    const asks = [...option(8, [0, 1, 24, 0, 192, 0, 2]), ...option(10, [1, 2, 3, 4, 5, 6, 7, 8])];
    const says = [
      ...option(8, [0, 2, 56, 48, 0x20, 1]),
      ...option(15, [0, 22, ...text('timed out')]),
      ...option(3, text('ns1')),
    ];
    const { events } = talk([
      [0, client, query('a.test', 1, A, { additional: [opt(0, asks, 4096)] }), 1],
      [0, server, answer('a.test', 1, A, { flags: 2, additional: [opt(0, says)] }), 2],
    ]);
    expect(dnsOf(events[0])).toMatchObject({
      rcode: 'SERVFAIL',
      requestEdns: { udpSize: 4096, dnssecOk: false, clientSubnet: '192.0.2.0/24', cookie: '0102030405060708' },
      edns: { udpSize: 1232, clientSubnet: '2001::/56/48', nsid: 'ns1', errors: [{ code: 22, text: 'timed out' }] },
      additional: undefined,
    });
  });

  it('with options that are not whole is malformed', () => {
    const fields = answered(answer('a.test', 1, A, { additional: [opt(0, [0, 10, 0, 9, 1])] }));
    expect(fields).toMatchObject({ malformed: true, edns: { udpSize: 1232, malformed: true } });
  });
});

describe('observedAddresses', () => {
  const names = (bytes: Uint8Array) => talk([[0, server, bytes, 1]]).events.flatMap(observedAddresses);

  it('calls an address what was asked for, along aliases', () => {
    const alias = record(5, wireName('Real.test'), pointer, 60);
    const real = wireName('real.TEST');
    const answers = [record(AAAA, new Array(16).fill(0).with(15, 1), real), alias, record(A, [10, 0, 0, 1], real, 5)];
    expect(
      names(answer('WEB.test', 1, A, { answers, additional: [record(A, [10, 0, 0, 2], wireName('ns.test'))] })),
    ).toEqual([
      { address: '::1', name: 'web.test', ttl: 30 },
      { address: '10.0.0.1', name: 'web.test', ttl: 5 },
      { address: '10.0.0.2', name: 'ns.test', ttl: 30 },
    ]);
  });

  it('takes no names from errors, malformed addresses, or queries', () => {
    expect(names(answer('a.test', 1, A, { flags: 2, answers: [record(A, [1, 2, 3, 4])] }))).toEqual([]);
    expect(names(answer('a.test', 1, A, { answers: [record(A, [1, 2])] }))).toEqual([]);
    expect(names(query('a.test'))).toEqual([]);
  });
});

describe('anything', () => {
  const seeds = [
    query('web.shop.svc.cluster.local', 1, A, { additional: [opt(0, [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8])] }),
    answer('web.shop', 1, 65, { answers: [record(65, [0, 1, 0, 0, 1, 0, 3, 2, 0x68, 0x32])], additional: [opt()] }),
    answer('web.shop', 1, 6, { authority: [record(6, [...pointer, ...wireName('r'), ...new Array(20).fill(1)])] }),
    dnsPacket.encode({
      type: 'response',
      questions: [{ type: 'TXT', name: 'a.b' }],
      answers: [
        { type: 'TXT', name: 'a.b', data: ['x', 'y'] },
        {
          type: 'NAPTR',
          name: 'a.b',
          data: { order: 1, preference: 2, flags: 'a', services: 'b', regexp: '', replacement: 'c' },
        },
        {
          type: 'RRSIG',
          name: 'a.b',
          data: {
            typeCovered: 'A',
            algorithm: 1,
            labels: 2,
            originalTTL: 3,
            expiration: 4,
            inception: 5,
            keyTag: 6,
            signersName: 'a',
            signature: Buffer.from('xyz'),
          },
        },
      ],
    }),
  ];

  it('gives the same with and without detail, and never throws', () => {
    const random = new Random(9);
    for (let round = 0; round < 20_000; round += 1) {
      const datagrams = Array.from({ length: 1 + random.below(4) }, (_, index): Datagram => {
        const bytes = Uint8Array.from(seeds[random.below(seeds.length)] as Uint8Array);
        for (let flips = random.below(5); flips > 0; flips -= 1) {
          bytes[random.below(bytes.length)] = random.below(2) === 0 ? 0xc0 : random.below(256);
        }
        const length = random.below(3) === 0 ? random.below(bytes.length + 1) : bytes.length;
        const captured = random.below(4) === 0 ? random.below(length + 1) : length;
        return [random.below(2), random.below(2) === 0 ? client : server, bytes.subarray(0, length), index, captured];
      });
      const detailed = talk(datagrams, true);
      expect(talk(datagrams, false).events.map(essence)).toEqual(detailed.events.map(essence));
      for (const [, , bytes] of datagrams) if (bytes !== undefined) dns.probe(bytes, 0, bytes.length, round % 2 === 0);
      for (const event of detailed.events) observedAddresses(event);
    }
  });
});
