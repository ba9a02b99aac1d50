import { expect, it } from 'vitest';
import { Parts } from '../../../src/run/merge/parts.ts';

function partsOf(...documents: readonly (readonly unknown[])[]): Parts {
  const parts = new Parts();
  for (const list of documents) parts.add({ parts: list });
  return parts;
}

it('warns of parts that are missing, or there more often than others', () => {
  expect(partsOf().warnings()).toEqual([]);
  expect(partsOf(['0-of-2'], ['1-of-2']).warnings()).toEqual([]);
  // Two sets of captures that were read alike.
  expect(partsOf(['0-of-2', '1-of-2'], ['1-of-2'], ['0-of-2']).warnings()).toEqual([]);
  expect(partsOf(['0-of-3'], ['2-of-3']).warnings()).toEqual(['Part 1/3 is missing: the sum is not complete.']);
  expect(partsOf(['0-of-2'], ['1-of-2'], ['1-of-2']).warnings()).toEqual([
    'Part 1/2 is there more often than the others.',
  ]);
  expect(partsOf(['0-of-2', '1-of-2'], ['7-of-200000']).warnings()).toEqual([
    'Parts 0/200000, 1/200000, 2/200000, 3/200000, 4/200000, 5/200000, 6/200000, 8/200000 and 199,991 more are missing: the sum is not complete.',
  ]);
});

it('keeps the parts of a sum', () => {
  const list = ['0-of-2', '1-of-2', '1-of-2', '4-of-5'];
  expect(partsOf(list).list().sort()).toEqual(list);
});

it('refuses more divisions than anybody makes', () => {
  const many = Array.from({ length: 17 }, (_, index) => `0-of-${index + 1}`);
  expect(() => partsOf(many)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
});

it('refuses more parts than their sum could be read with', () => {
  const some = (from: number) => Array.from({ length: 60_000 }, (_, index) => `${from + index}-of-200000`);
  expect(partsOf(some(0)).warnings()).toHaveLength(1);
  expect(() => partsOf(some(0), some(60_000))).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
});

it.each([[['2-of-2']], [['x']], [[1]], [['1-of-9999999']]])('refuses %o', (list) => {
  expect(() => partsOf(list)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
});
