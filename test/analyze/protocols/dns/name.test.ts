import { expect, test } from 'vitest';
import { nameAt, readName, skipName } from '../../../../src/analyze/protocols/dns/name.ts';
import { Random } from '../../../support/random.ts';

const BEFORE = 3;
const HEADER = 12;

/** A message with these bytes behind its header, in the middle of a buffer: names' pointers count from the message. */
function message(...parts: readonly (readonly number[])[]) {
  const body = parts.flat();
  const bytes = Uint8Array.from([...Array<number>(BEFORE + HEADER).fill(0xee), ...body, 0xee, 0xee]);
  return { bytes, start: BEFORE, end: BEFORE + HEADER + body.length };
}

const label = (text: string): number[] => [text.length, ...Buffer.from(text, 'latin1')];
/** @param offset behind the header */
const pointer = (offset: number): number[] => [0xc0 | ((HEADER + offset) >> 8), (HEADER + offset) & 0xff];

/** The name `offset` bytes behind the header, and how many bytes it takes there. */
function name(offset: number, ...parts: readonly (readonly number[])[]) {
  const { bytes, start, end } = message(...parts);
  const at = start + HEADER + offset;
  const text = nameAt(bytes, start, at, end);
  const behind = readName(bytes, start, at, end)?.end;
  const skipped = skipName(bytes, at, end);
  return { text, length: behind === undefined ? undefined : behind - at, skipped: skipped < 0 ? -1 : skipped - at };
}

/** As text: RFC 4343, section 2.1. */
function escaped(text: string): string {
  return text.replace(/[^!-~]|[.\\]/g, (letter) =>
    letter === '.' || letter === '\\' ? `\\${letter}` : `\\${String(letter.charCodeAt(0)).padStart(3, '0')}`,
  );
}

test('names of any labels, with and without pointers to what was written before', () => {
  const random = new Random(3);
  for (let round = 0; round < 500; round += 1) {
    const written: number[][] = [];
    const known: { offset: number; text: string; wire: number }[] = [];
    for (let names = 0; names < 4; names += 1) {
      const offset = written.flat().length;
      const own = Array.from({ length: random.below(4) }, () =>
        Buffer.from(Array.from({ length: 1 + random.below(12) }, () => random.below(256))).toString('latin1'),
      );
      const suffix = known[random.below(known.length + 1)];
      written.push(...own.map(label), suffix === undefined ? [0] : pointer(suffix.offset));
      const text = [...own.map(escaped), ...(suffix === undefined || suffix.text === '.' ? [] : [suffix.text])].join(
        '.',
      );
      const length = written.flat().length - offset;
      const wire = own.flatMap(label).length + (suffix?.wire ?? 1);
      const expected = text === '' ? '.' : text;
      expect(name(offset, ...written)).toEqual({ text: expected, length, skipped: length });
      known.push({ offset, text: expected, wire });
    }
  }
});

test('labels have 63 bytes at most, and names 255', () => {
  expect(name(0, label('a'.repeat(63)), [0])).toEqual({ text: 'a'.repeat(63), length: 65, skipped: 65 });
  expect(name(0, [64, ...label('a'.repeat(62)), 0, 0])).toEqual({ text: undefined, length: undefined, skipped: -1 });
  expect(name(0, [0xbf, ...Array<number>(200).fill(0)]).text).toBeUndefined();
  const three = [label('a'.repeat(63)), label('b'.repeat(63)), label('c'.repeat(63))];
  expect(name(0, ...three, label('d'.repeat(61)), [0]).length).toBe(255);
  expect(name(0, ...three, label('d'.repeat(62)), [0]).text).toBeUndefined();
  // By way of a pointer as well.
  expect(name(255, ...three, label('d'.repeat(61)), [0], pointer(0)).length).toBe(2);
  expect(name(255, ...three, label('d'.repeat(61)), [0], label('e'), pointer(0)).text).toBeUndefined();
  expect(name(255, ...three, label('d'.repeat(61)), [0], label('e'), pointer(64)).text).toMatch(/^e\.b/);
});

test.each([
  ['to itself', 0, [pointer(0)]],
  ['forward', 0, [pointer(2), label('a'), [0]]],
  ['to a pointer that goes back to it', 2, [pointer(2), pointer(0)]],
  ['to two that point to each other', 4, [pointer(2), pointer(0), pointer(0)]],
  ['to where the name begins', 1, [[0], label('a'), pointer(1)]],
])('a pointer %s is no name', (_what, offset, parts) => {
  expect(name(offset, ...parts).text).toBeUndefined();
});

test('what is cut off is no name', () => {
  expect(name(0, [3, 0x61, 0x62])).toEqual({ text: undefined, length: undefined, skipped: -1 });
  expect(name(0, label('ab')).text).toBeUndefined();
  expect(name(4, label('ab'), [0], [0xc0])).toEqual({ text: undefined, length: undefined, skipped: -1 });
  expect(name(4, label('ab'), [0], pointer(0))).toEqual({ text: 'ab', length: 2, skipped: 2 });
  expect(name(0, [])).toEqual({ text: undefined, length: undefined, skipped: -1 });
});
