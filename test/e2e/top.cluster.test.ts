// The screen on the live shop: its numbers, an agent that is killed meanwhile, and what a hostile server says.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ServiceStats } from '../../src/analyze/summary/report.ts';
import { byteSize, grouped } from '../../src/view/units.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KSNOOP, KSNOOP_IN_SHELL } from '../support/ksnoop-process.ts';
import { ensurePackages } from '../support/packages.ts';
import { ensureAgent, ensureShop, kubectl, requests, type ShopPod, shopPods } from '../support/shop.ts';
import { Terminal } from '../support/terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-top-'));
let on: TestCluster;
let web: readonly ShopPod[];
let terminal: Terminal | undefined;

beforeAll(async () => {
  const missing = ensurePackages(['tmux']);
  if (missing !== undefined) throw new Error(missing);
  on = await ensureShop();
  await ensureAgent();
  web = await shopPods(on, 'web');
});
afterEach(() => terminal?.close());
afterAll(() => rmSync(directory, { recursive: true }));

/** ksnoop top in a terminal; how it ended is said behind it. */
async function top(targets: readonly string[], columns = 160, rows = 40): Promise<Terminal> {
  const command = `cd '${directory}'; ${KSNOOP_IN_SHELL} top -n shop ${targets.join(' ')}; echo "code $?"; sleep 600`;
  const env = { KUBECONFIG: on.kubeconfig, LC_ALL: 'C.UTF-8' };
  terminal = new Terminal(['sh', '-c', command], env, columns, rows);
  await terminal.shows(/ live /);
  // Every target's state is said in the view of the capture.
  terminal.press('7');
  const captured = new RegExp(`(?:capturing [\\s\\S]*){${targets.length}}`);
  await terminal.shows(captured);
  terminal.press('2');
  return terminal;
}

/** A row of the services as the screen has it. */
const row = ({ service, count, failed, requestBytes, responseBytes }: ServiceStats) =>
  new RegExp(
    `^${service} +\\S+ +${grouped(count)} +\\S+/s +${grouped(failed)} .* ${byteSize(requestBytes)} +${byteSize(responseBytes)}`,
    'm',
  );

test('the numbers on the screen are those of the summary of the same packets', async () => {
  const screen = await top(web.map(({ name }) => `pod/${name}`));
  const run = `top${Date.now()}`;
  const { answered } = await requests(on, { n: 300, run, paths: 'ok,missing,unavailable' });
  expect(answered).toBe(300);
  await screen.shows(new RegExp(`^web.shop +HTTP +${answered} `, 'm'));
  screen.press('w');
  const name = /wrote (\S+\.pcapng)/.exec(await screen.shows(/wrote \S+/))?.[1] ?? '';
  const shown = screen.screen();
  const [command, ...before] = KSNOOP;
  const json = execFileSync(command, [...before, 'read', join(directory, name), '-o', 'summary', '--json']);
  const services = (JSON.parse(json.toString()) as { services: ServiceStats[] }).services;
  expect(services.find(({ service }) => service === 'web.shop')?.failed).toBe(100);
  for (const each of services) expect(shown).toMatch(row(each));
  screen.press('q');
  expect(await screen.shows(/^code/m)).toMatch(/packets captured[\s\S]*^code 0/m);
});

test('an agent that is killed is said to be lost, and the screen goes on', async () => {
  const screen = await top(web.map(({ name }) => `pod/${name}`));
  const node = web[0]?.node ?? '';
  await requests(on, { n: 60, run: 'before', paths: 'ok' });
  await screen.shows(/^web.shop +HTTP +60 /m);
  const agents = await kubectl(
    on,
    'get',
    'pods',
    '-n',
    'ksnoop',
    '-o',
    'name',
    `--field-selector=spec.nodeName=${node}`,
  );
  await kubectl(on, 'delete', '-n', 'ksnoop', agents.trim(), '--grace-period=0', '--force');
  // Above every view, as long as it lasts and afterwards.
  await screen.shows(new RegExp(`${node} lost|1 gap`));
  await screen.shows(/1 gap/);
  await requests(on, { n: 60, run: 'after', paths: 'ok' });
  await screen.shows(/^web.shop +HTTP +120 /m);
  screen.press('7');
  expect(await screen.shows(/lost: packets of 1 gap/)).toMatch(new RegExp(`${node} .*after a gap`));
  screen.press('q');
  expect(await screen.shows(/^code/m)).toMatch(/GAP: no packets[\s\S]*^code 4/m);
});

test('a pause holds the screen, says what waits, and loses nothing', async () => {
  const screen = await top([`pod/${web[0]?.name}`]);
  screen.press('p');
  await screen.shows(/PAUSED/);
  await requests(on, { n: 40, run: 'paused', paths: 'ok' });
  // Nothing of it is shown, and it is said how much waits.
  const paused = await screen.shows(/PAUSED \([1-9]\d* new/);
  expect(paused).not.toMatch(/^web.shop/m);
  screen.press('p');
  await screen.shows(/^web.shop +HTTP/m);
});

/** A server and a client in one pod; what both say is what a terminal would obey, bidi, and wide. */
const HOSTILE = `
const bad = '\\x1b[2J\\x1b[31m\\x9b2J\\u202etxt.exe\\u202c\\u65e5\\u672c\\u8a9e\\u{1f389}';
const net = require('node:net');
const server = net.createServer((socket) => socket.on('data', () =>
  socket.end('HTTP/1.1 500 ' + bad + '\\r\\nX-Trap: ' + bad + '\\r\\nContent-Length: 0\\r\\n\\r\\n')));
server.listen(8099, () => {
  const client = net.connect(8099, process.env.POD_IP || '127.0.0.1');
  client.on('close', () => server.close());
  client.on('data', () => {});
  client.write('GET /' + bad + ' HTTP/1.1\\r\\nHost: trap\\r\\n\\r\\n');
});`;

test('a server that answers with escape sequences, bidi and wide characters leaves the screen whole', async () => {
  const [client] = await shopPods(on, 'client');
  const screen = await top([`pod/${client?.name}`], 100, 30);
  await kubectl(on, 'exec', '-n', 'shop', client?.name ?? '', '--', 'node', '-e', HOSTILE);
  screen.press('3');
  await screen.shows(/GET \//);
  screen.press('g');
  screen.press('Enter');
  // What was said when the capture began has gone from the last line.
  const opened = await screen.shows(/^http\.path[\s\S]*^\? help/m);
  expect(opened).toMatch(/http\.path +\/\\x1b\[2J\\x1b\[31m/);
  const lines = opened.replace(/\n$/, '').split('\n');
  expect(lines).toHaveLength(30);
  expect(lines[0]).toMatch(/^ksnoop pod\/client/);
  expect(lines.at(-1)).toMatch(/^\? help/);
  screen.press('q');
  expect(await screen.shows(/^code/m)).toMatch(/^code 0/m);
});
