import { expect, test } from 'vitest';
import { Document, i32le } from '../../../../src/analyze/protocols/mongodb/bson.ts';
import { Random } from '../../../support/random.ts';

/** One element of a document (bsonspec.org, version 1.1), and what is read of its value. */
interface Element {
  readonly type: number;
  readonly value: Buffer;
  readonly text?: string;
  readonly number?: number;
}

function le(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
const text = (value: string) => Buffer.concat([le(Buffer.byteLength(value) + 1), Buffer.from(`${value}\0`)]);
const document = (elements: readonly (readonly [string, Element])[]): Buffer => {
  const body = Buffer.concat([
    ...elements.map(([name, { type, value }]) => Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), value])),
    Buffer.of(0),
  ]);
  return Buffer.concat([le(body.length + 4), body]);
};

function made(random: Random): Element {
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  const word = 'größe shop.cart'.slice(0, random.below(16));
  const several = () => document(Array.from({ length: random.below(3) }, (_, at) => [`${at}`, made(random)] as const));
  switch (random.below(17)) {
    case 0: {
      const value = bytes(8);
      value[7] = 0x40;
      return { type: 1, value, number: value.readDoubleLE() };
    }
    case 1:
      return { type: 2, value: text(word), text: word };
    case 2:
      return { type: 3, value: several() };
    case 3:
      return { type: 4, value: several() };
    case 4: {
      const inner = bytes(random.below(6));
      return { type: 5, value: Buffer.concat([le(inner.length), Buffer.of(0), inner]) };
    }
    case 5: {
      const on = random.below(2);
      return { type: 8, value: Buffer.of(on), number: on };
    }
    case 6: {
      const value = bytes(4);
      return { type: 16, value, number: value.readInt32LE() };
    }
    case 7: {
      const value = bytes(8);
      return { type: 18, value, number: Number(value.readBigInt64LE()) };
    }
    case 8:
      return { type: 13, value: text(word) };
    case 9:
      return { type: 14, value: text(word) };
    case 10: {
      const inner = Buffer.concat([text(word), several()]);
      return { type: 15, value: Buffer.concat([le(inner.length + 4), inner]) };
    }
    default: {
      // Undefined, ObjectId, date, null, timestamp, decimal128, the greatest and the least key.
      const fixed = [
        [6, 0],
        [7, 12],
        [9, 8],
        [10, 0],
        [17, 8],
        [19, 16],
        [0x7f, 0],
        [0xff, 0],
      ] as const;
      const [type, length] = fixed[random.below(fixed.length)] ?? [10, 0];
      return { type, value: bytes(length) };
    }
  }
}

/** All that is read of a document. */
function read(walker: Document) {
  const found: unknown[] = [];
  while (walker.next()) {
    const { type, name, valueStart, valueEnd } = walker;
    const isOwn = walker.is(name);
    const isOther =
      walker.is(`${name}x`) || walker.is(`y${name.slice(1)}`) || (name !== '' && walker.is(name.slice(1)));
    found.push({ type, name, isOwn, isOther, valueStart, valueEnd, text: walker.text(), number: walker.number() });
  }
  return found;
}

test('documents of all types of values are walked as they were written; cut anywhere, as far as they came', () => {
  const walker = new Document();
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = new Random(seed);
    const elements = Array.from(
      { length: random.below(7) },
      (_, at) => [`name${at}`.slice(0, 1 + random.below(5)), made(random)] as const,
    );
    const bytes = document(elements);
    const start = 2;
    const padded = Buffer.concat([Buffer.of(7, 7), bytes, Buffer.from('\x10next\0\x01\0\0\0\0', 'latin1')]);
    const places: number[] = [];
    let at = start + 4;
    const expected = elements.map(([name, element]) => {
      const valueStart = at + 1 + name.length + 1;
      at = valueStart + element.value.length;
      places.push(valueStart);
      return {
        type: element.type,
        name,
        isOwn: true,
        isOther: false,
        valueStart,
        valueEnd: at,
        text: element.text ?? '',
        number: element.number,
      };
    });
    walker.open(padded, start, padded.length);
    expect(read(walker), `seed ${seed}`).toEqual(expected);
    for (let end = start; end < start + bytes.length; end += 1) {
      walker.open(padded, start, end);
      for (const [index, whole] of expected.entries()) {
        const type = elements[index]?.[1].type ?? 0;
        const isMeasured = [2, 3, 4, 5, 13, 14, 15].includes(type);
        // Its name, and its length where the type alone does not give it.
        const isThere = whole.valueStart + (isMeasured ? 4 : 0) <= end;
        if (!walker.next()) {
          expect(isThere, `seed ${seed}, ${end}, ${index}`).toBe(false);
          break;
        }
        expect({
          type: walker.type,
          name: walker.name,
          start: walker.valueStart,
          end: walker.valueEnd,
          isThere,
        }).toEqual({ type: whole.type, name: whole.name, start: whole.valueStart, end: whole.valueEnd, isThere: true });
        expect(walker.number()).toBe(whole.valueEnd <= end ? whole.number : undefined);
        if (type === 2 && whole.valueEnd > end)
          expect(walker.text().replace(/\uFFFD$/, '').length).toBeLessThanOrEqual(whole.text.length);
      }
    }
    walker.close();
    expect(walker.next()).toBe(false);
  }
});

const int32 = (value: number): Element => ({ type: 16, value: le(value), number: value });
const names = (walker: Document) => {
  const found: string[] = [];
  while (walker.next()) found.push(walker.name);
  return found;
};
const opened = (bytes: Buffer) => {
  const walker = new Document();
  walker.open(bytes, 0, bytes.length);
  return walker;
};

test('256 elements, names of 255 bytes and 1,024 bytes of a text are looked at, not more', () => {
  const many = document(Array.from({ length: 300 }, (_, at) => [`a${at}`, int32(at)] as const));
  expect(names(opened(many))).toHaveLength(256);
  for (const [length, count] of [
    [254, 1],
    [255, 1],
    [256, 0],
  ] as const) {
    expect(names(opened(document([['n'.repeat(length), int32(1)]]))), `${length}`).toHaveLength(count);
  }
  for (const length of [1023, 1024, 1025]) {
    const walker = opened(document([['t', { type: 2, value: text('t'.repeat(length)) }]]));
    expect([walker.next(), walker.text()]).toEqual([true, 't'.repeat(Math.min(length, 1024))]);
  }
});

test('what no document has ends the walk: types that do not exist, lengths below their least', () => {
  const after = (type: number, value: Buffer) =>
    names(
      opened(
        document([
          ['a', int32(1)],
          ['b', { type, value }],
          ['c', int32(1)],
        ]),
      ),
    );
  for (const type of [11, 12, 20, 21, 0x40, 0x7e, 0x80, 0xfe])
    expect(after(type, Buffer.alloc(8)), `${type}`).toEqual(['a']);
  for (const type of [2, 3, 4, 5, 13, 14, 15]) expect(after(type, le(-1)), `${type}`).toEqual(['a']);
  for (const type of [3, 4, 15]) {
    expect(after(type, le(3)), `${type}`).toEqual(['a']);
    expect(after(type, le(4))).toEqual(['a', 'b', 'c']);
  }
  expect(after(2, le(0))).toEqual(['a', 'b', 'c']);
  // A document that states fewer bytes than it has ends there; one of less than its length has nothing.
  const bytes = document([
    ['a', int32(1)],
    ['b', int32(2)],
  ]);
  bytes.writeInt32LE(12, 0);
  expect(names(opened(bytes))).toEqual(['a']);
  bytes.writeInt32LE(-5, 0);
  expect(names(opened(bytes))).toEqual([]);
  const walker = new Document();
  walker.open(bytes, 0, 3);
  expect(walker.next()).toBe(false);
  expect([i32le(Buffer.from('01020384', 'hex'), 0), i32le(Buffer.from('ff01020304', 'hex'), 1)]).toEqual([
    -2_080_177_663, 0x04030201,
  ]);
});

test('the last bytes of a message, kept apart from its first ones, are walked behind a value that leads into them', () => {
  const elements: (readonly [string, Element])[] = [
    ['find', { type: 2, value: text('cart') }],
    ['filter', { type: 3, value: document([['x', { type: 2, value: text('y'.repeat(500)) }]]) }],
    ['limit', int32(5)],
    ['$db', { type: 2, value: text('shop') }],
  ];
  const bytes = document(elements);
  const limitAt = bytes.indexOf('\x10limit');
  for (let from = limitAt - 300; from <= limitAt; from += 50) {
    // 100 bytes of its beginning, then those from `from` on.
    const kept = Buffer.concat([bytes.subarray(0, 100), bytes.subarray(from)]);
    const walker = new Document();
    walker.open(kept, 0, 100, { from, start: 100, end: kept.length });
    const found: unknown[] = [];
    while (walker.next()) found.push([walker.name, walker.text() || walker.number()]);
    expect(found).toEqual([
      ['find', 'cart'],
      ['filter', undefined],
      ['limit', 5],
      ['$db', 'shop'],
    ]);
    // Without them, or where they begin behind the value, it is not known what follows.
    walker.open(kept, 0, 100);
    expect(names(walker)).toEqual(['find', 'filter']);
    walker.open(kept, 0, 100, { from: limitAt + 1, start: 100, end: kept.length });
    expect(names(walker)).toEqual(['find', 'filter']);
  }
});
