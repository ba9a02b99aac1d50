import { expect, it } from 'vitest';
import { FieldFacts, placeOfFields, sharedFields } from '../../../src/analyze/record/shared-fields.ts';

it('has no place that an output or a copy would show', () => {
  const fields = sharedFields({ dns: { name: 'a' } }, 5);
  expect(placeOfFields(fields)).toBe(5);
  expect(JSON.stringify(fields)).toBe('{"dns":{"name":"a"}}');
  expect(placeOfFields({ ...fields })).toBe(-1);
});

it('finds out once what is shared, and anew what is not or has lost its place', () => {
  const asked: unknown[] = [];
  const facts = new FieldFacts((fields) => {
    asked.push(fields.name);
    return `of ${String(fields.name)}`;
  });
  const a = sharedFields({ name: 'a' }, 5);
  const b = sharedFields({ name: 'b' }, 5);
  const single = { name: 'c' };
  expect([a, a, b, b, a, single, single].map((fields) => facts.of(fields))).toEqual(
    ['a', 'a', 'b', 'b', 'a', 'c', 'c'].map((name) => `of ${name}`),
  );
  expect(asked).toEqual(['a', 'b', 'a', 'c', 'c']);
});
