import { expect, test } from 'vitest';
import { editDistance, nearest } from '../../src/wire/near.ts';

test('counts the letters that differ', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('same', 'same')).toBe(0);
});

test('suggests what was meant: typing errors, and pods without their suffix', () => {
  const pods = ['web-6d4cf56db6-x2x9p', 'api-0', 'cache-0', 'wbe'];
  expect(nearest('web', pods)).toEqual(['web-6d4cf56db6-x2x9p', 'wbe']);
  expect(nearest('cahce-0', pods)).toEqual(['cache-0']);
  expect(nearest('postgres', pods)).toEqual([]);
  expect(nearest('foo', ['no', 'po', 'fo'])).toEqual(['fo']);
  expect(nearest('wbe', ['web', 'cab'])).toEqual(['web']);
});
