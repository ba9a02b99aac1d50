import { expect, test } from 'vitest';
import {
  readHeader,
  rocketmqBegins,
  rocketmqLength,
  rocketmqLikeness,
} from '../../../../src/analyze/protocols/rocketmq/header.ts';
import { byByte, byNumber, expectLines, judged, withNumber } from '../../../support/by-byte.ts';

/** A command (RocketMQ's remoting protocol): how its header is written, the header, the body. */
function command(form: number, header: Buffer, body = Buffer.alloc(0)): Buffer {
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + header.length + body.length);
  lengths.writeInt32BE((form << 24) | header.length, 4);
  return Buffer.concat([lengths, header, body]);
}
const sized = (bytes: 2 | 4, text: string) => {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(text.length, 0, bytes);
  return Buffer.concat([length, Buffer.from(text, 'latin1')]);
};
function binary(flag: number, remark: string, fields: Readonly<Record<string, string>>): Buffer {
  const given = Object.entries(fields).flatMap(([name, value]) => [sized(2, name), sized(4, value)]);
  const head = Buffer.alloc(13);
  head.writeInt16BE(11);
  head.writeInt16BE(317, 3);
  head.writeInt32BE(77, 5);
  head.writeInt32BE(flag, 9);
  return Buffer.concat([head, sized(4, remark), sized(4, Buffer.concat(given).toString('latin1'))]);
}
const json = (header: object) => Buffer.from(JSON.stringify(header));

const COMMANDS = {
  'JSON, request': command(
    0,
    json({ code: 11, flag: 0, opaque: 77, extFields: { topic: 'orders' } }),
    Buffer.from('body'),
  ),
  'JSON, response': command(0, json({ opaque: 77, code: 17, flag: 1, remark: 'no topic' })),
  'JSON, of fields first': command(0, json({ extFields: { topic: 'a' }, code: 1, opaque: 2 })),
  'own form, request': command(1, binary(0, '', { topic: 'orders', group: 'billing' }), Buffer.from('body')),
  'own form, response': command(1, binary(1, 'no topic', { a: 'b' })),
  'own form, without fields': command(1, binary(2, '', {})),
  'no JSON': command(0, Buffer.from('{"code":11,"flag":0,]')),
} as const;
const of = (bytes: Buffer) => {
  const header = readHeader(bytes, 0, bytes.length);
  return header && { ...header, fields: [...header.fields] };
};

test('lengths of commands, which begin, and whose they are', async () => {
  const lines: string[] = [];
  for (const [name, bytes] of Object.entries(COMMANDS)) {
    lines.push(
      ...byByte(`length, ${name}`, bytes, rocketmqLength, 8, 8),
      ...byByte(`begins, ${name}`, bytes, rocketmqBegins, 22),
    );
    lines.push(...byByte(`likeness, ${name}`, bytes, rocketmqLikeness, 1, 64));
  }
  const own = COMMANDS['own form, request'];
  lines.push(
    byNumber('length', (length) => judged(rocketmqLength, withNumber(own, 0, 4, length))),
    byNumber('length of the header', (length) =>
      judged(rocketmqLength, withNumber(withNumber(own, 0, 4, 70_000), 5, 3, length)),
    ),
    byNumber('code', (code) => judged(rocketmqBegins, withNumber(own, 8, 2, code))),
    byNumber('flags', (flags) => judged(rocketmqBegins, withNumber(own, 17, 4, flags))),
    byNumber('length of the remark', (length) => judged(rocketmqLikeness, withNumber(own, 21, 4, length))),
    byNumber('length of fields', (length) => judged(rocketmqLikeness, withNumber(own, 25, 4, length))),
  );
  for (const key of [
    'code',
    'extFields',
    'flag',
    'language',
    'opaque',
    'remark',
    'serializeTypeCurrentRPC',
    'version',
    'codes',
    'other',
  ]) {
    const bytes = command(0, Buffer.from(`{"${key}":"aaaaaaaaaaaaaaaaaaaa`));
    lines.push(
      ...byByte(`first member ${key}`, withNumber(withNumber(bytes, 0, 4, 600), 6, 2, 500), rocketmqLikeness, 8, 0),
    );
    lines.push(`begins with member ${key}: ${judged(rocketmqBegins, bytes)}`);
  }
  await expectLines('rocketmq', lines);
});

test('headers of both forms say the same', () => {
  const fields: [string, string][] = [
    ['topic', 'orders'],
    ['group', ''],
  ];
  const header = { code: 11, flag: 1, opaque: 77, remark: 'no topic', fields };
  const inJson = json({ ...header, extFields: { ...Object.fromEntries(fields), number: 7 }, version: 317 });
  expect(of(command(0, inJson))).toEqual(header);
  expect(of(command(1, binary(1, 'no topic', Object.fromEntries(fields))))).toEqual(header);
});

test('a header that is cut, or is no object with a code and a number, is none', () => {
  for (const form of [0, 1] as const) {
    const whole = command(form, form === 0 ? json({ code: 1, opaque: 2 }) : binary(0, 'remark', { a: 'b' }));
    for (let end = 8; end < whole.length; end += 1) expect(readHeader(whole, 0, end)).toBeUndefined();
    expect(of(Buffer.concat([whole, whole]))).toEqual(of(whole));
  }
  for (const header of [
    7,
    null,
    'text',
    [],
    {},
    { code: 1 },
    { opaque: 1 },
    { code: '1', opaque: 1 },
    { code: 1, opaque: 1.5 },
  ])
    expect(of(command(0, json(header as object)))).toBeUndefined();
  const least = { code: 1, opaque: 2, flag: 0, remark: '', fields: [] };
  for (const more of [
    {},
    { flag: '1' },
    { remark: 7 },
    { extFields: null },
    { extFields: 'a' },
    { extFields: { a: 1 } },
  ])
    expect(of(command(0, json({ code: 1, opaque: 2, ...more })))).toEqual(least);
});

test('lengths in a header of its own form that do not fit end its fields, and a remark that does not fit is none', () => {
  const whole = command(1, binary(0, 'remark', { a: 'b', cd: 'ef' }));
  const at = 8 + 17 + 6;
  const names = (bytes: Buffer) => of(bytes)?.fields.map(([name]) => name);
  expect(names(whole)).toEqual(['a', 'cd']);
  // Of fields: their length, a name's, a value's.
  for (const length of [0, 1, 2, 6, 7]) expect(names(withNumber(whole, at, 4, length))).toEqual([]);
  for (const length of [8, 12, 17]) expect(names(withNumber(whole, at, 4, length))).toEqual(['a']);
  for (const length of [18, 19, 2 ** 31 - 1]) expect(names(withNumber(whole, at, 4, length))).toEqual(['a', 'cd']);
  expect(names(withNumber(whole, at, 4, 2 ** 32 - 1))).toEqual([]);
  expect(names(withNumber(whole, at + 4, 2, 60_000))).toEqual([]);
  for (const length of [12, 2 ** 31, 2 ** 32 - 1]) expect(names(withNumber(whole, at + 7, 4, length))).toEqual([]);
  for (const length of [7, 100, 2 ** 31, 2 ** 32 - 1]) {
    const header = of(withNumber(whole, 8 + 13, 4, length));
    if (length !== 7) expect(header).toBeUndefined();
  }
  const many = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`f${index}`, '']));
  expect(of(command(1, binary(0, '', many)))?.fields).toHaveLength(64);
});
