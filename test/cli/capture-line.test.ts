import { expect, test } from 'vitest';
import { isCaptureLine } from '../../src/cli/capture-line.ts';
import { program } from '../../src/cli/program.ts';

test('a line with the name of any other command anywhere is not certain to be one of capture', () => {
  const names = program()
    .commands.map((command) => command.name())
    .filter((name) => name !== 'capture');
  for (const name of names) {
    expect.soft(isCaptureLine([name])).toBe(false);
    expect.soft(isCaptureLine(['--', name])).toBe(false);
    expect.soft(isCaptureLine(['-n', 'shop', name])).toBe(false);
  }
  expect(names).toContain('read');
});

test('targets and flags of a capture are', () => {
  expect(isCaptureLine(['svc/web'])).toBe(true);
  expect(isCaptureLine(['capture', 'svc/web', '-n', 'shop'])).toBe(true);
  expect(isCaptureLine(['-A', '-l', 'app=web', '-o', 'json'])).toBe(true);
});

test.each([[[]], [['--help']], [['svc/web', '-h']], [['-V']], [['--version']]])(
  '%j shows what all commands know',
  (words) => {
    expect(isCaptureLine(words)).toBe(false);
  },
);
