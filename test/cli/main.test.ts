import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

test('a command that never comes to an end, but has nothing left to wait for, has not succeeded', () => {
  const stuck = `import { Command } from ${JSON.stringify(import.meta.resolve('commander'))};
    Command.prototype.parseAsync = () => new Promise(() => {});`;
  const preload = `data:text/javascript,${encodeURIComponent(stuck)}`;
  const run = (...flags: string[]) => spawnSync(process.execPath, [...flags, MAIN, 'version', '--client']).status;
  expect(run('--import', preload)).toBe(1);
  expect(run()).toBe(0);
});
