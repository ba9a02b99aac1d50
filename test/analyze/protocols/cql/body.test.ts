import { describe, expect, test } from 'vitest';
import { readRequest, readResponse } from '../../../../src/analyze/protocols/cql/body.ts';
import { Random } from '../../../support/random.ts';

/** The notations of CQL's binary protocol, section 3. */
const short = (value: number) => Buffer.of(value >> 8, value & 255);
const int = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const string = (text: string) => Buffer.concat([short(Buffer.byteLength(text)), Buffer.from(text)]);
const longString = (text: string) => Buffer.concat([int(Buffer.byteLength(text)), Buffer.from(text)]);
const shortBytes = (bytes: Buffer) => Buffer.concat([short(bytes.length), bytes]);
const payload = (entries: readonly (readonly [string, Buffer | null])[]) =>
  Buffer.concat([
    short(entries.length),
    ...entries.flatMap(([key, value]) => [
      string(key),
      value === null ? int(-1) : int(value.length),
      value ?? Buffer.alloc(0),
    ]),
  ]);

const COMPRESSED = 1;
const TRACED = 2;
const PAYLOAD = 4;
const WARNED = 8;
const frame = (version: number, flags: number, opcode: number, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(version, flags), short(7), Buffer.of(opcode), int(body.length), body]);
};
/** Read between other bytes, up to `end`. */
const within = (bytes: Buffer) => Buffer.concat([Buffer.of(1, 2, 3), bytes, Buffer.alloc(40, 0x41)]);
const request = (bytes: Buffer, end = bytes.length) => readRequest(within(bytes), 3, 3 + end);
const response = (bytes: Buffer, end = bytes.length) => readResponse(within(bytes), 3, 3 + end);

const id = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
const LEVELS = [
  'ANY',
  'ONE',
  'TWO',
  'THREE',
  'QUORUM',
  'ALL',
  'LOCAL_QUORUM',
  'EACH_QUORUM',
  'SERIAL',
  'LOCAL_SERIAL',
  'LOCAL_ONE',
];

test('requests: statements, ids and consistency, of every version, behind a payload, cut anywhere', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = new Random(seed);
    const version = [3, 4, 5, 0x41, 0x42][seed % 5] as number;
    const level = random.below(LEVELS.length);
    const statement = 'SELECT ü FROM shop.cart'.slice(0, 7 + random.below(17));
    const entries = Array.from(
      { length: random.below(3) },
      (_, at) => [`k${at}`, at === 1 ? null : id.subarray(0, random.below(9))] as const,
    );
    const flags = entries.length > 0 ? PAYLOAD : 0;
    const front = entries.length > 0 ? payload(entries) : Buffer.alloc(0);
    const name = { statement: '', id: '', count: 1, consistency: '', isHidden: false };
    const rest = Buffer.of(0, 0, 5);
    const tail = version === 5 ? shortBytes(id.subarray(0, 3)) : Buffer.alloc(0);
    const cases: [Buffer, ReturnType<typeof readRequest>, number, number][] = [
      // A frame; what is read of it; bytes up to the end of its statement or id, and of its consistency.
      [
        frame(version, flags, 7, front, longString(statement), short(level), rest),
        { ...name, opcode: 7, statement, consistency: LEVELS[level] as string },
        4 + Buffer.byteLength(statement),
        2,
      ],
      [
        frame(version, flags, 9, front, longString(statement), rest),
        { ...name, opcode: 9, statement },
        4 + Buffer.byteLength(statement),
        0,
      ],
      [
        frame(version, flags, 10, front, shortBytes(id), tail, short(level), rest),
        { ...name, opcode: 10, id: id.toString('hex'), consistency: LEVELS[level] as string },
        18,
        2 + tail.length,
      ],
      [
        frame(version, flags, 13, front, Buffer.of(0), short(seed * 300), Buffer.of(0), longString(statement)),
        { ...name, opcode: 13, statement, count: seed * 300 },
        8 + Buffer.byteLength(statement),
        0,
      ],
      [
        frame(version, flags, 13, front, Buffer.of(1), short(3), Buffer.of(1), shortBytes(id)),
        { ...name, opcode: 13, id: id.toString('hex'), count: 3 },
        22,
        0,
      ],
      [frame(version, flags, 1, front, rest), { ...name, opcode: 1 }, 0, 0],
    ];
    for (const [bytes, expected, named, levelBytes] of cases) {
      expect(request(bytes), `seed ${seed}, opcode ${expected.opcode}`).toEqual(expected);
      const first = 9 + front.length;
      for (let end = 9; end < bytes.length; end += 1) {
        const read = request(bytes, end);
        const isNamed = end >= first + named;
        // Of a statement as much as is there; an id is read whole or not at all.
        if (isNamed) expect([read.statement, read.id]).toEqual([expected.statement, expected.id]);
        else
          expect([expected.statement.startsWith(read.statement.replace(/\uFFFD$/, '')), read.id]).toEqual([true, '']);
        if (levelBytes > 0)
          expect(read.consistency, `${end}`).toBe(end >= first + named + levelBytes ? expected.consistency : '');
        if (expected.opcode === 13) expect(read.count).toBe(end >= first + 4 ? expected.count : 1);
      }
    }
  }
});

test('compression hides a request; lengths below 0 are no statement', () => {
  const hidden = frame(4, COMPRESSED | PAYLOAD, 7, longString('SELECT 1'), short(1));
  expect(request(hidden)).toEqual({ opcode: 7, statement: '', id: '', count: 1, consistency: '', isHidden: true });
  expect(request(frame(4, 0, 7, int(-1), Buffer.from('abc'))).statement).toBe('');
  expect(request(frame(4, 0, 10, short(3), Buffer.from('ab')), 13).id).toBe('');
});

test('responses: errors, kinds and names behind a tracing id, warnings and a payload, cut anywhere', () => {
  for (let flags = 0; flags < 16; flags += 1) {
    if ((flags & COMPRESSED) !== 0) continue;
    for (const warnings of [[], ['slow query'], ['slow query', 'tombstones', '']]) {
      for (const entries of [[], [['a', id] as const, ['bc', null] as const, ['d', Buffer.alloc(0)] as const]]) {
        const front = [
          ...((flags & TRACED) !== 0 ? [id] : []),
          ...((flags & WARNED) !== 0 ? [short(warnings.length), ...warnings.map(string)] : []),
          ...((flags & PAYLOAD) !== 0 ? [payload(entries)] : []),
        ];
        const none = { code: -1, error: '', warning: ((flags & WARNED) !== 0 && warnings[0]) || '', kind: 0, name: '' };
        const cases: [Buffer, ReturnType<typeof readResponse>][] = [
          [
            frame(0x84, flags, 0, ...front, int(0x2200), string('no keyspace')),
            { ...none, opcode: 0, code: 0x2200, error: 'no keyspace' },
          ],
          [frame(0x84, flags, 8, ...front, int(1)), { ...none, opcode: 8, kind: 1 }],
          [frame(0x84, flags, 8, ...front, int(2), int(1), int(0)), { ...none, opcode: 8, kind: 2 }],
          [frame(0x84, flags, 8, ...front, int(3), string('shop')), { ...none, opcode: 8, kind: 3, name: 'shop' }],
          [
            frame(0x84, flags, 8, ...front, int(4), shortBytes(id)),
            { ...none, opcode: 8, kind: 4, name: id.toString('hex') },
          ],
          [frame(0x84, flags, 8, ...front, int(5), string('CREATED')), { ...none, opcode: 8, kind: 5 }],
          [frame(0x84, flags, 12, ...front, string('STATUS_CHANGE')), { ...none, opcode: 12, name: 'STATUS_CHANGE' }],
          [frame(0x84, flags, 6, ...front, string('abc')), { ...none, opcode: 6 }],
          [frame(0x84, flags, 3, ...front, string('abc')), { ...none, opcode: 3 }],
        ];
        for (const [bytes, expected] of cases) {
          expect(response(bytes), `flags ${flags}, opcode ${expected?.opcode}`).toEqual(expected);
          const start = 9 + Buffer.concat(front).length;
          for (let end = 9; end < bytes.length; end += 1) {
            const read = response(bytes, end);
            const isNeeded = expected?.opcode === 0 || expected?.opcode === 8;
            if (end < start + 4 && isNeeded) expect(read, `${end}`).toBeUndefined();
            else expect([read?.code, read?.kind]).toEqual(end < start + 4 ? [-1, 0] : [expected?.code, expected?.kind]);
          }
        }
      }
    }
  }
});

describe('compressed responses', () => {
  test('only that it failed is known', () => {
    const none = { code: -1, error: '', warning: '', kind: 0, name: '' };
    expect(response(frame(0x84, COMPRESSED, 0, int(0x2200), string('a')))).toEqual({ ...none, opcode: 0, code: 0 });
    expect(response(frame(0x84, COMPRESSED | WARNED, 8, int(3), string('a')))).toEqual({ ...none, opcode: 8 });
  });

  test('of a code the lower 16 bits count', () => {
    expect(response(frame(0x84, 0, 0, int(0x7fff_1200), string('a')))?.code).toBe(0x1200);
  });
});
