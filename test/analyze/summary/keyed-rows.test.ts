import { expect, it } from 'vitest';
import type { Exchange, Fields } from '../../../src/analyze/record/event.ts';
import { sharedFields } from '../../../src/analyze/record/shared-fields.ts';
import { ExchangeRow } from '../../../src/analyze/summary/exchange-rows.ts';
import { KeyedRows } from '../../../src/analyze/summary/keyed-rows.ts';
import { exchange } from '../made-events.ts';

const RCODES = ['NOERROR', 'NXDOMAIN', 'SERVFAIL'];

/** Fields that exchanges of a name share; names take turns at few places. */
function fieldsOf(name: number, rcode: number): Fields {
  return sharedFields({ dns: { name: `n${name}`, rcode: RCODES[rcode] } }, name % 7);
}

/** Exchanges of twenty names, most of them of two packets; the same ones each time. */
function* exchanges(count: number): Generator<{ key: string; exchange: Exchange }> {
  const shared = Array.from({ length: 20 }, (_, name) => RCODES.map((_rcode, rcode) => fieldsOf(name, rcode)));
  let seed = 7;
  const below = (limit: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % limit;
  };
  // Names come in runs, so that some find their place taken and others do not.
  let name = 0;
  for (let index = 0; index < count; index += 1) {
    if (below(9) === 0) name = below(20);
    const rcode = below(10) === 0 ? below(3) : 0;
    const latency = below(5e6);
    const isSpread = below(12) === 0;
    yield {
      key: `A n${name}`,
      exchange: exchange({
        protocol: 'dns',
        time: index * 1e6,
        requestEnd: index * 1e6,
        responseTime: below(15) === 0 ? undefined : index * 1e6 + latency,
        responseEnd: index * 1e6 + latency + (isSpread ? 1 : 0),
        requestBytes: below(300),
        responseBytes: below(600),
        status: RCODES[rcode] ?? '',
        failed: rcode === 2,
        incomplete: below(20) === 0 ? 'request not seen' : undefined,
        fields: below(10) === 0 ? { dns: {} } : (shared[name]?.[rcode] ?? {}),
      }),
    };
  }
}

function figures(row: ExchangeRow) {
  const { count, failed, incomplete, requestBytes, responseBytes } = row;
  const times = [row.latency, row.ttfb, row.serverTime].map((histogram) => histogram.percentiles());
  return { count, failed, incomplete, requestBytes, responseBytes, times, statuses: Object.entries(row.statuses()) };
}

it('counts exchanges that share their fields as it would one by one, whenever it is asked', () => {
  const rows = new KeyedRows();
  const single = new Map<string, ExchangeRow>();
  let index = 0;
  for (const { key, exchange } of exchanges(25_000)) {
    rows.add(key, exchange);
    const row = single.get(key) ?? new ExchangeRow();
    single.set(key, row);
    row.add(exchange);
    index += 1;
    if (index !== 1000 && index !== 25_000) continue;
    expect([...rows.entries()].map(([name, found]) => [name, figures(found)])).toEqual(
      [...single].map(([name, found]) => [name, figures(found)]),
    );
  }
});

it('counts more exchanges than can wait', () => {
  const rows = new KeyedRows();
  const fields = sharedFields({ dns: { name: 'a', rcode: 'NOERROR' } }, 3);
  const bytes = { requestBytes: 40, responseBytes: 80, status: 'NOERROR' };
  for (let index = 0; index < 20_000; index += 1) {
    const times = { time: 0, requestEnd: 0, responseTime: index, responseEnd: index };
    rows.add('A a', exchange({ protocol: 'dns', fields, ...bytes, ...times }));
  }
  const [row] = [...rows.entries()].map(([, found]) => figures(found));
  expect(row).toMatchObject({ count: 20_000, requestBytes: 800_000, responseBytes: 1_600_000 });
  expect(row?.times[0]).toMatchObject({ count: 20_000, max: 19_999 });
  expect(row?.statuses).toEqual([['NOERROR', 20_000]]);
});
