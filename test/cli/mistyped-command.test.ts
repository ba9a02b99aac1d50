import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foreignCommand, mistakenTarget, mistypedCommand } from '../../src/cli/mistyped-command.ts';
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

test('a command behind a flag is named as such', () => {
  expect(mistypedCommand(refused, ['status'], commands)).toMatchObject({
    code: 'UNKNOWN_COMMAND',
    exit: 2,
    message: 'The command "status" is behind a flag.',
    hint: expect.stringContaining('ksnoop status FLAGS'),
  });
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

test.each([
  [['summary', 'a.pcap'], 'ksnoop a.pcap -o summary'],
  [['sumary', 'a.pcap'], 'ksnoop a.pcap -o summary'],
  [['flows', 'svc/web'], 'ksnoop svc/web -o flows'],
  [['logs', 'web'], 'kubectl logs'],
])('%j: the command that does it', (words, hint) => {
  expect(foreignCommand(words)).toMatchObject({
    code: 'UNKNOWN_COMMAND',
    exit: 2,
    hint: expect.stringContaining(hint),
  });
});

test.each([[['deploy', 'web']], [['sumary', 'svc/web']], [['svc/web', 'a.pcap']], [['summary']], [['pod', 'a.pcap']]])(
  '%j may be targets',
  (words) => {
    expect(foreignCommand(words)).toBeUndefined();
  },
);

test.each([
  [['svc/web', 'port', '80'], "ksnoop svc/web -f 'port 80'"],
  [['svc/web', 'tcp port 80'], "ksnoop svc/web -f 'tcp port 80'"],
  [['port', '80'], "ksnoop TARGET -f 'port 80'"],
  [['svc/web', 'not', 'net', '10.0.0.0/8'], "ksnoop svc/web -f 'not net 10.0.0.0/8'"],
  [['all'], 'ksnoop ns/NAME'],
])('%j was meant otherwise', (words, hint) => {
  expect(mistakenTarget(refused, words)).toMatchObject({
    code: 'BAD_TARGET',
    exit: 2,
    hint: expect.stringContaining(hint),
  });
});

test('a file or a directory that is no capture is named as such', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-words-'));
  try {
    mkdirSync(join(directory, 'a'));
    writeFileSync(join(directory, 'b'), 'text');
    expect(mistakenTarget(refused, [join(directory, 'a')])?.hint).toContain(`ksnoop read ${directory}/a`);
    expect(mistakenTarget(refused, [join(directory, 'b')])?.message).toContain('is not a pcap or pcapng file');
    expect(mistakenTarget(refused, [join(directory, 'c')])).toBeUndefined();
    expect(mistakenTarget(refused, ['svc/web', 'web'])).toBeUndefined();
    expect(mistakenTarget(new KsnoopError('NO_SUCH_TARGET', 'No.'), ['all'])).toBeUndefined();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
