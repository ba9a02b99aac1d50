import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { logger, reportError } from '../../src/cli/logger.ts';
import { KsnoopError } from '../../src/wire/errors.ts';

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test.each([
  [{ quiet: false, verbose: false }, ['progress', 'always']],
  [{ quiet: true, verbose: false }, ['always']],
  [{ quiet: false, verbose: true }, ['progress', 'detail', 'always']],
  [{ quiet: true, verbose: true }, ['detail', 'always']],
])('%j says %j', (options, lines) => {
  const { info, debug, warn } = logger(options);
  info('progress');
  debug('detail');
  warn('always');
  expect(said).toBe(lines.map((line) => `ksnoop: ${line}\n`).join(''));
});

test('what would move a terminal is shown, not obeyed', () => {
  logger({ quiet: false, verbose: false }).warn('a\u001b[2Jb\u009b1mc\u202ed\re\u0007');
  expect(said).toBe('ksnoop: a\\x1b[2Jb\\x9b1mc\\u202ed\\x0de\\x07\n');
});

test('line ends of others stay line ends', () => {
  logger({ quiet: false, verbose: false }).warn('one\r\ntwo\n');
  expect(said).toBe('ksnoop: one\ntwo\n');
});

test('an error says what happened, what to do, and its code', () => {
  const lines: string[] = [];
  const tell = (line: string) => void lines.push(line);
  expect(reportError(new KsnoopError('NO_PODS', 'It broke.', { hint: 'Mend it.', exit: 3 }), tell)).toBe(3);
  expect(reportError(new KsnoopError('AGENT_ENDED', 'It broke.'), tell)).toBe(1);
  expect(lines).toEqual(['It broke. Mend it. [NO_PODS]', 'It broke. [AGENT_ENDED]']);
});

test('what nobody foresaw is one line, its stack trace only for who asks', () => {
  const lines: string[] = [];
  const tell = (line: string) => void lines.push(line);
  expect(reportError(new TypeError('x is not a function'), tell)).toBe(1);
  expect(reportError('words', tell)).toBe(1);
  expect(lines).toEqual(['unexpected error: x is not a function', 'unexpected error: words']);
  vi.stubEnv('KSNOOP_DEBUG', '1');
  reportError(new TypeError('again'), tell);
  expect(lines.at(-1)).toMatch(/TypeError: again\n\s+at /);
});
