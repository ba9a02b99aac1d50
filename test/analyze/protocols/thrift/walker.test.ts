import { describe, expect, test } from 'vitest';
import { isCompact, ThriftWalker } from '../../../../src/analyze/protocols/thrift/walker.ts';
import { Random } from '../../../support/random.ts';

/** A value in both encodings (Thrift's specifications of its binary and compact protocol). */
interface Value {
  readonly binaryType: number;
  readonly compactType: number;
  readonly binary: Buffer;
  readonly compact: Buffer;
  /** As a field of the compact protocol: a bool is its type alone. */
  readonly field: Buffer;
}

const be = (value: number, bytes: number) => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
};
function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let left = BigInt(value);
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
}
const zigzag = (value: number) => varint(value < 0 ? -2 * value - 1 : 2 * value);
const same = (binaryType: number, compactType: number, binary: Buffer, compact = binary): Value => ({
  binaryType,
  compactType,
  binary,
  compact,
  field: compact,
});

const KINDS = [
  'bool',
  'byte',
  'i16',
  'i32',
  'i64',
  'double',
  'uuid',
  'string',
  'list',
  'set',
  'map',
  'struct',
] as const;
type Kind = (typeof KINDS)[number];

function made(kind: Kind, random: Random, depth: number): Value {
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  switch (kind) {
    case 'bool': {
      const on = random.below(2) === 1;
      return { ...same(2, on ? 1 : 2, Buffer.of(Number(on))), field: Buffer.alloc(0) };
    }
    case 'byte':
      return same(3, 3, bytes(1));
    case 'i16':
      return same(6, 4, bytes(2), zigzag(random.below(65_536) - 32_768));
    case 'i32':
      return same(8, 5, bytes(4), zigzag(random.below(2 ** 32) - 2 ** 31));
    case 'i64':
      return same(10, 6, bytes(8), varint(BigInt.asUintN(64, bytes(8).readBigUInt64BE() >> BigInt(random.below(60)))));
    case 'double':
      return same(4, 7, bytes(8));
    case 'uuid':
      return same(16, 13, bytes(16));
    case 'string': {
      const text = bytes(random.below(140));
      return same(11, 8, Buffer.concat([be(text.length, 4), text]), Buffer.concat([varint(text.length), text]));
    }
    case 'struct':
      return madeStruct(random, depth);
    default:
      return container(kind, random, depth);
  }
}

const anyKind = (random: Random, depth: number) => KINDS[random.below(depth < 3 ? KINDS.length : 8)] as Kind;

function container(kind: 'list' | 'set' | 'map', random: Random, depth: number): Value {
  const count = random.below(8) === 0 ? 14 + random.below(3) : random.below(4);
  // The elements are of one kind; an empty container still names it.
  const kinds = [anyKind(random, depth + 1), anyKind(random, depth + 1)] as const;
  const of = (which: Kind) => Array.from({ length: Math.max(1, count) }, () => made(which, random, depth + 1));
  const [keys, values] = [of(kinds[0]), of(kinds[1])];
  const [key, value] = [keys[0] as Value, values[0] as Value];
  const pairs = Array.from({ length: count }, (_, at) =>
    kind === 'map' ? [keys[at] as Value, values[at] as Value] : [keys[at] as Value],
  ).flat();
  const types = kind === 'map' ? [key.binaryType, value.binaryType] : [key.binaryType];
  const body = Buffer.concat(pairs.map(({ compact }) => compact));
  const isLong = count >= 15;
  const short = Buffer.of(((isLong ? 15 : count) << 4) | key.compactType);
  const compact =
    kind === 'map'
      ? [varint(count), count === 0 ? Buffer.alloc(0) : Buffer.of((key.compactType << 4) | value.compactType)]
      : [short, isLong ? varint(count) : Buffer.alloc(0)];
  return same(
    { list: 15, set: 14, map: 13 }[kind],
    { list: 9, set: 10, map: 11 }[kind],
    Buffer.concat([Buffer.from(types), be(count, 4), ...pairs.map(({ binary }) => binary)]),
    Buffer.concat([...compact, body]),
  );
}

/** Fields with their numbers. */
function struct(fields: readonly (readonly [number, Value])[]): Value {
  let last = 0;
  const binary: Buffer[] = [];
  const compact: Buffer[] = [];
  for (const [id, value] of fields) {
    binary.push(Buffer.of(value.binaryType), be(id, 2), value.binary);
    const step = id - last;
    if (step > 0 && step < 16) compact.push(Buffer.of((step << 4) | value.compactType));
    else compact.push(Buffer.of(value.compactType), zigzag(id));
    compact.push(value.field);
    last = id;
  }
  const end = Buffer.of(0);
  return same(12, 12, Buffer.concat([...binary, end]), Buffer.concat([...compact, end]));
}

function madeStruct(random: Random, depth: number): Value {
  let id = random.below(4) === 0 ? random.below(65_536) - 32_768 : 0;
  return struct(
    Array.from({ length: random.below(4) }, () => {
      id = Math.min(32_767, id + 1 + random.below(20));
      return [id, made(anyKind(random, depth + 1), random, depth + 1)] as const;
    }),
  );
}

const head = (isBinary: boolean, type: number, name: string, sequence: number) =>
  isBinary
    ? Buffer.concat([Buffer.of(0x80, 1, 0, type), be(name.length, 4), Buffer.from(name), be(sequence | 0, 4)])
    : Buffer.concat([Buffer.of(0x82, (type << 5) | 1), varint(sequence), varint(name.length), Buffer.from(name)]);
const messageOf = (isBinary: boolean, value: Value, type = 1, name = 'get', sequence = 7) =>
  Buffer.concat([head(isBinary, type, name, sequence), isBinary ? value.binary : value.compact]);

const walker = new ThriftWalker();
/** Between other bytes. */
const lengthOf = (bytes: Buffer, end = bytes.length) =>
  walker.length(Buffer.concat([Buffer.of(1), bytes.subarray(0, end), Buffer.alloc(20, 0xff)]), 1, 1 + end);

test.each([true, false])(
  'messages of all types of fields, within each other; every beginning needs more (binary: %s)',
  (isBinary) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = new Random(seed);
      const type = 1 + random.below(4);
      const name = '_aZ9.:$xyz'.slice(random.below(3)).repeat(1 + random.below(3));
      const sequence = random.below(2) === 0 ? random.below(300) : random.below(2 ** 32);
      let first = random.below(3) === 0 ? random.below(65_536) - 32_768 : 1 + random.below(15);
      const fields = Array.from({ length: random.below(4) }, () => {
        first += 1;
        return [first - 1, made(anyKind(random, 0), random, 0)] as const;
      });
      const bytes = messageOf(isBinary, struct(fields), type, name, sequence);
      const headLength = head(isBinary, type, name, sequence).length;
      expect(lengthOf(bytes), `seed ${seed}`).toBe(bytes.length);
      expect(isCompact(bytes, 0)).toBe(!isBinary);
      const padded = Buffer.concat([Buffer.of(9), bytes, Buffer.of(9)]);
      const field = fields[0]?.[0] ?? -1;
      const error = type === 3 && fields[0]?.[0] === 1 && fields[0][1].binaryType === 11 ? expect.any(String) : '';
      expect(walker.message(padded, 1, 1 + bytes.length)).toEqual({ type, name, sequence, field, error });
      const step = bytes.length > 200 ? 11 : 1;
      for (let end = 0; end < bytes.length; end += step) {
        expect(lengthOf(bytes, end), `seed ${seed}, ${end} bytes`).toBeUndefined();
        expect(walker.headType(bytes, 0, end)).toBe(end < headLength ? undefined : type);
        if (end < headLength) expect(walker.message(bytes, 0, end)).toBeUndefined();
      }
    }
  },
);

const text = (value: string) =>
  same(
    11,
    8,
    Buffer.concat([be(value.length, 4), Buffer.from(value)]),
    Buffer.concat([varint(value.length), Buffer.from(value)]),
  );
const nested = (levels: number): Value => (levels === 0 ? struct([]) : struct([[1, nested(levels - 1)]]));
const list = (type: { binary: number; compact: number }, item: Value): Value =>
  same(
    15,
    9,
    Buffer.concat([Buffer.of(type.binary), be(1, 4), item.binary]),
    Buffer.concat([Buffer.of(0x10 | type.compact), item.compact]),
  );
const lists = (levels: number): Value =>
  levels === 0
    ? same(3, 3, Buffer.of(5))
    : list(levels === 1 ? { binary: 3, compact: 3 } : { binary: 15, compact: 9 }, lists(levels - 1));

describe.each([true, false])('binary: %s', (isBinary) => {
  test('the text of an exception of the protocol is its field 1, at most 256 bytes; of other messages it is not read', () => {
    const errorOf = (value: Value, type: number) => {
      const bytes = messageOf(isBinary, value, type);
      return walker.message(bytes, 0, bytes.length)?.error;
    };
    expect(
      errorOf(
        struct([
          [1, text('unknown method')],
          [2, text('b')],
        ]),
        3,
      ),
    ).toBe('unknown method');
    expect(errorOf(struct([[1, text('e'.repeat(300))]]), 3)).toBe('e'.repeat(256));
    expect(errorOf(struct([[2, text('b')]]), 3)).toBe('');
    expect(errorOf(struct([[2, struct([[1, text('b')]])]]), 3)).toBe('');
    expect(errorOf(struct([[1, text('b')]]), 2)).toBe('');
    const cut = messageOf(isBinary, struct([[1, text('unknown method')]]), 3);
    expect(walker.message(cut, 0, cut.length - 5)?.error).toBe('unknown me');
    // What the message before had is forgotten.
    expect(errorOf(struct([]), 3)).toBe('');
    expect(
      walker.message(messageOf(isBinary, struct([])), 0, head(isBinary, 1, 'get', 7).length)?.field,
    ).toBeUndefined();
  });

  test('structs and lists within each other: 64 are walked, not more', () => {
    for (const [levels, isOne] of [
      [63, true],
      [64, true],
      [65, false],
    ] as const) {
      const bytes = messageOf(isBinary, nested(levels));
      expect(lengthOf(bytes), `${levels} structs`).toBe(isOne ? bytes.length : 0);
      const many = messageOf(isBinary, struct([[1, lists(levels)]]));
      expect(lengthOf(many), `${levels} lists`).toBe(isOne ? many.length : 0);
    }
  });

  test('names have 1 to 255 bytes of letters, digits and some signs; types are 1 to 4', () => {
    const isOne = (name: string, type = 1) => {
      const bytes = messageOf(isBinary, struct([]), type, name);
      return lengthOf(bytes) === bytes.length;
    };
    expect([isOne('a'), isOne('a'.repeat(255)), isOne('a'.repeat(256)), isOne('')]).toEqual([true, true, false, false]);
    expect(['a b', '9a', 'a\n', '.a', 'a-b', 'a/b'].map((name) => isOne(name))).toEqual(Array(6).fill(false));
    expect([0, 1, 4, 5, 7].map((type) => isOne('a', type))).toEqual([false, true, true, false, false]);
    // The first letters are enough.
    expect(walker.headType(messageOf(isBinary, struct([]), 1, '9abc'), 0, isBinary ? 9 : 5)).toBe(0);
  });
});

test('what is none: lengths below 0, numbers that are too long, types that do not exist', () => {
  const after = (isBinary: boolean, ...bytes: number[]) =>
    lengthOf(Buffer.concat([head(isBinary, 1, 'get', 7), Buffer.from(bytes), Buffer.alloc(40)]));
  const none = (isBinary: boolean, type: number, ...bytes: number[]) =>
    after(isBinary, type, ...(isBinary ? [0, 1] : []), ...bytes);
  for (const type of [1, 5, 7, 9, 17, 255]) expect(none(true, type), `binary ${type}`).toBe(0);
  for (const type of [0x1e, 0x1f]) expect(none(false, type), `compact ${type}`).toBe(0);
  expect(none(true, 11, 0xff, 0xff, 0xff, 0xff)).toBe(0);
  expect(none(true, 15, 3, 0xff, 0, 0, 0)).toBe(0);
  // A varint of 32 bits has 5 bytes, one of 64 bits 10.
  expect(none(false, 0x18, 0xff, 0xff, 0xff, 0xff, 0x0f)).toBeUndefined();
  expect(none(false, 0x18, 0xff, 0xff, 0xff, 0xff, 0x10)).toBe(0);
  expect(none(false, 0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0)).toBe(0);
  expect(none(false, 0x16, ...Array(9).fill(0x80), 1, 0)).toBeGreaterThan(0);
  expect(none(false, 0x16, ...Array(10).fill(0x80), 1, 0)).toBe(0);
  expect(lengthOf(Buffer.of(0x80, 2, 0, 1, 0, 0, 0, 1, 0x61, 0, 0, 0, 1, 0))).toBe(0);
  expect(lengthOf(Buffer.of(0x80, 1, 1, 1, 0, 0, 0, 1, 0x61, 0, 0, 0, 1, 0))).toBe(0);
  expect(lengthOf(Buffer.of(0x80, 1, 0, 1, 0xff, 0, 0, 1, 0x61, 0, 0, 0, 1, 0))).toBe(0);
  expect(lengthOf(Buffer.of(0x82, 0x22, 1, 1, 0x61, 0))).toBe(0);
});
