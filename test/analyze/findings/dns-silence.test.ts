import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { Judged } from '../../support/found-in.ts';

const lookup = (name: string, more: Record<string, number> = {}): Partial<Exchange> => ({
  protocol: 'dns',
  label: `A ${name}`,
  route: 'A',
  status: 'NOERROR',
  fields: { dns: { name, type: 'A', rcode: 'NOERROR', ...more } },
});

const silent = (name: string, retransmissions = 0): Partial<Exchange> => ({
  ...lookup(name),
  status: '',
  failed: true,
  incomplete: 'no response',
  responseTime: undefined,
  responseEnd: undefined,
  responseBytes: 0,
  fields: { dns: { name, type: 'A', ...(retransmissions > 0 && { retransmissions }) } },
});

/** Queries to one server. @param answered, unanswered how many @param isOther the capture has responses of another server */
function asked({ answered = 0, unanswered = 0, again = 0, isOther = true, unseen = 0 }) {
  const judged = new Judged();
  const dns = { transport: 'udp', serverPort: 53 } as const;
  if (isOther) judged.exchange(judged.flow(1, 9), 0, 1);
  for (let index = 0; index < answered; index += 1)
    judged.exchange(judged.flow(1, 53, dns), index, 1, lookup(`a${index}.example`));
  for (let index = 0; index < unanswered; index += 1)
    judged.exchange(judged.flow(1, 53, dns), index * 10, 1, silent(`u${index}.example`, again));
  for (let index = 0; index < unseen; index += 1)
    judged.exchange(judged.flow(1, 53, dns), index * 10, 1, {
      ...lookup(`n${index}.example`),
      incomplete: 'request not seen',
    });
  return judged.found;
}

test('a DNS server that answers nothing fails, and the responses of others prove it', () => {
  expect(asked({ unanswered: 3 })).toMatchObject([
    {
      code: 'DNS_FAILS',
      severity: 'error',
      confidence: 'proven',
      subject: '10.0.0.53:53',
      message: 'The DNS server 10.0.0.53:53 does not respond: all 3 queries got no response.',
      evidence: [{ text: expect.stringMatching(/ sent 3 queries without a response$/) }],
      cases: 3,
      attempts: 3,
    },
  ]);
  // One query, sent three times.
  expect(asked({ unanswered: 1, again: 2 })).toMatchObject([{ code: 'DNS_FAILS', severity: 'error' }]);
});

test('one query in vain, or one sent twice, is no finding', () => {
  expect(asked({ unanswered: 1 })).toEqual([]);
  expect(asked({ unanswered: 1, again: 1 })).toEqual([]);
  expect(asked({ unanswered: 2 })).toEqual([]);
});

test('without any response in the capture only repeated queries show that there was none', () => {
  expect(asked({ unanswered: 5, isOther: false })).toEqual([]);
  expect(asked({ unanswered: 5, again: 1, isOther: false })).toMatchObject([
    { code: 'DNS_FAILS', confidence: 'likely' },
  ]);
});

test('a server that leaves some queries without a response is a warning from 10 % on', () => {
  expect(asked({ answered: 27, unanswered: 3 })).toMatchObject([
    { code: 'DNS_FAILS', severity: 'warning', confidence: 'likely' },
  ]);
  expect(asked({ answered: 28, unanswered: 3 })).toEqual([]);
  expect(asked({ answered: 10, unanswered: 2 })).toEqual([]);
});

test('a capture with holes does not show what got no response', () => {
  expect(asked({ unanswered: 5, unseen: 2 })).toMatchObject([{ code: 'DNS_FAILS' }]);
  expect(asked({ unanswered: 5, unseen: 3 })).toEqual([]);
});

test('nobody has to answer a query by multicast', () => {
  const judged = new Judged();
  judged.exchange(judged.flow(1, 9), 0, 1);
  const server = judged.hosts.number(Uint8Array.of(224, 0, 0, 252), 0, 4);
  for (let index = 0; index < 5; index += 1) {
    const flow = judged.flow(1, 9, { transport: 'udp', serverHost: server, serverPort: 5355 });
    judged.exchange(flow, index * 10, 1, silent(`u${index}`));
  }
  expect(judged.found).toEqual([]);
});

test('a DNS server whose address rejects queries is not reachable', () => {
  const judged = new Judged();
  const reject = (port: number, times: number) => {
    for (let index = 0; index < times; index += 1) {
      const flow = judged.flow(1, 53, { transport: 'udp', serverPort: port });
      judged.event(
        {
          kind: 'event',
          protocol: 'icmp',
          code: 'ICMP_UNREACHABLE',
          label: 'port unreachable from 10.0.0.53',
          time: index * 1e9,
          from: undefined,
          failed: true,
          fields: { icmp: { type: 3, code: 3, from: '10.0.0.53' } },
        },
        flow,
      );
      judged.exchange(flow, index * 1000, 1, silent(`u${index}.example`));
    }
  };
  reject(123, 3);
  reject(53, 2);
  expect(judged.found).toEqual([]);
  reject(53, 1);
  expect(judged.found).toMatchObject([{ code: 'DNS_FAILS', severity: 'error', confidence: 'proven', cases: 3 }]);
});
