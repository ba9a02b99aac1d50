// How a capture ends, on this machine alone (--local): the user's limits, readers that go away, disks that are full.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run, traffic } from '../agent/namespaces.ts';
import { captureFrames, readCaptureFile } from '../support/capture-file.ts';
import { HANG_MS } from '../support/hang.ts';
import { KSNOOP, KsnoopProcess } from '../support/ksnoop-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-endings-'));
let pair: NamespacePair;
let target: string[];
let sink: ChildProcess;
const running: ChildProcess[] = [];
beforeAll(async () => {
  pair = makePair();
  sink = await background(traffic(pair, pair.right, 'sink'));
  target = ['--local', `netns/${pair.left}`, '-f', 'udp'];
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGTERM');
});
afterAll(() => {
  sink.kill('SIGKILL');
  pair.remove();
  rmSync(directory, { recursive: true });
});

const at = (name: string) => join(directory, name);
/** UDP packets of 100 bytes of payload from the captured namespace. */
const send = (packets: number) => run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, packets, 16, 100, 2));

/** Whether it is all there: no block cut, the end marker last. */
function whole(bytes: Uint8Array): boolean {
  let last = 0;
  const framer = new BlockFramer(({ type }) => {
    last = type;
  });
  framer.push(bytes);
  return framer.pending === 0 && last === BLOCK.ksnoopEnd;
}

async function started(...more: string[]): Promise<KsnoopProcess> {
  const ksnoop = new KsnoopProcess([...target, ...more]);
  running.push(ksnoop.child);
  await ksnoop.capturing(1);
  return ksnoop;
}

test('--count ends with exactly that many packets', async () => {
  const ksnoop = await started('--count', '5', '-w', at('count'));
  send(200);
  const { code, stderr } = await ksnoop.finished();
  expect(await readCaptureFile(at('count')), stderr).toHaveLength(5);
  expect(stderr).toContain('5 packets captured');
  expect(stderr).toContain(`wrote ${at('count')}`);
  expect(whole(readFileSync(at('count')))).toBe(true);
  expect(code).toBe(0);
});

test('--max-bytes ends before its packets exceed it', async () => {
  const ksnoop = await started('--max-bytes', '1k', '-w', at('bytes'));
  send(200);
  const { code } = await ksnoop.finished();
  const sizes = (await readCaptureFile(at('bytes')))?.map(({ bytes }) => bytes.length) ?? [];
  const sum = sizes.reduce((all, size) => all + size, 0);
  expect(sum).toBeLessThanOrEqual(1_000);
  expect(sum + (sizes[0] ?? 0)).toBeGreaterThan(1_000);
  expect(code).toBe(0);
});

test('--duration ends a capture that sees nothing', async () => {
  const began = performance.now();
  const { code, stdout } = await new KsnoopProcess([...target, '--duration', '1s']).finished();
  expect(performance.now() - began).toBeGreaterThan(1_000);
  expect(whole(stdout)).toBe(true);
  expect(code).toBe(0);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends in good order, in a private file', async (signal) => {
  const ksnoop = await started('-w', at(signal));
  send(20);
  ksnoop.child.kill(signal);
  const { code, stderr } = await ksnoop.finished();
  expect(await readCaptureFile(at(signal))).toHaveLength(20);
  expect(whole(readFileSync(at(signal)))).toBe(true);
  expect(statSync(at(signal)).mode & 0o777).toBe(0o600);
  expect(stderr).toMatch(/20 packets captured, \d+ received, 0 dropped by kernel, 0 dropped by ksnoop, 0 truncated/);
  expect(code).toBe(0);
});

test('a file that exists is refused before anything is captured', async () => {
  const before = readFileSync(at('count'));
  const { code, stderr } = await new KsnoopProcess([...target, '-w', at('count')]).finished();
  expect(stderr).toMatch(/already exists. .*--force/);
  expect(stderr).not.toContain('capturing');
  expect(readFileSync(at('count')).equals(before)).toBe(true);
  expect(code).toBe(2);
});

test.each([
  [['-o', 'text'], 'lines'],
  [['-o', 'pcap'], 'pcap'],
  [[], 'pcapng'],
])('a reader of stdout that has enough is a normal end (%j, %s)', async (form) => {
  const line = '"$0" "$@" | head -c 40 > /dev/null; echo "code $PIPESTATUS"';
  const shell = spawn('bash', ['-c', line, ...KSNOOP, ...target, ...form], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  shell.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const closed = once(shell, 'close');
  while (!stderr.includes('capturing')) await new Promise((resolve) => setTimeout(resolve, 20));
  while (shell.exitCode === null) {
    send(20);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await closed;
  expect(stdout, stderr).toBe('code 0\n');
  expect(stderr).toMatch(/packets? captured/);
  expect(stderr).not.toMatch(/could not|unexpected|EPIPE/);
});

test('a capture goes on when nobody reads its stderr any more', async () => {
  const ksnoop = await started('-v', '-w', at('deaf'));
  ksnoop.child.stderr?.destroy();
  send(20);
  const { code } = await ksnoop.stop();
  expect(await readCaptureFile(at('deaf'))).toHaveLength(20);
  expect(whole(readFileSync(at('deaf')))).toBe(true);
  expect(code).toBe(0);
});

test('stdout on a full disk', async () => {
  const line = 'exec "$0" "$@" > /dev/full';
  const shell = spawn('sh', ['-c', line, ...KSNOOP, ...target], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const [code] = await once(shell, 'close');
  expect(stderr).toContain('the output could not be written to its end: the disk is full');
  expect(code).toBe(1);
});

test('a file on a disk that fills up: told, and what fitted can be read', async () => {
  const disk = at('disk');
  mkdirSync(disk);
  // A mount namespace of its own: the mount is gone with it. The copy is what was on the disk.
  const script =
    'disk=$1; shift; mount -t tmpfs -o size=256k none "$disk" || exit 99; "$@"; code=$?; cp "$disk/a" "$disk.copy"; exit $code';
  const words = ['--mount', 'sh', '-c', script, 'sh', disk, ...KSNOOP, ...target, '-w', join(disk, 'a')];
  const child = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const closed = once(child, 'close');
  while (!stderr.includes('capturing')) await new Promise((resolve) => setTimeout(resolve, 20));
  send(4_000);
  const [code] = await closed;
  expect(stderr).toContain(`the file ${join(disk, 'a')} could not be written to its end: the disk is full`);
  expect(stderr).not.toContain('wrote ');
  expect(code).toBe(1);
  const copy = readFileSync(`${disk}.copy`);
  expect(copy).toHaveLength(256 * 1024);
  expect(captureFrames(copy)?.length).toBeGreaterThan(1_000);
  expect(whole(copy)).toBe(false);
});

test('what is not there ends with 3, a bad filter with 2, and neither leaves a file', async () => {
  for (const [words, sentence, wanted] of [
    [['--local', 'netns/ksnoop-none'], /no network namespace ksnoop-none/, 3],
    [['--local', 'pid/4194304'], /no process 4194304/, 3],
    [['--local', `netns/${pair.left}`, '-f', 'tcp port (('], /refuses the filter/, 2],
    [['--local', `netns/${pair.left}`, '-i', 'eth7'], /has no interface eth7/, 2],
  ] as const) {
    const { code, stderr } = await new KsnoopProcess([...words, '-w', at('none')]).finished();
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code, stderr).toBe(wanted);
    expect(existsSync(at('none'))).toBe(false);
  }
});

test('a target named twice is captured once, and one of two that is missing makes it partial', async () => {
  const twice = await started(`netns/${pair.left}`, '-w', at('twice'));
  send(10);
  expect(await twice.stop()).toMatchObject({ code: 0 });
  expect(await readCaptureFile(at('twice'))).toHaveLength(10);
  const partial = await started('netns/ksnoop-none', '-w', at('partial'));
  const { code, stderr } = await partial.stop();
  expect(stderr).toContain('no network namespace ksnoop-none');
  expect(code).toBe(4);
});

/** ksnoop on a terminal of its own. @returns what the terminal showed, and the exit code */
async function onTerminal(...words: string[]): Promise<{ shown: string; code: number }> {
  const quoted = [...KSNOOP, ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', quoted, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let shown = '';
  let sent = false;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString('latin1');
    if (!sent && shown.includes('capturing')) {
      sent = true;
      send(3);
    }
  });
  const [code] = await once(child, 'close');
  return { shown, code };
}

test('a terminal gets lines, and never anything binary', async () => {
  const lines = await onTerminal(...target, '--count', '3');
  expect(lines.shown.match(/> 10\.99\.0\.2:7000.* UDP /g)).toHaveLength(3);
  expect(lines.code).toBe(0);
  for (const form of [
    ['-o', 'pcap'],
    ['-o', 'pcapng'],
    ['-w', '-'],
    ['-w', '/dev/stdout'],
    ['-w', '/dev/tty'],
  ]) {
    const { shown, code } = await onTerminal(...target, ...form);
    expect(shown).toMatch(/format is binary and \S+ is a terminal/);
    expect(shown).not.toMatch(/[^\r\n -~]/);
    expect(code).toBe(2);
  }
});

test('nothing of any capture is left', async () => {
  const left = () => {
    const all = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
    return all.filter((args) => args.includes(pair.left));
  };
  await expect.poll(left, { timeout: HANG_MS }).toEqual([]);
});
