import { expect, test } from 'vitest';
import { withHint } from '../../src/cli/foreign-flags.ts';

test.each([
  ['--color', 'FORCE_COLOR'],
  ['--no-color', 'NO_COLOR'],
  ['--since', 'ksnoop read FILE --since'],
  ['--tail', 'ksnoop read FILE --since'],
  ['--until', 'ksnoop read FILE --to'],
  ['-n', '--where'],
  ['--namespace', '--where'],
  ['-r', 'ksnoop read FILE'],
])('%s of another tool: what does the same here', (flag, hint) => {
  const text = withHint(`error: unknown option '${flag}'\n(Did you mean --where?)\n`);
  expect(text).toContain(`unknown option '${flag}'. `);
  expect(text).toContain(hint);
  expect(text).not.toContain('--where?');
});

test('a flag without its value comes with an example', () => {
  expect(withHint("error: option '-w, --write <FILE>' argument missing\n")).toContain('-w incident.pcapng');
});

test('other errors stay what they are', () => {
  const text = "error: unknown option '--wehre'\n(Did you mean --where?)\n";
  expect(withHint(text)).toBe(text);
});
