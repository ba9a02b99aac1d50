import { describe, expect, it } from 'vitest';
import { PENDING_DATAGRAMS } from '../../../../src/analyze/limits.ts';
import { observedAddresses } from '../../../../src/analyze/protocols/dns/index.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';
import { A, AAAA, answer, dnsOf, essence, exchanges, message, NXDOMAIN, query, record, talk } from './messages.ts';

const { client, server } = SIDE;
const WEB = 'web.shop.svc.cluster.local';

describe('queries and answers over UDP', () => {
  it('makes one exchange of a query and its answer', () => {
    const { events, flows } = talk([
      [7, client, query(WEB), 1],
      [7, server, answer(WEB), 3],
    ]);
    expect(flows).toEqual([7]);
    expect(events).toMatchObject([
      {
        kind: 'exchange',
        protocol: 'dns',
        label: `A ${WEB}`,
        route: 'A',
        status: 'NOERROR',
        failed: false,
        time: 1e6,
        requestEnd: 1e6,
        responseTime: 3e6,
        responseEnd: 3e6,
        requestBytes: 44,
        responseBytes: 60,
        fields: {
          dns: {
            name: WEB,
            type: 'A',
            rcode: 'NOERROR',
            id: 1,
            class: 'IN',
            recursionDesired: true,
            recursionAvailable: true,
            authoritative: false,
            truncated: false,
            answers: [{ name: WEB, type: 'A', ttl: 30, data: '10.0.0.1' }],
          },
        },
      },
    ]);
    expect(events[0]).not.toMatchObject({ incomplete: expect.anything() });
    expect(dnsOf(events[0]).malformed).toBeUndefined();
  });

  it('says the same without detail, and no more than name, type and rcode', () => {
    const datagrams = [
      [0, client, query(WEB), 1],
      [1, client, query(WEB, 2, AAAA), 2],
      [0, server, answer(WEB), 3],
      [1, server, answer(WEB, 2, AAAA, { flags: NXDOMAIN }), 4],
      [0, client, query('lost', 3), 5],
    ] as const;
    const plain = talk(datagrams, false);
    expect(plain.events.map(essence)).toEqual(talk(datagrams, true).events.map(essence));
    expect(plain.events.map(({ fields }) => fields)).toEqual([
      { dns: { name: WEB, type: 'A', rcode: 'NOERROR', answers: expect.anything() } },
      { dns: { name: WEB, type: 'AAAA', rcode: 'NXDOMAIN' } },
      { dns: { name: 'lost', type: 'A', rcode: undefined } },
    ]);
  });

  it('tells addresses without detail when they are new', () => {
    const [first, second, third] = [
      [10, 0, 0, 1],
      [10, 0, 0, 2],
      [10, 0, 0, 3],
    ].map((data) => record(A, data));
    const answers = [[first, second], [second, first], [second, third], []] as number[][][];
    const datagrams = answers.flatMap((list, index) => [
      [0, client, query(WEB), index * 100] as const,
      [0, server, answer(WEB, 1, A, { answers: list }), index * 100 + 1] as const,
    ]);
    for (let round = 0; round < 2; round += 1) {
      const { events } = talk(datagrams, false);
      const told = events.map((event) => observedAddresses(event).map(({ address }) => address));
      expect(told).toEqual([['10.0.0.1', '10.0.0.2'], [], ['10.0.0.2', '10.0.0.3'], []]);
    }
  });

  it('takes a query that comes right behind its answer for a copy, and one that comes later for another query', () => {
    const seen = (later: number) =>
      exchanges([
        [0, client, query('a.test', 5), 1],
        [0, server, answer('a.test', 5), 2],
        [0, client, query('a.test', 5), 2 + later],
      ]).map(({ status, incomplete }) => `${status} ${incomplete ?? 'whole'}`);
    expect(seen(0.003)).toEqual(['NOERROR whole']);
    expect(seen(1000)).toEqual(['NOERROR whole', ' capture ended']);
  });

  it('pairs by id, by question and by flow', () => {
    const events = exchanges([
      [0, client, query('a.test', 5), 1],
      [1, client, query('a.test', 5), 2],
      [0, client, query('a.test', 5, AAAA), 3],
      [0, client, query('a.test', 6), 4],
      [0, server, answer('a.test', 5, AAAA), 5],
      [1, server, answer('a.test', 5), 6],
      [0, server, answer('a.test', 6), 7],
      [0, server, answer('A.Test', 5), 8],
    ]);
    expect(events.map(({ route, time, responseTime }) => [route, time / 1e6, (responseTime ?? 0) / 1e6])).toEqual([
      ['AAAA', 3, 5],
      ['A', 2, 6],
      ['A', 4, 7],
      ['A', 1, 8],
    ]);
  });

  it('answers without the question go by the id', () => {
    const [event] = exchanges([
      [0, client, query('a.test', 5), 1],
      [0, server, message({ id: 5, flags: 0x8001 }), 2],
    ]);
    expect(event).toMatchObject({ label: 'A a.test', status: 'FORMERR', failed: true });
  });

  it('counts a query sent again once, from its first time on', () => {
    const datagrams = [
      [0, client, query('a.test'), 1],
      [0, client, query('a.test'), 5001],
      [0, client, query('a.test'), 10_001],
      [0, server, answer('a.test'), 10_002],
      [0, server, answer('a.test'), 10_003],
      [0, server, answer('a.test'), 10_004],
    ] as const;
    for (const detail of [false, true]) {
      const { events } = talk(datagrams, detail);
      expect(events).toHaveLength(1);
      expect(events[0]).toMatchObject({ time: 1e6, responseTime: 10_002e6 });
      expect(dnsOf(events[0]).retransmissions).toBe(2);
    }
  });

  it('asks anew when the same question comes long after', () => {
    const events = exchanges([
      [0, client, query('a.test'), 0],
      [0, client, query('a.test'), 31_000],
      [0, server, answer('a.test'), 31_001],
    ]);
    expect(events).toMatchObject([
      { time: 0, incomplete: 'no response' },
      { time: 31_000e6, status: 'NOERROR' },
    ]);
  });

  it('tells a second answer as an event', () => {
    const { events } = talk([
      [0, client, query('a.test'), 1],
      [0, server, answer('a.test'), 2],
      [0, server, answer('a.test'), 3],
    ]);
    expect(events).toMatchObject([
      { kind: 'exchange' },
      { kind: 'event', code: 'DNS_ANSWERED_AGAIN', label: 'answered again: A a.test NOERROR', from: server },
    ]);
  });

  it('tells an answer without a query, and a query without an answer', () => {
    const events = exchanges([
      [0, server, answer('a.test', 9), 1],
      [0, client, query('b.test', 10), 2],
      [1, client, query('c.test', 10), 3],
      [0, 'ends'],
    ]);
    expect(events).toMatchObject([
      { label: 'A a.test', incomplete: 'request not seen', requestBytes: 0, time: 1e6, failed: false },
      { label: 'A b.test', incomplete: 'no response', failed: true, status: '', responseTime: undefined },
      { label: 'A c.test', incomplete: 'capture ended', failed: false },
    ]);
  });

  it('gives a query up when its id is used anew, later', () => {
    const { events } = talk([
      [0, client, query('a.test', 5), 0],
      [0, client, query('b.test', 5), 1500],
      [0, server, answer('b.test', 5), 1501],
    ]);
    expect(events).toMatchObject([
      { label: 'A a.test', incomplete: 'no response' },
      { label: 'A b.test', status: 'NOERROR' },
    ]);
  });

  it('gives the questions of a flow that all have one id no more room than a few', () => {
    const datagrams = Array.from({ length: 50 }, (_, index) => [0, client, query(`q${index}.test`, 5), 1] as const);
    const { events } = talk([...datagrams, [0, server, answer('last.test', 5), 2]]);
    expect(events.filter(({ kind }) => kind === 'exchange')).toHaveLength(51);
    expect(events.findIndex((event) => 'incomplete' in event && event.incomplete === 'request not seen')).toBe(42);
  });

  it('knows who asked when the server does', () => {
    const events = exchanges([
      [0, server, query('a.test', 5), 1],
      [0, client, query('a.test', 5), 2],
      [0, client, answer('a.test', 5), 3],
      [0, server, answer('a.test', 5), 4],
    ]);
    expect(events).toMatchObject([
      { requester: server, time: 1e6 },
      { requester: undefined, time: 2e6 },
    ]);
  });

  it('keeps no more queries than its bound', () => {
    const one = query('a.test', 5);
    const datagrams = Array.from({ length: PENDING_DATAGRAMS + 3 }, (_, flow) => [flow, client, one, flow] as const);
    const { flows } = talk(datagrams, false);
    expect(flows.slice(0, 3)).toEqual([0, 1, 2]);
    expect(new Set(flows).size).toBe(PENDING_DATAGRAMS + 3);
  });
});
