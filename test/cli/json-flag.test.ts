import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addJson, addTextOrJson } from '../../src/cli/flags.ts';

/** The options of a command after a line. */
function options(add: (command: Command) => Command, ...line: string[]): object {
  const command = new Command('x').exitOverride().configureOutput({ writeErr: () => {} });
  return add(command).parse(line, { from: 'user' }).opts();
}

test('--json is -o json', () => {
  expect(options(addTextOrJson)).toEqual({ output: 'text' });
  expect(options(addTextOrJson, '-o', 'json')).toEqual({ output: 'json' });
  expect(options(addTextOrJson, '--json')).toMatchObject({ output: 'json' });
});

test('-o json is --json', () => {
  const add = (command: Command) => addJson(command, 'one document');
  expect(options(add)).toEqual({});
  expect(options(add, '--json')).toEqual({ json: true });
  expect(options(add, '-o', 'json')).toMatchObject({ json: true });
  expect(options(add, '-o', 'text')).toMatchObject({ json: false });
  expect(() => options(add, '-o', 'yaml')).toThrow(/Allowed choices are text, json/);
});
