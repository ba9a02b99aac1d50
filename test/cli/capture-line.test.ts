import { expect, test } from 'vitest';
import { isCaptureLine } from '../../src/cli/capture-line.ts';
import { program } from '../../src/cli/program.ts';

/** The command that the program with all commands runs for a line. */
async function commandOf(words: readonly string[]): Promise<string | undefined> {
  let ran: string | undefined;
  const ksnoop = program();
  for (const command of ksnoop.commands) {
    command.action(() => {
      ran = command.name();
    });
  }
  await ksnoop.parseAsync(['node', 'ksnoop', ...words]);
  return ran;
}

const CAPTURES = [
  ['svc/web'],
  ['capture', 'svc/web', '-n', 'shop'],
  ['-A', '-l', 'app=web', '-o', 'json'],
  ['-n', 'read', 'svc/web'],
  ['-q', 'read', 'x.pcap'],
  ['deploy/web', 'top'],
  ['--namespace=shop', 'pod/x'],
];
test.each(CAPTURES.map((words) => [words]))('%j is one of capture, as all commands together take it', async (words) => {
  expect(isCaptureLine(words)).toBe(true);
  expect(await commandOf(words)).toBe('capture');
});

test('no line that begins with another command is', () => {
  const names = program().commands.map((command) => command.name());
  const others = names.filter((name) => name !== 'capture');
  expect(others).toContain('read');
  for (const name of others) {
    expect.soft(isCaptureLine([name]), name).toBe(false);
    expect.soft(isCaptureLine(['--', name]), name).toBe(false);
  }
});

test('ksnoop itself has no other flags', () => {
  expect(program().options.map(({ flags }) => flags)).toEqual(['-V, --version']);
});

test.each([[[]], [['--help']], [['svc/web', '-h']], [['-V']], [['--version']], [['web']]])(
  '%j may be of others',
  (words) => {
    expect(isCaptureLine(words)).toBe(false);
  },
);
