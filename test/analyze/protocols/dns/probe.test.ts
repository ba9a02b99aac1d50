import { describe, expect, it } from 'vitest';
import { dns, dnsTcp } from '../../../../src/analyze/protocols/dns/index.ts';
import { Random } from '../../../support/random.ts';
import { answer, message, opt, query, question, record, u16be, wireName } from './messages.ts';

function strictly(bytes: Uint8Array): string {
  return dns.probe(bytes, 0, bytes.length, false);
}

function hinted(bytes: Uint8Array): string {
  return dns.probe(bytes, 0, bytes.length, true);
}

function stream(bytes: Uint8Array): string {
  return dnsTcp.probe(bytes, 0, bytes.length);
}

const longQuery = query(`${'a'.repeat(60)}.${'b'.repeat(60)}.test`, 7, 1, { additional: [opt()] });

describe('what looks like DNS', () => {
  it('takes queries and responses on any port', () => {
    expect(strictly(query('web.shop'))).toBe('client');
    expect(strictly(longQuery)).toBe('client');
    expect(strictly(answer('web.shop'))).toBe('server');
    expect(strictly(message({ flags: 0x2800, questions: [question('zone', 6)], authority: [record(1, [])] }))).toBe(
      'client',
    );
  });

  it.each([
    ['bytes behind it', message({ questions: [question('a')], more: [0] })],
    ['an unknown opcode', query('a', 1, 1, { flags: 0x7800 })],
    ['the reserved bit', query('a', 1, 1, { flags: 0x0140 })],
    ['a query with a response code', query('a', 1, 1, { flags: 0x0103 })],
    ['a query with answers', query('a', 1, 1, { answers: [record(1, [1, 2, 3, 4])] })],
    ['no question', message({})],
    ['an unknown class', message({ questions: [question('a', 1, 77)] })],
    ['an unknown type', query('a', 1, 54)],
    ['a record that is not whole', answer('a', 1, 1, { answers: [record(1, [1, 2, 3, 4]).slice(0, -1)] })],
    ['a name of NetBIOS', query('CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 1, 32, { flags: 0x0110 })],
    ['a pointer first', message({ questions: [[0xc0, 12, 0, 1, 0, 1]] })],
  ])('refuses %s on other ports', (_, bytes) => {
    expect(strictly(bytes)).toBe('no');
  });

  it('wants less on its own ports', () => {
    expect(hinted(message({}))).toBe('client');
    expect(hinted(answer('a').subarray(0, 20))).toBe('server');
    expect(hinted(message({ id: 0, flags: 0x8400, answers: [record(12, wireName('x'), wireName('y'))] }))).toBe(
      'server',
    );
    expect(hinted(query('a', 1, 1, { flags: 0x7800 }))).toBe('no');
    expect(hinted(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))).toBe('no');
    expect(hinted(new Uint8Array(11))).toBe('no');
  });

  it('knows a stream as soon as its first message is there', () => {
    for (const [bytes, likeness] of [
      [longQuery, 'client'],
      [answer('web.shop'), 'server'],
    ] as const) {
      const framed = Uint8Array.from([...u16be(bytes.length), ...bytes, 0, 99]);
      expect(stream(framed)).toBe(likeness);
      for (let length = 0; length < bytes.length + 2; length += 1) {
        const said = stream(framed.subarray(0, length));
        expect(['more', likeness === 'server' ? likeness : 'more']).toContain(said);
      }
    }
  });

  it('knows a stream by the question of a long answer', () => {
    const answers = Array.from({ length: 200 }, () => record(1, [1, 2, 3, 4]));
    const long = answer('web.shop', 1, 1, { answers });
    expect(stream(Uint8Array.from([...u16be(long.length), ...long.subarray(0, 1000)]))).toBe('server');
  });

  it('knows a stream by the question of a query that is very long', () => {
    const long = query('key.test', 1, 249, { additional: [record(249, new Array(3000).fill(1))] });
    expect(stream(Uint8Array.from([...u16be(long.length), ...long.subarray(0, 500)]))).toBe('more');
    expect(stream(Uint8Array.from([...u16be(long.length), ...long.subarray(0, 1400)]))).toBe('client');
  });

  it('is wrong about random bytes less than once in 10⁵', () => {
    const random = new Random(53);
    const bytes = new Uint8Array(300);
    const counts = { datagram: 0, stream: 0 };
    for (let round = 0; round < 300_000; round += 1) {
      // Mostly zeros is more like DNS than evenly random.
      const mask = round % 2 === 0 ? 0xff : 0x01;
      const length = random.below(60);
      for (let index = 0; index < length; index += 1) bytes[index] = random.below(256) & mask;
      if (dns.probe(bytes, 0, length, false) !== 'no') counts.datagram += 1;
      if (!['no', 'more'].includes(dnsTcp.probe(bytes, 0, length))) counts.stream += 1;
    }
    expect(counts.datagram).toBeLessThan(3);
    expect(counts.stream).toBeLessThan(3);
  });

  it.each([
    'GET / HTTP/1.1\r\nHost: web\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    '*1\r\n$4\r\nPING\r\n',
    '\x00\x00\x00\x08\x04\xd2\x16\x2f',
    'SSH-2.0-OpenSSH_9.2\r\n',
  ])('lets %j be', (text) => {
    expect(stream(Buffer.from(text.padEnd(80, 'x'), 'latin1'))).toBe('no');
  });
});

describe('the least and the most', () => {
  it('takes a query of 17 bytes: for the servers of the root', () => {
    const bytes = query('', 1, 2);
    expect(bytes.length).toBe(17);
    expect(strictly(bytes)).toBe('client');
    expect(strictly(bytes.subarray(0, 16))).toBe('no');
  });

  it('takes a NOTIFY with one answer, the SOA record, and none with two', () => {
    const notify = (answers: number) =>
      strictly(
        query('zone', 1, 6, { flags: 0x2000, answers: Array.from({ length: answers }, () => record(1, [1, 2, 3, 4])) }),
      );
    expect([notify(0), notify(1), notify(2)]).toEqual(['client', 'client', 'no']);
  });
});
