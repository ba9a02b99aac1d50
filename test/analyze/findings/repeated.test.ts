import { expect, test } from 'vitest';
import type { FlowIdentity } from '../../../src/analyze/flow/flow-facts.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { ExchangeRow } from '../../../src/analyze/summary/exchange-rows.ts';
import { Judged } from '../../support/found-in.ts';

/** So many exchanges of a flow, from a time on, one every 10 ms. ms */
type Take = (judged: Judged, flow: FlowIdentity, count: number, from: number, took: number) => void;

const one: Take = (judged, flow, count, from, took) => {
  for (let index = 0; index < count; index += 1) judged.exchange(flow, from + index * 10, took);
};

/** The same, added up. */
const addedUp: Take = (judged, flow, count, from, took) => {
  const row = new ExchangeRow();
  const exchange = (index: number): Exchange => {
    const time = (from + index * 10) * 1e6;
    const end = time + took * 1e6;
    const times = { time, requestEnd: time, responseTime: end, responseEnd: end };
    const texts = { protocol: 'http', label: '', route: 'GET /cart', status: '200', failed: false, fields: {} };
    return { kind: 'exchange', ...texts, ...times, requestBytes: 40, responseBytes: 40 };
  };
  for (let index = 0; index < count; index += 1) row.add(exchange(index));
  const { requestBytes, responseBytes } = row;
  const sums = { count, first: from * 1e6, requestBytes, responseBytes, requestIds: [] };
  judged.repeated({ exchange: exchange(count - 1), ...sums, times: row.state().times }, flow);
};

/** A Service of three pods, the client 10.0.0.1. */
function shop(): Judged {
  const judged = new Judged();
  judged.names.addRecord('10.0.0.2', ['shop/web-1', 'web.shop']);
  judged.names.addRecord('10.0.0.3', ['shop/web-2', 'web.shop']);
  judged.names.addRecord('10.0.0.4', ['shop/web-3', 'web.shop']);
  return judged;
}

const CASES: Readonly<Record<string, (take: Take) => Judged>> = {
  UNEVEN_BALANCING: (take) => {
    const judged = shop();
    take(judged, judged.flow(1, 2), 400, 0, 2);
    take(judged, judged.flow(1, 3), 3, 100, 2);
    take(judged, judged.flow(1, 4), 3, 100, 2);
    return judged;
  },
  COLD_POD: (take) => {
    const judged = shop();
    const [old, cold] = [judged.flow(1, 2), judged.flow(1, 3)];
    take(judged, old, 30, 0, 10);
    take(judged, cold, 12, 20_000, 80);
    take(judged, old, 30, 21_000, 10);
    return judged;
  },
  SERVER_SLOW: (take) => {
    const judged = shop();
    const flow = judged.flow(1, 2);
    take(judged, flow, 200, 0, 10);
    for (let index = 0; index < 4; index += 1) judged.exchange(flow, 5_000 + index * 1_000, 800);
    return judged;
  },
  RESPONSE_CUT: (take) => {
    const judged = shop();
    const flow = judged.flow(1, 2);
    take(judged, flow, 250, 0, 10);
    for (let index = 0; index < 5; index += 1) {
      const more = { incomplete: 'closed early', endedBy: 1, declaredBytes: 500, failed: true } as const;
      judged.exchange(flow, 5_000 + index * 100, 10, more);
    }
    return judged;
  },
};

test.each(Object.entries(CASES))('%s is the same of exchanges that were added up beside an agent', (code, judged) => {
  const singly = judged(one).found.filter((found) => found.code === code);
  expect(judged(addedUp).found.filter((found) => found.code === code)).toEqual(singly);
  expect(singly.length).toBe(1);
});

test('the other leg behind a Service gives its pods what was added up', () => {
  for (const take of [one, addedUp]) {
    const judged = shop();
    judged.names.addRecord('10.0.0.9', ['web.shop']);
    for (const [pod, count] of [
      [2, 400],
      [3, 3],
      [4, 3],
    ] as const) {
      const first = judged.flow(1, 9);
      take(judged, first, count, 0, 2);
      take(judged, judged.flow(1, pod, { sameAs: { id: first.id, serverHost: first.serverHost } }), count, 1, 2);
    }
    const [found] = judged.found.filter(({ code }) => code === 'UNEVEN_BALANCING');
    expect(found).toMatchObject({ cases: 400, attempts: 406 });
  }
});
