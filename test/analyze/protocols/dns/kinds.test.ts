import { describe, expect, it } from 'vitest';
import { SIDE } from '../../../../src/analyze/record/event.ts';
import {
  A,
  AAAA,
  answer,
  dnsOf,
  exchanges,
  message,
  opt,
  query,
  question,
  record,
  talk,
  wireName,
} from './messages.ts';

const { client, server } = SIDE;
const _WEB = 'web.shop.svc.cluster.local';

describe('response codes', () => {
  it.each([
    [0, 'NOERROR', false],
    [1, 'FORMERR', true],
    [2, 'SERVFAIL', true],
    [3, 'NXDOMAIN', false],
    [4, 'NOTIMP', true],
    [5, 'REFUSED', true],
    [8, 'NXRRSET', false],
    [9, 'NOTAUTH', true],
    [12, 'RCODE12', true],
  ])('%i is %s', (rcode, status, failed) => {
    const [event] = exchanges([
      [0, client, query('a.test'), 1],
      [0, server, answer('a.test', 1, A, { flags: rcode }), 2],
    ]);
    expect(event).toMatchObject({ status, failed, fields: { dns: { rcode: status } } });
  });

  it.each([true, false])('EDNS has the upper bits (detail %s)', (detail) => {
    const [badVersion, badCookie] = exchanges(
      [
        [0, client, query('a.test'), 1],
        [0, server, answer('a.test', 1, A, { answers: [record(A, [1, 2, 3, 4])], additional: [opt(1)] }), 2],
        [0, client, query('b.test'), 3],
        [0, server, answer('b.test', 1, A, { flags: 7, additional: [record(A, [1, 2, 3, 4]), opt(1)] }), 4],
      ],
      detail,
    );
    expect(badVersion).toMatchObject({ status: 'BADVERS', failed: true });
    expect(badCookie).toMatchObject({ status: 'BADCOOKIE' });
  });
});

describe('kinds of messages', () => {
  it('names updates and notifications by their opcode', () => {
    const events = exchanges([
      [0, client, message({ id: 1, flags: 0x2800, questions: [question('Zone.test', 6)] }), 1],
      [0, server, message({ id: 1, flags: 0xa800 }), 2],
      [0, client, message({ id: 2, flags: 0x2400, questions: [question('zone.test', 6)] }), 3],
      [0, server, message({ id: 2, flags: 0xa400, questions: [question('zone.test', 6)] }), 4],
    ]);
    expect(events).toMatchObject([
      { label: 'UPDATE zone.test', route: 'UPDATE', fields: { dns: { name: 'Zone.test', type: 'SOA' } } },
      { label: 'NOTIFY zone.test', route: 'NOTIFY', fields: { dns: { opcode: 'NOTIFY' } } },
    ]);
  });

  it('tells what mDNS says to all as messages', () => {
    const service = wireName('_http._tcp.local');
    const { events } = talk([
      [0, client, message({ id: 0, flags: 0, questions: [question('_http._tcp.local', 12, 0x8001)] }), 1],
      [0, client, message({ id: 0, flags: 0x8400, answers: [record(12, wireName('x.local'), service)] }), 2],
    ]);
    expect(events).toMatchObject([
      {
        kind: 'message',
        label: 'PTR _http._tcp.local',
        from: client,
        time: 2e6,
        fields: { dns: { rcode: 'NOERROR' } },
      },
      { kind: 'message', label: 'PTR _http._tcp.local', from: client, time: 1e6, bytes: 34 },
    ]);
  });

  it('tells LLMNR queries nobody answers as messages, resolvers as exchanges', () => {
    const { events } = talk([
      [0, client, query('printer', 4711, A, { flags: 0 }), 1],
      [1, client, query('com', 4711, 2, { flags: 0, additional: [opt()] }), 1],
      [2, client, query('printer', 4711), 1],
    ]);
    expect(events.map(({ kind }) => kind).sort()).toEqual(['exchange', 'exchange', 'message']);
  });

  it('lists further questions', () => {
    const questions = [question('a.test'), question('b.test', AAAA)];
    const [event] = exchanges([[0, client, message({ questions }), 1]]);
    expect(event?.label).toBe('A a.test');
    expect(dnsOf(event).questions).toEqual([
      { name: 'a.test', type: 'A', class: 'IN' },
      { name: 'b.test', type: 'AAAA', class: 'IN' },
    ]);
  });

  it('says what is malformed, and goes on', () => {
    const cutName = message({ questions: [[9, 0x61, 0x62]] });
    const loop = message({ questions: [[0xc0, 12, 0, 1, 0, 1]] });
    const badLabel = message({ questions: [[0x61, 0x62, 0, 0, 1, 0, 1]] });
    const { events } = talk([
      [0, client, cutName, 1],
      [0, client, loop, 2],
      [0, server, badLabel, 3],
      [0, client, Uint8Array.from([1, 2, 3]), 4],
      [0, client, query('a.test'), 5],
    ]);
    expect(events.map((event) => (event.kind === 'event' ? [event.code, event.label] : event.kind))).toEqual([
      ['DNS_MALFORMED', 'malformed query'],
      ['DNS_MALFORMED', 'malformed query'],
      ['DNS_MALFORMED', 'malformed query'],
      ['DNS_MALFORMED', 'message shorter than its header'],
      'exchange',
    ]);
  });

  it('takes what the capture has cut for what it is', () => {
    const events = exchanges([
      [0, client, query('a.test', 1), 1],
      [0, server, answer('a.test', 1), 2, 30],
      [0, client, query('b.test', 2), 3, 15],
      [0, server, answer('b.test', 2), 4, 16],
      [0, client, query('c.test', 3), 5, 15],
      [0, server, answer('c.test', 3), 6],
    ]);
    expect(events).toMatchObject([
      { label: 'A a.test', status: 'NOERROR', incomplete: 'response not captured', responseBytes: 40 },
      { label: '(cut-question)', status: 'NOERROR', incomplete: 'response not captured' },
      { label: 'A c.test', status: 'NOERROR' },
    ]);
    expect(dnsOf(events[0]).malformed).toBeUndefined();
  });
});
