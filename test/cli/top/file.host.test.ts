import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { program } from '../../support/ksnoop-process.ts';
import { ensurePackages } from '../../support/packages.ts';
import { Terminal } from '../../support/terminal.ts';

const capture = join(import.meta.dirname, '../../analyze/protocols/captures/http2.pcap');

/** In the order in which `-o summary` has them: as the view begins. */
function summaryServices(): { service: string; count: number; failed: number }[] {
  const json = execFileSync(process.execPath, [program, 'read', capture, '-o', 'summary', '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(json.toString()).services;
}

const folder = mkdtempSync(join(tmpdir(), 'ksnoop-top-'));
const pidFile = join(folder, 'pid');

let terminal: Terminal | undefined;

/** ksnoop top on the capture; the shell around it says how it ended, and how it leaves the terminal. */
function top(env: Readonly<Record<string, string>> = {}, columns = 120, rows = 40): Terminal {
  const inner = `echo \\$\\$ >'${pidFile}'; exec '${process.execPath}' '${program}' top '${capture}'`;
  const command = `sh -c "${inner}"; echo "code $?"; stty -a; echo over; sleep 60`;
  terminal = new Terminal(['sh', '-c', command], { LC_ALL: 'C.UTF-8', ...env }, columns, rows);
  return terminal;
}

beforeAll(() => {
  expect(ensurePackages(['tmux'])).toBe(undefined);
});

afterEach(() => {
  terminal?.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

test('a file is shown at its end, with the numbers of -o summary, and q gives the terminal back', async () => {
  const screen = await top().shows(/at the end/);
  for (const { service, count, failed } of summaryServices()) {
    expect(screen).toMatch(new RegExp(`^${service} .* ${count} .*/s +${failed} `, 'm'));
  }
  terminal?.press('q');
  const after = await terminal?.shows(/^over/m);
  expect(after).toContain('code 0');
  expect(after).not.toContain('SERVICE');
  // What raw mode takes away.
  expect(after).toMatch(/^isig icanon .* echo /m);
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s gives the terminal back', async (signal) => {
  await top().shows(/at the end/);
  process.kill(Number(readFileSync(pidFile, 'utf8')), signal);
  const after = await terminal?.shows(/^over/m);
  expect(after).toContain('code 0');
  expect(after).toMatch(/^isig icanon .* echo /m);
});

test('Ctrl-C is q', async () => {
  await top().shows(/at the end/);
  terminal?.press('C-c');
  expect(await terminal?.shows(/^over/m)).toContain('code 0');
});

test('an expression chooses what is shown; a wrong one says where it is wrong', async () => {
  await top().shows(/at the end/);
  terminal?.type('/http.status >= 5x');
  terminal?.press('Enter');
  await terminal?.shows(/at character 17/);
  terminal?.press('C-u');
  terminal?.type('protocol == "nothing"');
  terminal?.press('Enter');
  const screen = await terminal?.shows(/No exchanges/);
  expect(screen).toContain('/protocol == "nothing"');
});

test('? says what keys do', async () => {
  await top().shows(/at the end/);
  terminal?.press('?');
  await terminal?.shows(/another view/);
  terminal?.press('Escape');
  await terminal?.shows(/^SERVICE/m);
});

test('not on a terminal it says what to use instead', () => {
  const run = () => execFileSync(process.execPath, [program, 'top', capture], { stdio: ['ignore', 'pipe', 'pipe'] });
  expect(run).toThrow(/stdout is none.*-o summary/);
});
