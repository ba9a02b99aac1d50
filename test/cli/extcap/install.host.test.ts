// ksnoop extcap install on this machine, by who may write and by who may not.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { installedExtcap } from '../../../src/cli/extcap/install.ts';
import { KSNOOP } from '../../support/ksnoop-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-extcap-'));
afterAll(() => rmSync(directory, { recursive: true }));
chmodSync(directory, 0o755);

const NOBODY = 65_534;

function install(target: string, options: { uid?: number; home?: string; word?: string } = {}) {
  const [command, ...before] = KSNOOP;
  return spawnSync(command, [...before, 'extcap', options.word ?? 'install', '--directory', target], {
    encoding: 'utf8',
    env: { ...process.env, HOME: options.home ?? directory, XDG_DATA_HOME: '' },
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  });
}

test('what was written answers Wireshark, and goes again', () => {
  const target = join(directory, 'mine/extcap');
  expect(install(target).status).toBe(0);
  const file = join(target, 'ksnoop');
  expect(execFileSync(file, ['--extcap-interfaces'], { encoding: 'utf8', env: {} })).toMatch(
    /^interface \{value=ksnoop\}/m,
  );
  // What doctor looks for, to say when it is gone.
  expect(installedExtcap(target)).toEqual({ path: file, starts: KSNOOP });
  // Again, as after an update.
  expect(install(target).status).toBe(0);
  expect(install(target, { word: 'uninstall' }).status).toBe(0);
  expect(existsSync(file)).toBe(false);
});

test('a program of that name that is not ours stays', () => {
  const target = join(directory, 'theirs');
  mkdirSync(target);
  writeFileSync(join(target, 'ksnoop'), 'theirs');
  expect(install(target)).toMatchObject({ status: 2, stderr: expect.stringContaining('FILE_EXISTS') });
  install(target, { word: 'uninstall' });
  expect(readFileSync(join(target, 'ksnoop'), 'utf8')).toBe('theirs');
});

test('who may not write there gets the command that does it, and it does', () => {
  const target = join(directory, "root's extcap");
  mkdirSync(target, { mode: 0o755 });
  const home = join(directory, 'home');
  mkdirSync(home);
  chmodSync(home, 0o777);
  const { status, stderr } = install(target, { uid: NOBODY, home });
  expect(status).toBe(1);
  const command = /Run: sudo (.+) \[CANNOT_WRITE\]/.exec(stderr)?.[1] ?? '';
  expect(command, stderr).toMatch(/^install -D -m 0755 /);
  execFileSync('sh', ['-c', command]);
  expect(execFileSync(join(target, 'ksnoop'), ['--extcap-interfaces'], { encoding: 'utf8', env: {} })).toContain(
    '{value=ksnoop}',
  );
});
