import { expect, test } from 'vitest';
import { sparkLine } from '../../../src/view/top/spark.ts';

test('bars go by the highest, the newest at the right, silence is empty', () => {
  expect(sparkLine([0, 1, 4, 8], 6)).toBe('   ▂▅█');
  expect(sparkLine([9, 9, 1, 8], 2)).toBe('▂█');
  expect(sparkLine([], 3)).toBe('   ');
});
