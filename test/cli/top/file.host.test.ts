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
function summaryServices(file = capture): { service: string; count: number; failed: number }[] {
  const json = execFileSync(process.execPath, [program, 'read', file, '-o', 'summary', '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(json.toString()).services;
}

const folder = mkdtempSync(join(tmpdir(), 'ksnoop-top-'));
const pidFile = join(folder, 'pid');

let terminal: Terminal | undefined;

interface Way {
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
}

/** ksnoop top on the capture; the shell around it says how it ended, and how it leaves the terminal. */
function top({ env = {}, columns = 120, rows = 40 }: Way = {}): Terminal {
  const inner = `echo \\$\\$ >'${pidFile}'; exec '${process.execPath}' '${program}' top '${capture}'`;
  const command = `cd '${folder}'; sh -c "${inner}"; echo "code $?"; stty -a; echo over; sleep 60`;
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

test('a crash gives the terminal back and then says what it was', async () => {
  const crash = 'setTimeout(() => { throw new Error("crashed on purpose") }, 1500)';
  await top({ env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}` } }).shows(
    /at the end/,
  );
  const after = await terminal?.shows(/^over/m);
  expect(after).toContain('crashed on purpose');
  expect(after).toContain('code 1');
  expect(after).not.toContain('SERVICE');
  expect(after).toMatch(/^isig icanon .* echo /m);
});

test('a screen that shrinks to 60x15 and grows again shows what fits', async () => {
  await top().shows(/RECEIVED/);
  terminal?.resize(60, 15);
  const small = await terminal?.shows(/^SERVICE +PROTO +RATE +FAILED +P50 +P99$/m);
  expect(small?.split('\n').filter((line) => line.length > 60)).toEqual([]);
  for (const view of ['2', '3']) {
    terminal?.press(view);
    const screen = await terminal?.shows(view === '2' ? /CLIENT/ : /lost: nothing/);
    expect(screen).toMatch(/\? help/);
  }
  terminal?.press('1');
  terminal?.resize(120, 40);
  await terminal?.shows(/RECEIVED/);
});

/** Codes of colours, of sixteen or more. */
const COLOUR = /\x1b\[(?:\d+;)*[349][0-7]m/;

test('NO_COLOR is without colours', async () => {
  await top({ env: { NO_COLOR: '1' } }).shows(/at the end/);
  terminal?.press('2');
  await terminal?.shows(/CLIENT/);
  expect(terminal?.painted()).not.toMatch(COLOUR);
});

test('colours are of the eight that every terminal has', async () => {
  await top({ env: { TERM: 'xterm' } }).shows(/at the end/);
  const painted = terminal?.painted() ?? '';
  expect(painted).toMatch(COLOUR);
  expect(painted).not.toMatch(/\x1b\[[\d;]*[34]8;/);
});

test('a locale without UTF-8 gets ASCII alone', async () => {
  await top({ env: { LC_ALL: 'C' } }).shows(/at the end/);
  terminal?.press('2');
  const screen = (await terminal?.shows(/\d us /)) ?? '';
  // tmux shows each octet above 127 as a character of its own.
  expect([...screen].filter((character) => character > '~')).toEqual([]);
});

test('< goes back in the file, > forth again, with the numbers of --to', async () => {
  const end = await top().shows(/at the end · .* packets/);
  for (let step = 0; step < 10; step += 1) terminal?.press('<');
  const middle = await terminal?.shows(/at \d+ % · /);
  expect(packetsOn(middle ?? '')).toBeLessThan(packetsOn(end));
  for (let step = 0; step < 12; step += 1) terminal?.press('>');
  expect(packetsOn((await terminal?.shows(/at the end · /)) ?? '')).toBe(packetsOn(end));
});

const packetsOn = (screen: string) => Number(/([\d,]+) packets/.exec(screen)?.[1]?.replaceAll(',', ''));

test('w writes what is kept: a capture with the same numbers', async () => {
  await top().shows(/at the end/);
  terminal?.press('w');
  const name = /wrote (\S+\.pcapng)/.exec((await terminal?.shows(/wrote /)) ?? '')?.[1] ?? '';
  expect(summaryServices(join(folder, name))).toEqual(summaryServices());
});

test('not on a terminal it says what to use instead', () => {
  const run = () => execFileSync(process.execPath, [program, 'top', capture], { stdio: ['ignore', 'pipe', 'pipe'] });
  expect(run).toThrow(/stdout is none.*-o summary/);
});
