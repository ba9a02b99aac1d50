import { expect, test } from 'vitest';
import { OUTPUT_WORDS, withHint } from '../../src/cli/foreign-flags.ts';
import { analysisOutput } from '../../src/run/analysis/index.ts';

test.each([
  ['--color', 'FORCE_COLOR'],
  ['--no-color', 'NO_COLOR'],
  ['--since', 'ksnoop read FILE --since'],
  ['--tail', 'ksnoop read FILE --since'],
  ['--until', 'ksnoop read FILE --to'],
  ['-n', '--where'],
  ['--namespace', '--where'],
  ['-r', 'ksnoop read FILE'],
  ['-c', '--from, --to'],
  ['--count', '--from, --to'],
  ['--summary', '-o summary'],
  ['--body', 'ksnoop read FILE --body'],
])('%s of another tool: what does the same here', (flag, hint) => {
  const text = withHint(`error: unknown option '${flag}'\n(Did you mean --where?)\n`);
  expect(text).toContain(`unknown option '${flag}'. `);
  expect(text).toContain(hint);
  expect(text).not.toContain('--where?');
});

test('a flag without its value comes with an example', () => {
  expect(withHint("error: option '-w, --write <FILE>' argument missing\n")).toContain('-w incident.pcapng');
});

test('words that are taken for outputs are outputs', () => {
  expect([...OUTPUT_WORDS].filter((word) => analysisOutput(word) === undefined)).toEqual([]);
});

test('other errors stay what they are, as errors of ksnoop', () => {
  const text = "error: unknown option '--wehre'\n(Did you mean --where?)\n";
  expect(withHint(text)).toBe(text.replace('error:', 'ksnoop:'));
});
