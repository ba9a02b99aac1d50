import { expect, test } from 'vitest';
import { ColumnBytes, WrongColumns } from '../../../src/wire/found-columns/bytes.ts';
import { FoundColumnsReader } from '../../../src/wire/found-columns/reader.ts';
import { SLOT } from '../../../src/wire/found-columns/template.ts';
import { FoundColumnsWriter } from '../../../src/wire/found-columns/writer.ts';
import { Random } from '../../support/random.ts';

const AT = { interfaceId: 0, time: 1n };

interface Batch {
  readonly begins?: number;
  readonly templates?: readonly string[];
  readonly order?: readonly number[];
  /** Varints: steps of time, then values. */
  readonly values?: readonly number[];
  readonly literals?: string;
  readonly literalBytes?: bigint;
}

function batch({
  begins = 1,
  templates = [],
  order = [],
  values = [],
  literals = '',
  literalBytes,
}: Batch): Uint8Array {
  const bytes = new ColumnBytes();
  bytes.varint(begins);
  bytes.varint(0);
  bytes.long(1n);
  bytes.varint(templates.length);
  for (const text of templates) {
    bytes.varint(Buffer.byteLength(text));
    bytes.text(text);
  }
  bytes.varint(order.length);
  for (const index of order) bytes.varint(index);
  for (const value of values) bytes.varint(value);
  const length = bytes.text(literals);
  bytes.long(literalBytes ?? BigInt(length));
  return Uint8Array.from(bytes.take());
}

test('a batch as this test makes them is read', () => {
  const bytes = batch({
    templates: [`["e",${SLOT.number},${SLOT.string}]`],
    order: [0],
    values: [4, 14, 1, 2],
    literals: 'ab',
  });
  expect(new FoundColumnsReader().read(bytes)).toEqual([{ interfaceId: 0, time: 1n, json: '["e",5,"ab"]' }]);
});

const MANY = (value: number, count: number) => Array.from({ length: count }, () => value);

test.each<[string, Uint8Array]>([
  ['nothing', Uint8Array.of()],
  ['a template that is not known', batch({ order: [0], values: [4] })],
  ['more texts than a batch has', batch({ templates: ['[]'], order: MANY(0, 65_537), values: MANY(0, 65_537) })],
  ['too many templates', batch({ templates: Array.from({ length: 1_025 }, () => '[]') })],
  ['too many slots', batch({ templates: [SLOT.number.repeat(16_385)] })],
  ['a template that is too long', batch({ templates: ['x'.repeat(1024 * 1024 + 1)] })],
  [
    'few bytes that stand for many characters',
    batch({ templates: ['x'.repeat(1_000)], order: MANY(0, 5_000), values: MANY(3, 5_000) }),
  ],
  ['a string that is not remembered', batch({ templates: [SLOT.string], order: [0], values: [4, 77] })],
  ['a string before the first', batch({ templates: [SLOT.string], order: [0], values: [4, 0] })],
  [
    'a string longer than what follows',
    batch({ templates: [SLOT.string], order: [0], values: [4, 1, 9], literals: 'ab' }),
  ],
  ['a list that is too long', batch({ templates: [SLOT.numbers], order: [0], values: [4, 4_000_000] })],
  [
    'a list that fits into no block',
    batch({ templates: [SLOT.numbers], order: [0], values: [4, 40_000, ...MANY(0, 160_000)] }),
  ],
  ['a time that is none', batch({ templates: ['[]'], order: [0], values: [1] })],
  ['values that nobody reads', batch({ templates: ['[]'], order: [0], values: [4, 3] })],
  ['literals that nobody reads', batch({ templates: ['[]'], order: [0], values: [4], literals: 'x' })],
  ['literals that are not there', batch({ literalBytes: 100n })],
  ['literals of 2^64 bytes', batch({ literalBytes: 2n ** 64n - 1n })],
])('%s is refused', (_what, bytes) => {
  expect(() => new FoundColumnsReader().read(bytes)).toThrow(WrongColumns);
});

test('changed bytes make other texts, or are refused', () => {
  const random = new Random(3);
  const writer = new FoundColumnsWriter();
  for (let index = 0; index < 50; index += 1) {
    writer.add(AT, ['e', index, { s: `v${index % 7}`, list: Array.from({ length: 12 }, (_, at) => at * index) }, 0.5]);
  }
  const whole = Uint8Array.from(writer.take());
  let refused = 0;
  for (let round = 0; round < 4_000; round += 1) {
    const bytes = Uint8Array.from(random.below(4) === 0 ? whole.subarray(0, random.below(whole.length)) : whole);
    for (let change = 0; change < 1 + random.below(3); change += 1)
      bytes[random.below(bytes.length)] = random.below(256);
    try {
      new FoundColumnsReader().read(bytes);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(WrongColumns);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(500);
});
