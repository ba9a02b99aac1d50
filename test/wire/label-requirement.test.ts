import { expect, test } from 'vitest';
import { fitsRequirement, isLabelOperator } from '../../src/wire/label-requirement.ts';

test.each([
  ['In', ['a', 'b'], 'a', true],
  ['In', ['a', 'b'], 'c', false],
  ['In', ['a'], undefined, false],
  ['NotIn', ['a'], 'a', false],
  ['NotIn', ['a'], 'b', true],
  ['NotIn', ['a'], undefined, true],
  ['Exists', [], '', true],
  ['Exists', [], undefined, false],
  ['DoesNotExist', [], undefined, true],
  ['DoesNotExist', [], 'a', false],
] as const)('%s %j and the label %s: %s', (operator, values, value, fits) => {
  expect(fitsRequirement(operator, values, value)).toBe(fits);
});

test('operators of newer servers are told from those that are known', () => {
  expect(isLabelOperator('In')).toBe(true);
  expect(isLabelOperator('Gt')).toBe(false);
});
