import { expect, test } from 'vitest';
import { type Part, schema } from '../../../../src/analyze/protocols/kafka/schema.ts';
import { type TopicNames, Walker } from '../../../../src/analyze/protocols/kafka/walker.ts';
import { Random } from '../../../support/random.ts';

/** What an encoder has written of what is taken note of. */
interface Noted {
  error: number;
  answered: boolean;
  topics: string[];
  group: string;
  mechanism: string;
  acks: number;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}
function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
}

/** Writes messages as KIP-482 (flexible) and the protocol before it have them. */
class Writer {
  readonly noted: Noted = { error: 0, answered: false, topics: [], group: '', mechanism: '', acks: -1 };
  readonly #random: Random;
  readonly #flexible: boolean;

  constructor(random: Random, flexible: boolean) {
    this.#random = random;
    this.#flexible = flexible;
  }

  structure(parts: readonly Part[], version: number): Buffer {
    return Buffer.concat(
      parts.filter(({ from, to }) => version >= from && version <= to).map((part) => this.#part(part, version)),
    );
  }

  #length(value: number | null, bytes: number): Buffer {
    if (this.#flexible) return varint(value === null ? 0 : value + 1);
    return number(value ?? -1, bytes);
  }

  #text(): [string | undefined, Buffer] {
    if (this.#random.below(6) === 0) return [undefined, this.#length(null, 2)];
    const text = `t${this.#random.below(1000)}`.repeat(1 + this.#random.below(40));
    return [text, Buffer.concat([this.#length(text.length, 2), Buffer.from(text)])];
  }

  #bytes(): Buffer {
    const length = this.#random.below(200);
    return Buffer.concat([this.#length(length, 4), Buffer.alloc(length, 0xff)]);
  }

  #named(what: 'group' | 'mechanism'): Buffer {
    const [text, bytes] = this.#text();
    if (this.noted[what] === '') this.noted[what] = text ?? '';
    return bytes;
  }

  #topic(): Buffer {
    const [text, bytes] = this.#text();
    if (text !== undefined) this.noted.topics.push(text);
    return bytes;
  }

  /** Tagged fields: their count, then a number, a length and bytes of each. */
  #tags(): Buffer {
    if (!this.#flexible) return Buffer.alloc(0);
    const tags = Array.from({ length: this.#random.below(3) }, (_, tag) => {
      const length = this.#random.below(150);
      return Buffer.concat([varint(tag * 100), varint(length), Buffer.alloc(length, 0x80)]);
    });
    return Buffer.concat([varint(tags.length), ...tags]);
  }

  #array(element: () => Buffer): Buffer {
    const random = this.#random;
    if (random.below(6) === 0) return this.#length(null, 4);
    const count = random.below(10) === 0 ? 20 : random.below(4);
    return Buffer.concat([this.#length(count, 4), ...Array.from({ length: count }, element)]);
  }

  #part(part: Part, version: number): Buffer {
    switch (part.kind) {
      case 'skip':
        return Buffer.alloc(part.size, 0x7f);
      case 'string':
        return this.#text()[1];
      case 'bytes':
        return this.#bytes();
      case 'error': {
        const code = [0, 0, 3, 16, -1][this.#random.below(5)] as number;
        this.noted.answered = true;
        if (this.noted.error === 0) this.noted.error = code;
        return number(code, 2);
      }
      case 'topic':
        return this.#topic();
      case 'topicId':
        return Buffer.alloc(16);
      case 'acks':
        this.noted.acks = this.#random.below(3) - 1;
        return number(this.noted.acks, 2);
      case 'group':
      case 'mechanism':
        return this.#named(part.kind);
      case 'numbers':
        return this.#array(() => Buffer.alloc(part.size, 0xff));
      case 'strings':
        return this.#array(() => this.#text()[1]);
      case 'groups':
        return this.#array(() => this.#named('group'));
      case 'topics':
        return this.#array(() => this.#topic());
      default:
        return this.#array(() => Buffer.concat([this.structure(part.parts, version), this.#tags()]));
    }
  }
}

const LINES = [
  'G s 4 M A [ T [ 4 E 8@2 *4 ] *s@1-3 ] b 1',
  '4 [ T 16 [ 4 *8 b ] ] E s@-2 *T',
  '*G [ E s [ T ] ] 2 M b',
  'E 4 *4 *8 *s [ 1 ]',
];
const walker = new Walker();

test('messages of any schema, with and without compact lengths: what was written is noted, and every beginning is not whole', () => {
  for (let seed = 1; seed <= 160; seed += 1) {
    const random = new Random(seed);
    const parts = schema(LINES[seed % LINES.length] ?? '');
    const version = random.below(5);
    const flexible = random.below(2) === 0;
    const writer = new Writer(random, flexible);
    const bytes = writer.structure(parts, version);
    const padded = Buffer.concat([Buffer.of(9, 9), bytes, Buffer.alloc(20, 0xff)]);
    const walk = (end: number, allNames: boolean) =>
      walker.walk(parts, version, flexible, padded, 2, 2 + end, new Map(), false, allNames);
    const { topics, ...noted } = writer.noted;
    for (const allNames of [false, true]) {
      expect(walk(bytes.length, allNames), `seed ${seed}`).toBe(true);
      expect({ ...walker }).toMatchObject({
        ...noted,
        topics: topics.slice(0, allNames ? 16 : 1),
        topicCount: topics.length,
      });
    }
    const step = Math.max(1, bytes.length >> 5);
    for (let end = 0; end < bytes.length; end += step) expect(walk(end, true), `seed ${seed}, ${end}`).toBe(false);
  }
  walker.reset();
  expect({ ...walker }).toMatchObject({
    error: 0,
    answered: false,
    topics: [],
    topicCount: 0,
    group: '',
    mechanism: '',
    acks: -1,
  });
});

const id = (first: number) => Buffer.concat([Buffer.of(first), Buffer.alloc(14), Buffer.of(first)]);
const named = (name: string) => Buffer.concat([number(name.length, 2), Buffer.from(name)]);
const walked = (line: string, bytes: Buffer, names: TopicNames, learn: boolean, allNames = true) =>
  walker.walk(schema(line), 0, false, bytes, 0, bytes.length, names, learn, allNames);

test('ids of topics are learned with the name before them, and looked up; 8,192 are remembered', () => {
  const names: TopicNames = new Map();
  const learned = Buffer.concat([number(2, 4), named('orders'), id(1), named('carts'), id(2)]);
  expect(walked('[ T U ]', learned, names, true)).toBe(true);
  expect([...names.values()]).toEqual(['orders', 'carts']);
  expect([walker.topics, walker.topicCount]).toEqual([['orders', 'carts'], 2]);
  const asked = Buffer.concat([number(3, 4), id(2), id(9), id(1)]);
  expect(walked('[ U ]', asked, names, false)).toBe(true);
  expect([walker.topics, walker.topicCount]).toEqual([['carts', 'orders'], 3]);
  walked('[ U ]', asked, names, false, false);
  expect([walker.topics, walker.topicCount]).toEqual([['carts'], 3]);
  // The id of no topic, and an id without a name, are not learned.
  walked('T U', Buffer.concat([named('x'), Buffer.alloc(16)]), names, true);
  walked('T U', Buffer.concat([number(-1, 2), id(7)]), names, true);
  expect(names.size).toBe(2);
  for (let count = 0; count < 8192; count += 1) {
    const bytes = Buffer.concat([named('n'), Buffer.alloc(11), Buffer.of(5), number(count, 4)]);
    walked('T U', bytes, names, true);
  }
  expect([names.size, names.has(id(2).toString('latin1')), names.has(id(1).toString('latin1'))]).toEqual([
    8192,
    false,
    false,
  ]);
  // 16 names of one message are kept.
  const many = Buffer.concat([
    number(20, 4),
    ...Array.from({ length: 20 }, () => Buffer.concat([Buffer.alloc(11), Buffer.of(5), number(1, 4)])),
  ]);
  walked('[ U ]', many, names, false);
  expect([walker.topics.length, walker.topicCount]).toEqual([16, 20]);
});

test('lengths below -1, numbers of more than five bytes and counts beyond the message are no message', () => {
  const isWhole = (line: string, flexible: boolean, ...bytes: number[]) =>
    walker.walk(schema(line), 0, flexible, Buffer.from(bytes), 0, bytes.length, new Map(), false, true);
  expect(isWhole('b', false, 0xff, 0xff, 0xff, 0xff)).toBe(true);
  expect(isWhole('b', false, 0xff, 0xff, 0xff, 0xfe)).toBe(false);
  expect(isWhole('[ 1 ]', false, 0xff, 0xff, 0xff, 0xff)).toBe(true);
  expect(isWhole('[ 1 ]', false, 0xff, 0xff, 0xff, 0xfe)).toBe(false);
  expect(isWhole('s', false, 0xff, 0xff)).toBe(true);
  expect(isWhole('s', false, 0xff, 0xfe)).toBe(false);
  expect(isWhole('s', true, 0)).toBe(true);
  expect(isWhole('s', true, 0x80, 0x80, 0x80, 0x80, 0)).toBe(true);
  expect(isWhole('s', true, 0x80, 0x80, 0x80, 0x80, 0x80, 0)).toBe(false);
  expect(isWhole('[ 1@9 ]', false, 0, 0, 1, 0)).toBe(false);
  // A text has 1,024 bytes at most.
  const long = Buffer.concat([number(1100, 2), Buffer.alloc(1100, 0x61)]);
  for (const [line, read] of [
    ['G', () => walker.group],
    ['M', () => walker.mechanism],
    ['T', () => walker.topics[0]],
  ] as const) {
    expect(walked(line, long, new Map(), false)).toBe(true);
    expect(read()).toBe('a'.repeat(1024));
  }
});
