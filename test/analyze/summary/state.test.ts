import { expect, it } from 'vitest';
import { DeltaOrder, SummaryDeltas } from '../../../src/analyze/summary/delta.ts';
import { makeReport } from '../../../src/analyze/summary/make-report.ts';
import { addState, stateOf } from '../../../src/analyze/summary/state.ts';
import { readState } from '../../../src/analyze/summary/state-read.ts';
import { stateDocument } from '../../../src/analyze/summary/state-write.ts';
import { SummaryTotals, TOTALS_ROWS } from '../../../src/analyze/summary/totals.ts';
import { jsonLine } from '../../../src/view/json-line.ts';
import { Random } from '../../support/random.ts';
import { exchange, host } from '../made-events.ts';
import { happenings, part } from './made-parts.ts';

/** Numbers from 0 to 1. */
function seeded(seed: number): () => number {
  const numbers = new Random(seed);
  return () => numbers.below(2 ** 31) / 2 ** 31;
}

/** As it is written and read. */
function sent(totals: SummaryTotals): unknown {
  return JSON.parse(JSON.stringify(stateDocument(stateOf(totals))));
}

function added(documents: readonly unknown[]): SummaryTotals {
  const totals = new SummaryTotals();
  for (const document of documents) addState(totals, readState(document, { where: 'test' }));
  return totals;
}

/** The report without what only one capture has: numbers of flows. */
function reportOf(totals: SummaryTotals): string {
  const report = makeReport(totals);
  const worst = report.tcp.worst.map((flow) => ({ ...flow, flow: undefined }));
  return jsonLine({ ...report, tcp: { ...report.tcp, worst } });
}

function shuffled<Item>(list: readonly Item[], random: () => number): Item[] {
  return list
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

it.each([1, 2, 3, 4, 5, 6, 7, 8])('parts add up to the whole in any order and grouping (seed %i)', (seed) => {
  const random = seeded(seed);
  const whole = part();
  const parts = Array.from({ length: 1 + Math.floor(random() * 6) }, part);
  for (const happening of happenings(200, random)) {
    happening(whole);
    happening(parts[Math.floor(random() * parts.length)] as (typeof parts)[number]);
  }
  const expected = reportOf(whole.totals());
  expect(expected.length).toBeGreaterThan(5000);
  const documents = parts.map(({ totals }) => sent(totals()));
  expect(reportOf(added(documents))).toBe(expected);
  const mixed = shuffled(documents, random);
  expect(reportOf(added(mixed))).toBe(expected);
  // In two groups, whose sums are saved and added up in turn.
  const at = Math.floor(random() * mixed.length);
  expect(reportOf(added([sent(added(mixed.slice(0, at))), sent(added(mixed.slice(at)))]))).toBe(expected);
  const merged = new SummaryTotals();
  for (const { totals } of parts) merged.merge(totals());
  expect(reportOf(merged)).toBe(expected);
});

it.each([11, 12, 13, 14])('deltas of several sources add up to the whole (seed %i)', (seed) => {
  const random = seeded(seed);
  const whole = part();
  const sources = Array.from({ length: 3 }, () => ({ ...part(), deltas: new SummaryDeltas() }));
  const totals = new SummaryTotals();
  const order = new DeltaOrder();
  const send = (index: number) => {
    const source = sources[index];
    if (source === undefined) return;
    const { sequence, state } = source.deltas.next(source.totals());
    const document: unknown = JSON.parse(JSON.stringify(stateDocument(state)));
    // What was sent again after a broken connection counts once.
    for (let attempt = 0; attempt < 1 + Math.floor(random() * 2); attempt += 1) {
      if (order.take(`agent-${index}`, sequence) === 'add') {
        addState(totals, readState(document, { where: 'delta', delta: true }));
      }
    }
  };
  for (const happening of happenings(200, random)) {
    const index = Math.floor(random() * sources.length);
    happening(whole);
    happening(sources[index] as (typeof sources)[number]);
    if (random() < 0.1) send(index);
  }
  for (const index of sources.keys()) send(index);
  expect(reportOf(totals)).toBe(reportOf(whole.totals()));
  // Nothing happened since: nothing is sent.
  for (const { deltas, totals: own } of sources) {
    expect(stateDocument(deltas.next(own()).state)).toEqual({
      kind: 'summary-state',
      v: 1,
      first: expect.any(String),
      last: expect.any(String),
      tables: {},
    });
  }
});

it('moves what was counted to the name that an address gets later', () => {
  const { names, hosts, summary, flow, totals } = part();
  const deltas = new SummaryDeltas();
  const sum = new SummaryTotals();
  const step = () => addState(sum, deltas.next(totals()).state);
  const server = flow({ serverHost: host(hosts, '203.0.113.9') });
  summary.event(exchange({ responseEnd: 90e6 }), server);
  step();
  expect(makeReport(sum).services.map(({ service }) => service)).toEqual(['203.0.113.9']);
  names.addRecord('203.0.113.9', ['db.example.com'], 100e9);
  summary.event(exchange(), server);
  step();
  const { services, routes } = makeReport(sum);
  expect(services.map(({ service, count }) => [service, count])).toEqual([['db.example.com', 2]]);
  expect(services[0]?.latency).toMatchObject({ count: 2, max: 90e6 });
  expect(routes[0]?.statuses).toEqual({ 200: 2 });
});

it('asks a source to begin again where a delta is missing', () => {
  const order = new DeltaOrder();
  expect([0, 1, 1, 0, 3, 2].map((sequence) => order.take('a', sequence))).toEqual([
    'add',
    'add',
    'repeated',
    'repeated',
    'missing',
    'add',
  ]);
  expect(order.take('b', 0)).toBe('add');
  order.forget('a');
  expect(order.take('a', 0)).toBe('add');
});

it('keeps the most frequent rows, counts everything, and marks what it may have missed', () => {
  const totals = new SummaryTotals();
  for (let number = 0; number < TOTALS_ROWS + 100; number += 1) {
    // The frequent ones come last.
    const row = { counts: { count: number < TOTALS_ROWS ? 1 : 50 }, times: {}, statuses: [] };
    totals.tables.routes.row({ service: `s${number}`, protocol: 'http', route: 'GET /' }).addState(row);
  }
  const { routes } = makeReport(totals);
  expect(routes.reduce((sum, { count }) => sum + count, 0)).toBe(TOTALS_ROWS + 100 * 50);
  expect(routes.length).toBeLessThanOrEqual(TOTALS_ROWS + 1);
  expect(routes[0]).toMatchObject({ service: 'other', protocol: 'other', route: 'other', count: 1024 });
  expect(routes.slice(1, 101).every(({ count, missed }) => count === 50 && missed === 1)).toBe(true);
  const again = added([sent(totals)]);
  expect(makeReport(again).routes).toEqual(routes);
  expect(again.tables.routes.floor).toBe(1);
});

const ROW = [['web', 'http', '/'], { count: 1 }];
const LATENCY = (latency: unknown) => ({ tables: { routes: [[['web', 'http', '/'], { count: 1, latency }]] } });

it.each<[string, Readonly<Record<string, unknown>>]>([
  ['another kind', { kind: 'summary' }],
  ['another version', { v: 2 }],
  ['times that are no numbers', { first: 'x', last: '1' }],
  ['only one time', { first: '1' }],
  ['a first packet after the last', { first: '2', last: '1' }],
  ['a time beyond all', { first: '1', last: '9999999999999999999' }],
  ['a table that is no list', { tables: { routes: {} } }],
  ['a row twice', { tables: { routes: [ROW, ROW] } }],
  ['a key that is too short', { tables: { routes: [[['web'], { count: 1 }]] } }],
  ['a key that is too long', { tables: { routes: [[['w'.repeat(9999), 'http', '/'], { count: 1 }]] } }],
  ['a row that is no object', { tables: { routes: [[['web', 'http', '/'], 1]] } }],
  ['a negative count', { tables: { routes: [[['web', 'http', '/'], { count: -1 }]] } }],
  ['a count that is no whole number', { tables: { routes: [[['web', 'http', '/'], { count: 1.5 }]] } }],
  ['a count beyond whole numbers', { tables: { routes: [[['web', 'http', '/'], { count: 1e300 }]] } }],
  ['no histogram', LATENCY([1])],
  ['half a bucket', LATENCY({ sum: 1, max: 1, buckets: [1] })],
  ['buckets out of order', LATENCY({ sum: 1, max: 1, buckets: [2, 1, 1, 1] })],
  ['a bucket twice', LATENCY({ sum: 1, max: 1, buckets: [2, 1, 2, 1] })],
  ['a bucket below all', LATENCY({ sum: 1, max: 1, buckets: [-5000, 1] })],
  ['a bucket beyond all', LATENCY({ sum: 1, max: 1, buckets: [1e9, 1] })],
  ['a sum that is no number', LATENCY({ sum: null, max: 1, buckets: [1, 1] })],
  ['a negative maximum', LATENCY({ sum: 1, max: -1, buckets: [1, 1] })],
  ['a port beyond all', { tables: { tcp: [[['web', 70_000], { connections: 1 }]] } }],
  [
    'a status twice',
    {
      tables: {
        routes: [
          [
            ['a', 'b', 'c'],
            {
              statuses: [
                ['200', 1],
                ['200', 1],
              ],
            },
          ],
        ],
      },
    },
  ],
  ['an unknown transport', { flows: [['quic', 1]] }],
  ['an event without a code', { events: [{ protocol: 'tcp', count: 1 }] }],
  ['a flow that is none', { worst: [{ trouble: 1, record: { time: 'now' } }] }],
  ['too many pods', { active: Array.from({ length: 20_000 }, (_, number) => `shop/web-${number}`) }],
  ['a floor that is no number', { floors: { routes: -1 } }],
  ['a pod that is no text', { captured: [[1]] }],
])('refuses %s', (_, members) => {
  const document = { kind: 'summary-state', v: 1, ...members };
  expect(() => readState(document, { where: 'state' })).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
});

it('takes no member of a prototype for a count, and no such name for one', () => {
  const text =
    '{"kind":"summary-state","v":1,"tables":{"services":[[["__proto__","constructor"],{"count":3}]],"routes":[[["__proto__","constructor","toString"],{"count":3,"__proto__":{"failed":9},"statuses":[["__proto__",3]]}]]}}';
  const { routes, services } = makeReport(added([JSON.parse(text)]));
  expect(services[0]).toMatchObject({ service: '__proto__', count: 3, failed: 0 });
  expect(Object.entries(routes[0]?.statuses ?? {})).toEqual([['__proto__', 3]]);
});

it('reads or refuses whatever a document is changed to', () => {
  const random = seeded(99);
  const whole = part();
  for (const happening of happenings(40, random)) happening(whole);
  const text = JSON.stringify(stateDocument(stateOf(whole.totals())));
  let read = 0;
  for (let round = 0; round < 400; round += 1) {
    const at = Math.floor(random() * text.length);
    const put = ['-', '9', '"', '[', '}', 'null', '1e999', ',', '0'][Math.floor(random() * 9)] ?? '';
    const changed = text.slice(0, at) + put + text.slice(at + Math.floor(random() * 3));
    let document: unknown;
    try {
      document = JSON.parse(changed);
    } catch {
      continue;
    }
    try {
      const report = makeReport(added([document]));
      read += 1;
      for (const { count, failed } of report.services) expect(Number.isFinite(count + failed)).toBe(true);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'INVALID_MESSAGE' });
    }
  }
  expect(read).toBeGreaterThan(10);
});
