import { expect, test } from 'vitest';
import { repeatedParts, repeatedShape } from '../../../src/analyze/found/repeated-shape.ts';
import { WrongShape } from '../../../src/analyze/found/shape.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { ExchangeRow } from '../../../src/analyze/summary/exchange-rows.ts';

const EXCHANGE: Exchange = {
  kind: 'exchange',
  protocol: 'http',
  label: '',
  fields: {},
  time: 100,
  requestEnd: 100,
  responseTime: 900,
  responseEnd: 900,
  requestBytes: 1,
  responseBytes: 2,
  status: '200',
  failed: false,
  route: 'GET /',
};
const BY = { shift: 0, host: () => -1, interfaceId: () => 0 };

/** Parts as they travel. @param took ns, of each exchange */
function partsOf(took: readonly number[], ids: readonly number[] = []): unknown {
  const row = new ExchangeRow();
  for (const each of took) row.add({ ...EXCHANGE, responseTime: 100 + each / 2, responseEnd: 100 + each });
  const { times } = row.state();
  const sums = { count: took.length, first: 100, requestBytes: row.requestBytes, responseBytes: row.responseBytes };
  return JSON.parse(JSON.stringify(repeatedParts({ exchange: EXCHANGE, ...sums, times, requestIds: ids }, 0)));
}

test('what was added up is the same where it is read', () => {
  const took = [1, 2, 3, 1e3, 1e6, 1e6, 1_000_001, 99e6, 2 ** 53];
  const ids = [0, 1, 2 ** 32 - 1, 0x1234_5678];
  const row = new ExchangeRow();
  for (const each of took) row.add({ ...EXCHANGE, responseTime: 100 + each / 2, responseEnd: 100 + each });
  const read = repeatedShape(EXCHANGE, partsOf(took, ids), BY);
  expect(read).toMatchObject({ count: 9, first: 100, requestBytes: 9, responseBytes: 18, requestIds: ids });
  expect(read.times).toEqual(row.state().times);
  expect(ExchangeRow.of(read).state()).toEqual(row.state());
});

const PARTS = partsOf([5e6, 6e6], [7]) as readonly unknown[];
const changed = (at: number, value: unknown) => PARTS.map((part, index) => (index === at ? value : part));
const buckets = (text: unknown) => changed(4, [[1, 1, text], ...(PARTS[4] as unknown[]).slice(1)]);

test.each([
  ['no list', 'none'],
  ['too few parts', PARTS.slice(1)],
  ['no exchange at all', changed(0, 0)],
  ['half an exchange', changed(0, 1.5)],
  ['more than are counted', changed(0, 2 ** 33)],
  ['no time', changed(1, 'then')],
  ['less than no bytes', changed(2, -1)],
  ['no durations', changed(4, [])],
  ['buckets that are no text', buckets(5)],
  ['a bucket before the first', buckets('-zzz')],
  ['a bucket behind the last', buckets('zzz')],
  ['a bucket twice', buckets('5 0')],
  ['buckets in the wrong order', buckets('5 -1')],
  ['a count of none', buckets('5:0')],
  ['a count beyond a bucket', buckets('5:zzzzzzz')],
  ['what is no number', buckets('5:!')],
  ['two spaces', buckets('5  1')],
  ['a long text', buckets('1 '.repeat(1e6))],
  ['more ids than exchanges', changed(5, Buffer.alloc(12).toString('base64'))],
  ['half an id', changed(5, Buffer.alloc(3).toString('base64'))],
  ['ids that are no base64', changed(5, '!!!!')],
])('is refused: %s', (_what, parts) => {
  expect(() => repeatedShape(EXCHANGE, parts, BY)).toThrow(WrongShape);
});

test('exchanges that failed or are not whole are never added up', () => {
  expect(repeatedShape(EXCHANGE, PARTS, BY).count).toBe(2);
  expect(() => repeatedShape({ ...EXCHANGE, failed: true }, PARTS, BY)).toThrow(WrongShape);
  expect(() => repeatedShape({ ...EXCHANGE, incomplete: 'reset' }, PARTS, BY)).toThrow(WrongShape);
});
