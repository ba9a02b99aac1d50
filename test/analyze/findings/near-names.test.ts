import { expect, test } from 'vitest';
import { isNear, NearNames } from '../../../src/analyze/findings/near-names.ts';
import { editDistance } from '../../../src/wire/near.ts';
import { Random } from '../../support/random.ts';

test('labels are near when two letters at most were inserted, deleted or replaced', () => {
  const random = new Random(7);
  const letters = (length: number) => Array.from({ length }, () => 'abc'[random.below(3)] as string);
  let near = 0;
  for (let run = 0; run < 5_000; run += 1) {
    const one = letters(random.below(9));
    const other = run % 2 === 0 ? letters(random.below(9)) : [...one];
    for (let edits = random.below(4); edits > 0; edits -= 1)
      other.splice(random.below(other.length + 1), random.below(2), ...letters(random.below(2)));
    const [a, b] = [one.join(''), other.join('')];
    expect(isNear(a, b), `${a} ${b}`).toBe(editDistance(a, b) <= 2);
    if (isNear(a, b)) near += 1;
  }
  expect(near).toBeGreaterThan(1_000);
});

test('labels that are longer than DNS allows are near to none', () => {
  expect(isNear('a'.repeat(63), 'a'.repeat(65))).toBe(true);
  expect(isNear('a'.repeat(64), 'a'.repeat(64))).toBe(false);
});

test('names are compared by their first label, and found in their order', () => {
  const names = new NearNames(['web.shop', 'wab.shop', 'database.shop', 'we.shop']);
  expect(names.to('web.shop')).toEqual(['wab.shop', 'we.shop']);
  expect(names.to('databases.other')).toEqual(['database.shop']);
});
