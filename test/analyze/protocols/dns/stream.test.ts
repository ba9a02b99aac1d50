import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dnsTcp } from '../../../../src/analyze/protocols/dns/index.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { Random } from '../../../support/random.ts';
import { play, playCut, type Step } from '../play.ts';
import { AAAA, answer, dnsOf, essence, message, query, question, record, u16be, wireName } from './messages.ts';

const { client, server } = SIDE;
const AXFR = 252;
const IXFR = 251;

function framed(...messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(messages.flatMap((one) => [Uint8Array.from(u16be(one.length)), one]));
}

function soa(serial: number): number[] {
  return record(6, [...wireName('ns'), ...wireName('root'), 0, 0, 0, serial, ...new Array(16).fill(0)]);
}

const address = record(1, [10, 0, 0, 1]);

describe('DNS over TCP', () => {
  const steps: Step[] = [
    [client, framed(query('a.test', 1), query('b.test', 2, AAAA))],
    [server, framed(answer('b.test', 2, AAAA), answer('a.test', 1))],
    [client, framed(query('c.test', 3))],
  ];

  it.each([true, false])('gives the same events however it is cut (detail %s)', (detail) => {
    for (const events of playCut(dnsTcp, steps, { detail })) {
      expect(events).toMatchObject([
        { label: 'AAAA b.test', status: 'NOERROR', time: 0, responseTime: 1e6, requestBytes: 26, responseBytes: 54 },
        { label: 'A a.test', status: 'NOERROR', time: 0, responseTime: 1e6, requestBytes: 26, responseBytes: 42 },
        { label: 'A c.test', incomplete: 'no response', failed: true, time: 2e6 },
      ]);
    }
  });

  it('tells a reset', () => {
    expect(play(dnsTcp, steps, { end: 'reset' })[2]).toMatchObject({ incomplete: 'reset', failed: true });
  });

  it('goes on behind a gap with what proves to be a message', () => {
    for (const events of playCut(dnsTcp, [
      [client, framed(query('a.test', 1))],
      [client, { gap: 26 }],
      [client, framed(query('c.test', 3))],
      [server, { gap: 300 }],
      [server, 'in the middle of something'],
      [server, { gap: 11 }],
      [server, framed(answer('c.test', 3), answer('d.test', 4))],
    ])) {
      expect(events).toMatchObject([
        { code: 'PROTOCOL_LOST', position: 300, from: server },
        { label: 'A c.test', status: 'NOERROR' },
        { label: 'A d.test', incomplete: 'request not seen' },
        { label: 'A a.test', incomplete: 'response not captured', failed: false },
      ]);
    }
  });

  it('makes one exchange of a zone in several messages', () => {
    const zone = [
      message({ flags: 0x8400, questions: [question('zone.test', AXFR)], answers: [soa(7), address, address] }),
      message({ flags: 0x8400, answers: [address.with(0, 0xc0), address] }),
      message({ flags: 0x8400, answers: [address, soa(7)] }),
    ];
    for (const detail of [true, false]) {
      const events = playCut(
        dnsTcp,
        [
          [client, framed(query('zone.test', 1, AXFR))],
          [server, framed(...zone.slice(0, 1))],
          [server, framed(...zone.slice(1))],
          [client, framed(query('zone.test', 1, AXFR))],
          [server, framed(...zone.slice(0, 2))],
        ],
        { detail },
      );
      for (const cut of events) {
        expect(cut).toMatchObject([
          { label: 'AXFR zone.test', status: 'NOERROR', responseTime: 1e6, responseEnd: 2e6, incomplete: undefined },
          { label: 'AXFR zone.test', status: 'NOERROR', responseTime: 4e6, incomplete: 'closed early', failed: true },
        ]);
        expect(cut.map((event) => [dnsOf(event).messages, dnsOf(event).records])).toEqual([
          [3, 7],
          [2, 5],
        ]);
      }
    }
  });

  it.each([
    ['nothing new', [[soa(7)]], 1],
    ['the whole zone', [[soa(7), address], [soa(7)]], 2],
    ['changes', [[soa(7), soa(6), address], [soa(7), address], [soa(7)]], 3],
  ])('knows the end of an incremental transfer: %s', (_, messages, count) => {
    const events = play(dnsTcp, [
      [client, framed(query('zone.test', 1, IXFR))],
      ...messages.map((answers): Step => [server, framed(message({ flags: 0x8400, answers }))]),
      [server, framed(answer('other.test', 9))],
    ]);
    expect(events.map(({ label }) => label)).toEqual(['IXFR zone.test', 'A other.test']);
    expect(dnsOf(events[0]).messages).toBe(count);
  });

  it('says the same with and without detail of whatever comes', () => {
    const random = new Random(4);
    const whole = steps.map(([side, what]) => [side, Uint8Array.from(what as Uint8Array)] as const);
    for (let round = 0; round < 3000; round += 1) {
      const mutated = whole.map(([side, bytes]): Step => {
        const copy = bytes.slice();
        for (let flips = random.below(4); flips > 0; flips -= 1) copy[random.below(copy.length)] = random.below(256);
        return random.below(8) === 0 ? [side, { gap: 1 + random.below(60) }] : [side, copy];
      });
      const detailed = play(dnsTcp, mutated, { detail: true }).map(essence);
      expect(play(dnsTcp, mutated, { detail: false, portion: (left) => 1 + random.below(left) }).map(essence)).toEqual(
        detailed,
      );
    }
  });

  it('is not confused by random bytes', () => {
    const random = new Random(5);
    for (let round = 0; round < 300; round += 1) {
      const noise = Uint8Array.from({ length: random.below(3000) }, () => random.below(256));
      const events = play(dnsTcp, [
        [client, { gap: 1 }],
        [client, noise],
        [server, { gap: 1 }],
        [server, noise],
      ]);
      expect(events.filter((event) => event.kind !== 'event' || event.code !== 'PROTOCOL_LOST')).toEqual([]);
    }
  });

  it('takes a length alone in a segment, and the mark of old Windows servers behind a query', async () => {
    const { events } = await analyseFile(join(import.meta.dirname, 'captures/dns-tcp-length-alone.pcap'));
    expect(events.map(({ event }) => event)).toMatchObject([
      { label: 'AXFR contoso.local', status: 'NOERROR', incomplete: undefined, requestBytes: 35 },
    ]);
  });

  it('takes a length that two segments share', () => {
    const [first, second] = [framed(query('a.test', 1)), framed(query('b.test', 2))];
    const both = Buffer.concat([first, second]);
    expect(
      play(dnsTcp, [
        [client, both.subarray(0, first.length + 1)],
        [client, both.subarray(first.length + 1)],
        [server, framed(answer('a.test', 1), answer('b.test', 2))],
      ]),
    ).toMatchObject([
      { label: 'A a.test', status: 'NOERROR' },
      { label: 'A b.test', status: 'NOERROR' },
    ]);
  });

  it.each([
    ['capture ended', 'capture ended', false],
    ['closed', 'closed early', true],
    ['reset', 'reset', true],
    ['evicted', 'unknown', false],
  ] as const)('an answer of which a part came, %s', (end, incomplete, failed) => {
    const [event] = play(
      dnsTcp,
      [
        [client, framed(query('a.test', 1))],
        [server, framed(answer('a.test', 1)).subarray(0, 9)],
      ],
      { end },
    );
    expect(event).toMatchObject({ label: 'A a.test', incomplete, failed });
  });
});
