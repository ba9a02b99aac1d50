import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkTerminal, completeTop, takesUtf8 } from '../../../src/cli/top/options.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-top-options-'));
const file = join(directory, 'incident');
writeFileSync(file, '');
mkdirSync(join(directory, 'pod'));
afterAll(() => rmSync(directory, { recursive: true }));

const raw = { interface: 'any' };

test('one word that is a file is a file, everything else is targets', () => {
  expect(completeTop([file], raw)).toMatchObject({ file, targets: [] });
  expect(completeTop(['-'], raw)).toMatchObject({ file: '-', targets: [] });
  expect(completeTop(['pod/web-1'], raw)).toMatchObject({ file: undefined, targets: ['pod/web-1'] });
  expect(completeTop(['svc/web', 'deploy/api'], raw)).toMatchObject({ targets: ['svc/web', 'deploy/api'] });
  // A directory can be called like a kind.
  expect(completeTop([join(directory, 'pod')], raw)).toMatchObject({ file: undefined });
  expect(completeTop([], raw)).toMatchObject({ file: undefined, targets: [], view: 'services' });
});

test.each([
  [['nothing.pcapng'], raw, /no file nothing\.pcapng/],
  [['nothing.pcap.gz'], raw, /no file/],
  [['-', 'pod/a'], raw, /- is stdin/],
  [[file], { ...raw, view: 'pods' }, /no view "pods"/],
  [[file], { ...raw, filter: '' }, /-f takes a filter/],
])('%j is refused', (words, options, message) => {
  expect(() => completeTop(words, options)).toThrow(message);
});

test('nothing is drawn where there is no terminal, or one that cannot', () => {
  expect(() => checkTerminal({ stdout: false, environment: { TERM: 'xterm' } })).toThrow(/stdout is not a terminal/);
  expect(() => checkTerminal({ stdout: true, environment: { TERM: 'dumb' } })).toThrow(/dumb/);
  expect(() => checkTerminal({ stdout: true, environment: { TERM: 'linux' } })).not.toThrow();
});

test.each([
  [{ LANG: 'en_US.UTF-8' }, true],
  [{ LANG: 'C.utf8' }, true],
  [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, false],
  [{ LC_ALL: '', LC_CTYPE: 'de_DE.UTF-8', LANG: 'C' }, true],
  [{}, false],
])('%j takes UTF-8: %s', (environment, expected) => {
  expect(takesUtf8(environment)).toBe(expected);
});
