import { expect, it } from 'vitest';
import { mergeOutput } from '../../../src/cli/merge/command.ts';

it('takes the outputs of a summary', () => {
  expect(mergeOutput({})).toEqual({ output: 'summary', argument: undefined });
  expect(mergeOutput({ output: 'csv=routes' })).toEqual({ output: 'csv', argument: 'routes' });
  expect(mergeOutput({ output: 'summary-state=a.json' })).toEqual({ output: 'summary-state', argument: 'a.json' });
  expect(mergeOutput({ output: 'map', json: true })).toEqual({ output: 'map', argument: undefined });
});

it.each([
  { output: 'text' },
  { output: 'findings' },
  { output: 'csv=nothing' },
  { output: 'csv', json: true },
  { output: 'summary-state', json: true },
  { output: 'summary=x' },
])('refuses %o', (options) => {
  expect(() => mergeOutput(options)).toThrow(expect.objectContaining({ code: 'USAGE', exit: 2 }));
});
