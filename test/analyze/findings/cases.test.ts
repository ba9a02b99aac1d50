import { expect, test } from 'vitest';
import { Case, Cases, FindingBounds, flowsWhere } from '../../../src/analyze/findings/cases.ts';
import { FINDING_EXAMPLES, FINDING_SUBJECTS } from '../../../src/analyze/limits.ts';

test('three cases count, or one of a hundred attempts; none do not', () => {
  const of = (cases: number, attempts: number) => Object.assign(new Case(), { cases, attempts }).counts;
  expect([of(0, 0), of(3, 1e6), of(2, 1e6), of(1, 100), of(1, 101), of(2, 200), of(2, 201)]).toEqual([
    false,
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
});

test('examples are few, each once, and times are of the first and the last case', () => {
  const found = new Case();
  expect(found.evidence('nothing')).toMatchObject({ flows: [], times: undefined, where: undefined });
  for (let index = 0; index <= FINDING_EXAMPLES; index += 1) {
    found.add(index, 100 + index, `text ${index}`);
    if (index === FINDING_EXAMPLES - 1) expect(found.areTextsCut).toBe(false);
  }
  found.add(0, 900, 'text 1');
  found.add(1, 901);
  expect(found.flows).toEqual(Array.from({ length: FINDING_EXAMPLES }, (_, index) => index));
  expect(found.texts.size).toBe(FINDING_EXAMPLES);
  expect(found.areTextsCut).toBe(true);
  expect(found.frequent()[0]).toBe('text 1');
  expect(found.texts.get('text 1')).toBe(2);
  expect(found.evidence('what').times).toEqual([100, 901]);
  found.measure(5);
  found.measure(3);
  expect(found.most).toBe(5);
});

test('cases that were added up elsewhere may come later than others of their time: the first and the last are known all the same', () => {
  const found = new Case();
  found.addSeveral(3, 7, 500, 900, 'GET /b');
  expect(found.evidence('').times).toEqual([500, 900]);
  found.addSeveral(2, 8, 100, 700);
  found.addSeveral(1, 8, 600, 950, 'GET /b');
  expect(found).toMatchObject({ cases: 6, flows: [7, 8], first: 100, last: 950 });
  expect(found.frequent()).toEqual(['GET /b']);
});

test('flows are shown by an expression', () => {
  expect([flowsWhere([]), flowsWhere([7]), flowsWhere([7, 8])]).toEqual([undefined, 'flow == 7', 'flow in [7, 8]']);
});

test('subjects are bounded, which is noted', () => {
  const bounds = new FindingBounds();
  const cases = new Cases(bounds);
  for (let index = 0; index < FINDING_SUBJECTS; index += 1) cases.of(`s${index}`).add(index, index);
  expect(bounds.areReached).toBe(false);
  cases.of('one more').add(1, 1);
  expect(bounds.areReached).toBe(true);
  expect(cases.all()).toHaveLength(FINDING_SUBJECTS);
  expect(cases.of('s1').cases).toBe(1);
});
