import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { codesOf, Judged } from '../../support/found-in.ts';

const lookup = (type: string, name: string, more: Record<string, number | boolean> = {}): Partial<Exchange> => ({
  protocol: 'dns',
  label: `${type} ${name}`,
  route: type,
  status: 'NOERROR',
  fields: { dns: { name, type, rcode: 'NOERROR', ...more } },
});

/** Pairs of A and AAAA from one port, the second of which gets its answer late. @param apartMs between the two queries */
function pairs(count: number, { lateMs = 5001, apartMs = 0.1, again = 1, firstMs = 1 } = {}): string[] {
  const judged = new Judged();
  for (let index = 0; index < count; index += 1) {
    const flow = judged.flow(1, 53, { transport: 'udp', serverPort: 53 });
    const at = index * 10_000;
    judged.exchange(flow, at, firstMs, lookup('A', `n${index}.example`));
    judged.exchange(flow, at + apartMs, lateMs, lookup('AAAA', `n${index}.example`, { retransmissions: again }));
  }
  return codesOf(judged.found);
}

test('one of two queries that are sent at once is lost', () => {
  expect(pairs(3)).toContain('DNS_CONNTRACK_RACE');
});

test('what is still sent at once, and still answered', () => {
  expect(pairs(3, { apartMs: 4 })).toContain('DNS_CONNTRACK_RACE');
  expect(pairs(3, { firstMs: 800 })).toContain('DNS_CONNTRACK_RACE');
});

test('few, both lost, not sent at once, or only slow: it is not this race', () => {
  expect(pairs(2)).not.toContain('DNS_CONNTRACK_RACE');
  expect(pairs(3, { firstMs: 1500 })).not.toContain('DNS_CONNTRACK_RACE');
  expect(pairs(3, { apartMs: 8 })).not.toContain('DNS_CONNTRACK_RACE');
  expect(pairs(3, { again: 0 })).not.toContain('DNS_CONNTRACK_RACE');
  expect(pairs(3, { lateMs: 1500 })).not.toContain('DNS_CONNTRACK_RACE');
});

test('TCP that does not open after a truncated response is blocked', () => {
  const tcp = (truncated: boolean, afterMs: number, state: 'unanswered' | 'open') => {
    const judged = new Judged();
    const udp = judged.flow(1, 53, { transport: 'udp', serverPort: 53 });
    judged.exchange(udp, 0, 1, lookup('TXT', 'big.example', { truncated }));
    judged.ended(judged.flow(1, 53, { serverPort: 53 }), afterMs, { state, syns: 3, synSpan: 3e9 });
    return codesOf(judged.found);
  };
  expect(tcp(true, 2, 'unanswered')).toEqual(['DNS_TCP_BLOCKED']);
  expect(tcp(true, 4000, 'unanswered')).toEqual(['DNS_TCP_BLOCKED']);
  expect(tcp(true, 2, 'open')).toEqual([]);
  expect(tcp(false, 2, 'unanswered')).not.toContain('DNS_TCP_BLOCKED');
  expect(tcp(true, 9000, 'unanswered')).not.toContain('DNS_TCP_BLOCKED');
});
