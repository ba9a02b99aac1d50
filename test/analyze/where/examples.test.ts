import { expect, test } from 'vitest';
import { recordFields } from '../../../src/analyze/protocols/all-fields.ts';
import { fieldExamples } from '../../../src/analyze/where/examples.ts';
import { compileWhere } from '../../../src/analyze/where/where.ts';

const fields = recordFields();

test('every field has an example that is a valid expression and uses it', () => {
  const examples = fieldExamples(fields);
  expect(examples.map(({ path }) => path)).toEqual(Object.keys(fields));
  const bad: Record<string, unknown> = {};
  for (const { path, expression } of examples) {
    try {
      compileWhere(expression, fields);
      if (!expression.includes(path)) bad[path] = expression;
    } catch (thrown) {
      bad[path] = `${expression}: ${thrown}`;
    }
  }
  expect(bad).toEqual({});
});
