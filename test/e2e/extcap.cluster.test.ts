// ksnoop as Wireshark's interface: Debian's tshark calls it, and a program that speaks Wireshark's side of the toolbar.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMAND, CONTROL } from '../../src/cli/extcap/control.ts';
import { attempt } from '../cluster/run.ts';
import type { TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { KSNOOP, KSNOOP_IN_SHELL, KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, ksnoop, kubectl, type ShopPod, shopPods } from '../support/shop.ts';
import { WiresharkSide } from '../support/wireshark-side.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-extcap-'));
let on: TestCluster;
let pod: ShopPod;

beforeAll(async () => {
  on = await ensureShop();
  // Agents that already stand serve as well: nothing here is about them.
  if ((await ksnoop(on, 'status')).code !== 0) await ensureAgent();
  const [first] = await shopPods(on, 'web');
  if (first === undefined) throw new Error('the shop has no web');
  pod = first;
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Where Wireshark looks on this machine is emptied for what runs in here, and ksnoop installs itself there. */
function withExtcap(...argv: string[]): [string, string[]] {
  const script =
    'mount -t tmpfs none "$(tshark -G folders 2>/dev/null | sed -n "s/^.*Extcap path:[[:space:]]*//p" | tail -1)" && ' +
    `${KSNOOP_IN_SHELL} extcap install -q 2>/dev/null && exec "$@"`;
  return ['unshare', ['--mount', 'sh', '-c', script, 'sh', ...argv]];
}

const env = () => ({ ...process.env, KUBECONFIG: on.kubeconfig, XDG_CACHE_HOME: join(directory, 'cache') });
const extcap = (...argv: string[]) =>
  attempt([...KSNOOP, 'extcap', 'run', '--extcap-interface', 'ksnoop', ...argv], { env: env() });

/** Exactly `count` datagrams of so many bytes from a client to the pod, to a port of their own. */
async function datagrams(count: number, port: number, bytes = 20): Promise<void> {
  const code = `
    const s = require('node:dgram').createSocket('udp4');
    let sent = 0;
    const next = () => sent === ${count} ? s.close() : s.send(Buffer.alloc(${bytes}, 48 + sent++ % 10), ${port}, '${pod.ip}', () => setTimeout(next, 1));
    next();`;
  await kubectl(on, 'exec', '-n', 'shop', 'deploy/client', '--', 'node', '-e', code);
}

test('tshark lists the interface, and its dialog as preferences', async () => {
  const [command, argv] = withExtcap('tshark', '-D');
  const { stdout, stderr } = await attempt([command, ...argv], { env: env() });
  expect(stdout).toMatch(/^\d+\. ksnoop \(Kubernetes pods \(ksnoop\)\)$/m);
  // What Wireshark cannot read of the dialog it says here.
  expect(stderr).not.toMatch(/sentence|invalid|couldn't/i);
});

test('tshark through extcap counts the same packets as ksnoop -w of the same run', async () => {
  const filter = 'udp port 47111';
  const file = join(directory, 'beside.pcapng');
  const beside = new KsnoopProcess(['-n', 'shop', `pod/${pod.name}`, '-f', filter, '-w', file], on.kubeconfig);
  await beside.capturing(1);
  const fields = { namespace: 'shop', target: `pod/${pod.name}` };
  const options = Object.entries(fields).flatMap(([name, value]) => ['-o', `extcap.ksnoop.${name}:${value}`]);
  const [command, argv] = withExtcap('tshark', '-l', '-n', '-i', 'ksnoop', ...options, '-f', filter);
  const tshark = spawn(command, argv, { env: env() });
  let stdout = '';
  let stderr = '';
  tshark.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  tshark.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const closed = once(tshark, 'close');
  const lines = (end: string) => stdout.split('\n').filter((line) => line.includes('UDP') && line.endsWith(end)).length;
  // tshark does not say when packets can come: it is asked with packets of the flow, which differ in length.
  const deadline = Date.now() + HANG_MS;
  let asked = 0;
  for (; lines('Len=10') === 0 && Date.now() < deadline; asked += 1) {
    await datagrams(1, 47111, 10);
    await sleep(250);
  }
  await datagrams(1_000, 47111, 20);
  while (lines('Len=20') < 1_000 && Date.now() < deadline) await sleep(50);
  tshark.kill('SIGINT');
  await closed;
  const { code, stderr: summary } = await beside.stop();
  expect(code, summary).toBe(0);
  const { stdout: frames } = await attempt(['tshark', '-r', file, '-n', '-T', 'fields', '-e', 'frame.number']);
  expect(frames.trim().split('\n')).toHaveLength(asked + 1_000);
  expect(lines('Len=20'), stderr).toBe(1_000);
  expect(stderr).toContain(`${lines('')} packets captured`);
  expect(stderr).not.toContain('Error by extcap');
});

test('lists are filled from the cluster when asked, and are there the next time without asking', async () => {
  const { stdout } = await extcap('--extcap-config', '--extcap-reload-option', 'target', '--namespace', 'shop');
  expect(stdout).toContain(`{value=pod/${pod.name}}{display=pod/${pod.name}}`);
  const namespaces = await extcap('--extcap-config', '--extcap-reload-option', '--namespace');
  expect(namespaces.stdout).toMatch(/^value \{arg=\d+\}\{value=shop\}\{display=shop\}$/m);
  const containers = await extcap(
    ...['--extcap-config', '--extcap-reload-option', 'container', '--namespace', 'shop', '--target', `pod/${pod.name}`],
  );
  expect(containers.stdout).toMatch(/\{value=nginx\}|\{value=web\}/);
  const again = await attempt([...KSNOOP, 'extcap', 'run', '--extcap-config', '--extcap-interface', 'ksnoop'], {
    env: { ...env(), KUBECONFIG: '/nowhere' },
  });
  expect(again.code).toBe(0);
  expect(again.stdout).toContain(`{value=pod/${pod.name}}`);
});

test('the button pauses and goes on without losing a packet; Wireshark stops it with SIGTERM', async () => {
  const fields = ['--namespace', 'shop', '--target', `pod/${pod.name}`, '--filter', 'udp port 47112'];
  const wireshark = new WiresharkSide(mkdtempSync(join(directory, 'ws-')), fields, on.kubeconfig);
  const heard = (command: number, text: string) =>
    wireshark.heard.some((message) => message.command === command && message.payload.includes(text));
  await wireshark.until('the log', () => heard(COMMAND.add, `capturing shop/${pod.name}`));
  await datagrams(10, 47112);
  await wireshark.until('the packets', () => wireshark.packets === 10);
  wireshark.press(CONTROL.pause);
  await wireshark.until('the new label', () => heard(COMMAND.set, 'Resume'));
  await wireshark.until('the word in the status bar', () => heard(COMMAND.statusBar, 'paused'));
  await datagrams(20, 47112);
  await sleep(2_500);
  expect(wireshark.packets).toBe(10);
  wireshark.press(CONTROL.pause);
  await wireshark.until('what was held', () => wireshark.packets === 30);
  wireshark.child.kill('SIGTERM');
  const { code, stderr } = await wireshark.ended();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(heard(COMMAND.add, '30 packets captured')).toBe(true);
});

test('it ends when the pipe is closed, also while paused when it is stopped', async () => {
  const fields = ['--namespace', 'shop', '--target', `pod/${pod.name}`];
  const [closing, paused] = [1, 2].map(
    () => new WiresharkSide(mkdtempSync(join(directory, 'ws-')), fields, on.kubeconfig),
  );
  for (const side of [closing, paused]) {
    await side?.until('the log', () => side.heard.some(({ payload }) => payload.startsWith('capturing')));
  }
  closing?.closeFifo();
  paused?.press(CONTROL.pause);
  await paused?.until('the new label', () => paused.heard.some(({ payload }) => payload === 'Resume'));
  await datagrams(5, 47113);
  expect(await closing?.ended()).toMatchObject({ code: 0, stderr: '' });
  paused?.child.kill('SIGTERM');
  paused?.closeFifo();
  expect(await paused?.ended()).toMatchObject({ code: 0, stderr: '' });
});

test('what is wrong is said on stderr, which Wireshark shows, and the pipe is closed', async () => {
  const wireshark = new WiresharkSide(
    mkdtempSync(join(directory, 'ws-')),
    ['--namespace', 'shop', '--target', 'pod/not-there'],
    on.kubeconfig,
  );
  expect(await wireshark.ended()).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^There is no pod not-there in namespace shop/),
  });
});

test('a capture filter is judged before it is used', async () => {
  expect(await extcap('--extcap-capture-filter', 'tcp port 80')).toMatchObject({ code: 0, stdout: '' });
  const { stdout } = await extcap('--extcap-capture-filter', 'tcp prot 80');
  expect(stdout).toMatch(/^The filter "tcp prot 80" does not compile: .*\n$/);
});
