import { expect, test } from 'vitest';
import { frameAt, headersLikeness } from '../../../../src/analyze/protocols/http2/frame-search.ts';

const NOBODY = { has: () => false, highest: 0 };
const JUNK = [0xff, 0xff, 0xff];
/** Frames that hardly anything else looks like. */
const PINGS = [0, 0, 8, 6, 0, 0, 0, 0, 0, ...new Array<number>(8).fill(7)];

/** HEADERS of stream 1. */
const headers = (flags: number, payload: readonly number[]) => [0, 0, payload.length, 1, flags, 0, 0, 0, 1, ...payload];

const at = (...frame: readonly number[]) => {
  const bytes = Uint8Array.from([...JUNK, ...frame, ...PINGS, ...PINGS]);
  return frameAt(bytes, 0, bytes.length, NOBODY);
};

const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 32;

test.each([
  ['alone', END_HEADERS, []],
  ['behind the length of a padding', END_HEADERS | PADDED, [0]],
  ['behind a priority', END_HEADERS | PRIORITY, [0, 0, 0, 0, 16]],
  ['behind both', END_HEADERS | PADDED | PRIORITY, [0, 0, 0, 0, 0, 16]],
])('a header block %s begins with a field, and an index of 0 is none', (_, flags, before) => {
  expect(at(...headers(flags, [...before, 0x82, 0x87]))).toBe(JUNK.length);
  expect(at(...headers(flags, [...before, 0x80, 0x87]))).toBe(JUNK.length + 9 + before.length + 2);
});

/** A field with a name of the static table and a value spelt out (RFC 7541, section 6.2.2), in HEADERS that come first. */
const firstHeaders = (...fields: readonly (readonly [index: number, value: string])[]) => {
  const block = fields.flatMap(([index, value]) => [index, value.length, ...Buffer.from(value)]);
  const bytes = Uint8Array.from(headers(END_HEADERS, block));
  return headersLikeness(bytes, 0, bytes.length);
};
const [METHOD, PATH, STATUS] = [2, 4, 8] as const;

test.each([
  ['a method', [METHOD, 'GET'], 'client'],
  ['a status', [STATUS, '200'], 'server'],
  ['something else as a method', [METHOD, 'get'], undefined],
  ['something else as a status', [STATUS, '999'], undefined],
  ['a path that looks like a status', [PATH, '200'], undefined],
  ['a path', [PATH, '/'], undefined],
] as const)('who sent HEADERS with %s', (_, field, side) => {
  expect(firstHeaders(field)).toBe(side);
});
