import { expect, test } from 'vitest';
import { FoundColumnsReader } from '../../../src/wire/found-columns/reader.ts';
import { FoundColumnsWriter } from '../../../src/wire/found-columns/writer.ts';
import { Random } from '../../support/random.ts';

const AT = { interfaceId: 3, time: 1_795_000_000_123_456_789n };

/** What the reader makes of values, in batches as they become full or after each `every` of them. */
function roundTrip(values: readonly unknown[], every = Number.POSITIVE_INFINITY): string[] {
  const [writer, reader] = [new FoundColumnsWriter(), new FoundColumnsReader()];
  const texts: string[] = [];
  const send = () => {
    if (!writer.isEmpty) texts.push(...reader.read(Uint8Array.from(writer.take())).map(({ json }) => json));
  };
  for (const [index, value] of values.entries()) {
    if (writer.add(AT, value) === 'full') {
      send();
      expect(writer.add(AT, value)).toBe('added');
    }
    if ((index + 1) % every === 0) send();
  }
  send();
  return texts;
}

const VALUES: readonly unknown[] = [
  [],
  {},
  ['e', 0, null, true, false, { a: undefined, b: [undefined, Number.NaN, Number.POSITIVE_INFINITY] }],
  [0, -0, 1, -1, 2 ** 51, -(2 ** 51), 2 ** 53, 1e300, 0.1, 5e-324],
  [1, 2, 3, 4, 5, 6, 7, 8],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 2, 3, 4, 5, 6, 7, Number.NaN],
  ['', '"', '\\', '\n\u0001\u0002\u0003', 'é€😀', '\ud800', '\udc00x', 'x'.repeat(1_000)],
  { '"\u0001\u0002': { '': 1 }, __proto__x: 'y', length: 3 },
];

test.each([1, 2, 1_000])('values become the JSON that they are, %i in a batch', (every) => {
  const values = [...VALUES, ...VALUES, ...VALUES.toReversed()];
  expect(roundTrip(values, every)).toEqual(values.map((value) => JSON.stringify(value)));
});

test('numbers that count up are exact and take next to nothing', () => {
  const ups = [-2, -1, -0, 1, 2, 0.5, 1.5, 2 ** 51 - 1, 2 ** 51, 2 ** 51 + 1, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2];
  expect(
    roundTrip(
      ups.map((up) => ['b', up]),
      4,
    ),
  ).toEqual(ups.map((up) => JSON.stringify(['b', up])));
  const writer = new FoundColumnsWriter();
  for (let id = 1_000_000; id < 1_001_000; id += 1) writer.add(AT, ['b', id, 1]);
  const { length } = writer.take();
  for (let id = 0; id < 1_000; id += 1) writer.add(AT, ['b', id * 2, 1]);
  expect(length).toBeLessThan(writer.take().length * 0.9);
});

test('values made at random become the JSON that they are', () => {
  const random = new Random(7);
  const one = (depth: number): unknown => {
    const kind = random.below(depth > 3 ? 4 : 7);
    if (kind === 0) return random.below(3);
    if (kind === 1) return (random.below(2 ** 31) - 2 ** 30) * (random.below(3) === 0 ? 1.5 : 1000);
    if (kind === 2) return `s${random.below(random.below(2) === 0 ? 5 : 100_000)}`;
    if (kind === 3) return [null, true, false, undefined][random.below(4)] ?? null;
    const length = random.below(4);
    if (kind === 4) return Array.from({ length }, () => one(depth + 1));
    if (kind === 5) return Array.from({ length: 4 * length }, () => random.below(1000));
    return Object.fromEntries(Array.from({ length }, (_, index) => [`k${index}`, one(depth + 1)]));
  };
  const values = Array.from({ length: 20_000 }, () => one(0));
  expect(roundTrip(values, 777)).toEqual(values.map((value) => JSON.stringify(value)));
});

test('more templates and strings than are remembered', () => {
  const values = Array.from({ length: 12_000 }, (_, index) => ({
    [`key-${index % 3_000}`]: [`one-${index}`, `two-${index % 5_000}`, index],
  }));
  expect(roundTrip(values, 500)).toEqual(values.map((value) => JSON.stringify(value)));
});

test('times and interfaces are exact, of any distance', () => {
  const [writer, reader] = [new FoundColumnsWriter(), new FoundColumnsReader()];
  const places = [
    AT,
    { interfaceId: 3, time: AT.time - 1n },
    { interfaceId: 3, time: AT.time + 2n ** 49n + 1n },
    { interfaceId: 3, time: 0n },
    { interfaceId: 0, time: 2n ** 64n - 1n },
    { interfaceId: 4_000_000_000, time: 5n },
  ];
  const read: unknown[] = [];
  const send = () => read.push(...reader.read(Uint8Array.from(writer.take())));
  for (const place of places) {
    if (writer.add(place, []) !== 'full') continue;
    send();
    expect(writer.add(place, [])).toBe('added');
  }
  send();
  expect(read).toEqual(places.map((place) => ({ ...place, json: '[]' })));
});

test('what is too long for a block is refused, and leaves nothing behind', () => {
  const [writer, reader] = [new FoundColumnsWriter(), new FoundColumnsReader()];
  expect(writer.add(AT, ['x'.repeat(100_000)])).toBe('long');
  expect(writer.add(AT, ['\u0000'.repeat(20_000)])).toBe('long');
  expect(
    writer.add(
      AT,
      Array.from({ length: 5_000 }, () => ''),
    ),
  ).toBe('long');
  expect(writer.isEmpty).toBe(true);
  expect(writer.add(AT, ['x'.repeat(80_000)])).toBe('added');
  expect(reader.read(Uint8Array.from(writer.take()))[0]?.json).toHaveLength(80_004);
});

test('texts that are alike take a few bytes each', () => {
  const writer = new FoundColumnsWriter();
  for (let index = 0; index < 1_000; index += 1)
    writer.add(AT, ['e', index % 4, { label: 'GET /cart', took: 185_000 }]);
  expect(writer.take().length).toBeLessThan(7_000);
});
