import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cellWidth } from '../../../src/view/text-width.ts';
import { builtPcap } from '../../support/built-capture.ts';
import { hostileCapture } from '../../support/hostile-capture.ts';
import { KSNOOP, KSNOOP_IN_SHELL } from '../../support/ksnoop-process.ts';
import { ensurePackages } from '../../support/packages.ts';
import { Terminal } from '../../support/terminal.ts';

const capture = join(import.meta.dirname, '../../analyze/protocols/captures/http2.pcap');

function servicesOf(...words: string[]): { service: string; count: number; failed: number }[] {
  const [command, ...before] = KSNOOP;
  const json = execFileSync(command, [...before, ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(json.toString()).services;
}

/** In the order in which `-o summary` has them: as the view begins. */
function summaryServices(file = capture): { service: string; count: number; failed: number }[] {
  return servicesOf('read', file, '-o', 'summary', '--json');
}

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-top-'));
const pidFile = join(directory, 'pid');

let terminal: Terminal | undefined;

interface Way {
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
  readonly file?: string;
  readonly flags?: string;
}

/** ksnoop top on the capture; the shell around it says how it ended, and how it leaves the terminal. */
function top({ env = {}, columns = 120, rows = 40, file = capture, flags = '' }: Way = {}): Terminal {
  const inner = `echo \\$\\$ >'${pidFile}'; exec ${KSNOOP_IN_SHELL} top '${file}' ${flags}`;
  const command = `cd '${directory}'; sh -c "${inner}"; echo "code $?"; stty -a; echo over; sleep 600`;
  terminal = new Terminal(['sh', '-c', command], { LC_ALL: 'C.UTF-8', ...env }, columns, rows);
  return terminal;
}

beforeAll(() => {
  expect(ensurePackages(['tmux'])).toBe(undefined);
});

afterEach(() => {
  terminal?.close();
});

afterAll(() => rmSync(directory, { recursive: true }));

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
  expect(terminal?.isWhole()).toBe(true);
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s gives the terminal back', async (signal) => {
  await top().shows(/at the end/);
  process.kill(Number(readFileSync(pidFile, 'utf8')), signal);
  const after = await terminal?.shows(/^over/m);
  expect(after).toContain('code 0');
  expect(after).toMatch(/^isig icanon .* echo /m);
  expect(terminal?.isWhole()).toBe(true);
});

test('Ctrl-C is q', async () => {
  await top().shows(/at the end/);
  terminal?.press('C-c');
  expect(await terminal?.shows(/^over/m)).toContain('code 0');
  expect(terminal?.isWhole()).toBe(true);
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

test('-f and --where choose what is looked at from the start', async () => {
  const screen = await top({ flags: `-f 'port 8080' --where 'failed'` }).shows(/at the end/);
  expect(screen).toContain('/failed');
  const services = servicesOf('read', capture, '-f', 'port 8080', '--where', 'failed', '-o', 'summary', '--json');
  expect(services).toHaveLength(1);
  expect(screen).toMatch(new RegExp(`^${services[0]?.service} +\\S+ +${services[0]?.count} `, 'm'));
  expect(screen).toContain('1 of 1 services');
});

test('a filter that does not compile is said as ksnoop read says it', async () => {
  const after = await top({ flags: `-f 'port port'` }).shows(/^over/m);
  expect(after).toMatch(/BAD_FILTER/);
  expect(after).toMatch(/^code 2/m);
});

test('? says what keys do', async () => {
  await top().shows(/at the end/);
  terminal?.press('?');
  await terminal?.shows(/switch views/);
  terminal?.press('Escape');
  await terminal?.shows(/^SERVICE/m);
});

// The one executable does not load the module that crashes it.
test.skipIf(process.env.KSNOOP_EXECUTABLE !== undefined)(
  'a crash gives the terminal back and then says what it was',
  async () => {
    const now = join(directory, 'crash');
    const crash = `import { existsSync } from 'node:fs';
    setInterval(() => { if (existsSync('${now}')) throw new Error('crashed on purpose'); }, 50);`;
    await top({ env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}` } }).shows(
      /at the end/,
    );
    writeFileSync(now, '');
    const after = await terminal?.shows(/^over/m);
    expect(after).toContain('crashed on purpose');
    expect(after).toContain('code 1');
    expect(after).not.toContain('SERVICE');
    expect(after).toMatch(/^isig icanon .* echo /m);
    expect(terminal?.isWhole()).toBe(true);
  },
);

test('a screen that shrinks to 60x15 and grows again shows what fits', async () => {
  await top().shows(/RECEIVED/);
  terminal?.resize(60, 15);
  const small = await terminal?.shows(/^SERVICE +PROTO +RATE +FAILED +P50 +P99$/m);
  expect(small?.split('\n').filter((line) => line.length > 60)).toEqual([]);
  for (const [view, shows] of [
    ['3', /WHAT/],
    ['5', /CLIENT/],
    ['6', /No DNS queries/],
    ['7', /lost: none/],
  ] as const) {
    terminal?.press(view);
    expect(await terminal?.shows(shows)).toMatch(/\? help/);
  }
  terminal?.press('2');
  terminal?.resize(120, 40);
  await terminal?.shows(/RECEIVED/);
});

/** Codes of colours, of sixteen or more. */
const COLOUR = /\x1b\[(?:\d+;)*[349][0-7]m/;

test('NO_COLOR is without colours', async () => {
  await top({ env: { NO_COLOR: '1' } }).shows(/at the end/);
  terminal?.press('5');
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
  terminal?.press('5');
  const screen = (await terminal?.shows(/\d us /)) ?? '';
  // tmux shows each byte above 127 as a character of its own.
  expect([...screen].filter((character) => character > '~')).toEqual([]);
});

test('< goes back in the file, > forth again', async () => {
  const end = await top().shows(/at the end · .* packets/);
  for (let step = 0; step < 10; step += 1) terminal?.press('<');
  const middle = await terminal?.shows(/at \d+ % · /);
  expect(packetsOn(middle ?? '')).toBeLessThan(packetsOn(end));
  for (let step = 0; step < 12; step += 1) terminal?.press('>');
  expect(packetsOn((await terminal?.shows(/at the end · /)) ?? '')).toBe(packetsOn(end));
});

const packetsOn = (screen: string) => Number(/([\d,]+) packets/.exec(screen)?.[1]?.replaceAll(',', ''));

test('Space replays a file as fast as it was captured; p holds it', async () => {
  const file = join(directory, 'slow.pcap');
  const ask = 'GET /a HTTP/1.1\r\nHost: web\r\n\r\n';
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const exchange = (number: number, at: number) => {
    const [sequence, acknowledgment] = [1 + number * ask.length, 1 + number * answer.length];
    const answered = { sequence: acknowledgment, acknowledgment: sequence + ask.length };
    return [
      { side: 0 as const, sequence, acknowledgment, flags: 'P.', payload: ask, at },
      { side: 1 as const, ...answered, flags: 'P.', payload: answer, at: at + 1 },
    ];
  };
  // A request whose segments fill what is taken at once comes between the two.
  const filler = Array.from({ length: 200 }, (_, index) => ({
    side: 0 as const,
    sequence: index,
    ports: [50_000, 9] as const,
    at: 2000 + index * 5,
  }));
  writeFileSync(file, builtPcap([...exchange(0, 0), ...filler, ...exchange(1, 9000)]));
  await top({ file }).shows(/at the end .* 2 exchanges/);
  const began = Date.now();
  terminal?.press(' ');
  await terminal?.shows(/replaying, at \d+ % .* 1 exchange$/m);
  terminal?.press('p');
  await terminal?.shows(/PAUSED/);
  await sleep(1500);
  terminal?.press('p');
  await terminal?.shows(/at the end .* 2 exchanges/);
  expect(Date.now() - began).toBeGreaterThan(9500);
});

test('a capture comes through a pipe and keys from the terminal', async () => {
  const over = join(directory, 'pipe-over');
  const command = `(cat '${capture}'; until [ -e '${over}' ]; do sleep 0.1; done) | ${KSNOOP_IN_SHELL} top -; echo "code $?"; stty -a; echo over; sleep 600`;
  terminal = new Terminal(['sh', '-c', command], { LC_ALL: 'C.UTF-8' });
  await terminal.shows(/^ksnoop stdin .* live · .* 75 packets/m);
  terminal.press('3');
  await terminal.shows(/WHAT/);
  writeFileSync(over, '');
  await terminal.shows(/at the end/);
  terminal.press('q');
  const after = await terminal.shows(/^over/m);
  expect(after).toContain('code 0');
  expect(after).toMatch(/^isig icanon .* echo /m);
  expect(terminal?.isWhole()).toBe(true);
});

test('w writes what is kept: a capture with the same numbers', async () => {
  await top().shows(/at the end/);
  terminal?.press('w');
  const name = /wrote (\S+\.pcapng)/.exec((await terminal?.shows(/wrote /)) ?? '')?.[1] ?? '';
  expect(summaryServices(join(directory, name))).toEqual(summaryServices());
});

test('r writes a report of what is kept, which has the services of the summary', async () => {
  await top().shows(/at the end/);
  terminal?.press('r');
  const name = /wrote (\S+\.html)/.exec((await terminal?.shows(/wrote /)) ?? '')?.[1] ?? '';
  const page = readFileSync(join(directory, name), 'utf8');
  expect(page).toMatch(/^<!doctype html>/i);
  for (const { service, count } of summaryServices()) {
    expect(page).toContain(service);
    expect(page).toContain(String(count));
  }
});

test('Enter opens an exchange: what was said, its flow, its packets in hex; Esc goes back', async () => {
  await top().shows(/at the end/);
  terminal?.press('3');
  await terminal?.shows(/following 15/);
  terminal?.press('g');
  await terminal?.shows(/1 of 15/);
  terminal?.press('Enter');
  const screen = await terminal?.shows(/^Flow \d+$/m);
  expect(screen).toMatch(/^http\.method +\S+/m);
  terminal?.press('G');
  expect(await terminal?.shows(/^ {2}[\da-f]{4} {2}(?:[\da-f]{2} ){8}/m)).toMatch(/bytes$/m);
  terminal?.press('Escape');
  await terminal?.shows(/1 of 15/);
});

test('a response full of escape sequences, bidi and wide characters leaves the screen whole', async () => {
  const file = join(directory, 'hostile.pcap');
  writeFileSync(file, hostileCapture());
  await top({ file, columns: 100, rows: 30 }).shows(/at the end/);
  terminal?.press('3');
  const list = (await terminal?.shows(/GET /)) ?? '';
  whole(list, 100, 30);
  terminal?.press('Enter');
  const opened = (await terminal?.shows(/^Flow/m)) ?? '';
  whole(opened, 100, 30);
  expect(opened).toContain('\\x9b2J \\u202etxt.exe\\u202c日本語🎉e\u0301\u0302');
  terminal?.press('Escape');
  for (const view of ['1', '2', '4', '5', '6', '7', '3', 'G']) terminal?.press(view);
  expect(await terminal?.shows(/following 1/)).toBe(list);
  // Nothing was coloured by what came from the network but what ksnoop colours: the failed status.
  expect(terminal?.painted().match(/\x1b\[(?:\d+;)*31m/g) ?? []).toHaveLength(1);
});

/** The lines around the view stand where they belong, and nothing is wider than the screen. */
function whole(screen: string, columns: number, rows: number): void {
  const lines = screen.replace(/\n$/, '').split('\n');
  expect(lines).toHaveLength(rows);
  expect(lines[0]).toMatch(/^ksnoop hostile\.pcap .* 1 exchange$/);
  expect(lines[1]).toMatch(/^ 1 findings {2}2 services {2}3 exchanges/);
  expect(lines.at(-1)).toMatch(/^\? help/);
  expect(Math.max(...lines.map(cellWidth))).toBeLessThanOrEqual(columns);
}

test('a name that was asked for opens: its answers, latencies, and who asked last', async () => {
  const file = join(import.meta.dirname, '../../analyze/protocols/captures/dns.pcap');
  await top({ file }).shows(/at the end/);
  terminal?.press('6');
  await terminal?.shows(/^web\.shop\.svc\.cluster\.local +A +7 +1 NOERROR 6, BADVERS 1/m);
  terminal?.press('s');
  await terminal?.shows(/^NAME.*\nother\.test [\s\S]*sorted by failed/m);
  terminal?.press('Enter');
  expect(await terminal?.shows(/^Last lookups/m)).toMatch(/^failed +1 +100\.0 %$/m);
  terminal?.press('Escape');
  await terminal?.shows(/^NAME /m);
});
