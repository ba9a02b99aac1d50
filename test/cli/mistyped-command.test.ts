import { expect, test } from 'vitest';
import { mistypedCommand } from '../../src/cli/mistyped-command.ts';
import { KsnoopError } from '../../src/wire/errors.ts';

const commands = ['capture', 'install', 'uninstall', 'status'];
const refused = new KsnoopError('BAD_TARGET', 'No.', { exit: 2 });

test.each([
  ['instal', 'install'],
  ['uninstal', 'uninstall'],
  ['statsu', 'status'],
  ['captur', 'capture'],
])('%s is near %s', (word, command) => {
  const error = mistypedCommand(refused, [word, 'pod/a'], commands);
  expect(error).toMatchObject({ code: 'UNKNOWN_COMMAND', exit: 2, message: `Unknown command or target "${word}".` });
  expect(error?.hint).toContain(`Did you mean ksnoop ${command}`);
});

test('a word like no command, a target, and another error stay what they are', () => {
  expect(mistypedCommand(refused, ['web'], commands)).toBeUndefined();
  expect(mistypedCommand(refused, ['status/a'], commands)).toBeUndefined();
  expect(mistypedCommand(refused, ['pod/a', 'instal'], commands)).toBeUndefined();
  expect(mistypedCommand(refused, [], commands)).toBeUndefined();
  expect(mistypedCommand(new KsnoopError('NO_SUCH_TARGET', 'No.'), ['instal'], commands)).toBeUndefined();
  expect(mistypedCommand(new Error('x'), ['instal'], commands)).toBeUndefined();
});

test('a kind lacks a name, also where a command is spelt like it', () => {
  const isKind = (word: string) => word === 'pod';
  expect(mistypedCommand(refused, ['pod'], ['top'], isKind)).toBeUndefined();
  expect(mistypedCommand(refused, ['tpo'], ['top'], isKind)?.hint).toContain('ksnoop top');
});
