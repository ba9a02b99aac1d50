// A capture in several files, on this machine alone (--local): each complete, none of the packets missing or twice.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { BlockFramer } from '../../../src/wire/pcapng-read.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run, traffic } from '../../agent/namespaces.ts';
import { readCaptureFile } from '../../support/capture-file.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-rotation-'));
let pair: NamespacePair;
let sink: ChildProcess;
beforeAll(async () => {
  pair = makePair();
  sink = await background(traffic(pair, pair.right, 'sink'));
});
afterAll(() => {
  sink.kill('SIGKILL');
  pair.remove();
  rmSync(directory, { recursive: true });
});

/** UDP packets of 100 bytes of payload from the captured namespace. */
const send = (packets: number) => run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, packets, 16, 100, 2));
const filesOf = (name: string) =>
  readdirSync(directory)
    .filter((file) => file.startsWith(`${name}-`))
    .sort();

async function captured(name: string, packets: number, ...flags: string[]) {
  const args = ['--local', `netns/${pair.left}`, '-f', 'udp', '-w', join(directory, `${name}.pcapng`), ...flags];
  const ksnoop = new KsnoopProcess(args);
  await ksnoop.capturing(1);
  send(packets);
  return ksnoop;
}

/** What tshark and the blocks say of a file: its packets' first bytes of payload, and the kinds of its blocks. */
async function contents(file: string) {
  const path = join(directory, file);
  const kinds: number[] = [];
  const framer = new BlockFramer(({ type }) => kinds.push(type));
  framer.push(readFileSync(path));
  expect(framer.pending).toBe(0);
  expect(kinds[0]).toBe(BLOCK.sectionHeader);
  expect(kinds.at(-1)).toBe(BLOCK.ksnoopEnd);
  // The network's state and the last statistics are taken at the same time: either may be written first.
  expect(kinds.filter((kind) => kind !== BLOCK.ksnoopState).at(-2)).toBe(BLOCK.interfaceStatistics);
  expect(kinds).toContain(BLOCK.interfaceDescription);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const frames = (await readCaptureFile(path)) ?? [];
  const told = execFileSync('capinfos', ['-c', '-M', path], { encoding: 'utf8' });
  expect(told).toMatch(new RegExp(`Number of packets: +${frames.length}\\n`));
  return frames.map(({ bytes, time }) => `${time} ${bytes.subarray(-100, -80).toString('hex')}`);
}

test('-C begins another file, each complete, and none of the packets is missing or twice', async () => {
  const ksnoop = await captured('size', 200, '-C', '8k', '--count', '200');
  const { code, stderr } = await ksnoop.finished();
  expect(code, stderr).toBe(0);
  const files = filesOf('size');
  expect(files.length).toBeGreaterThan(3);
  expect(files[0]).toBe('size-00001.pcapng');
  const all = (await Promise.all(files.map(contents))).flat();
  expect(all).toHaveLength(200);
  expect(new Set(all).size).toBe(200);
  expect([...all].sort()).toEqual(all);
  for (const file of files) expect(statSync(join(directory, file)).size).toBeLessThan(9_500);
  expect(stderr).toContain(`size-00001.pcapng to ${join(directory, files.at(-1) ?? '')}`);
  for (const file of files) {
    const read = await new KsnoopProcess(['read', join(directory, file), '-o', 'summary']).finished();
    expect(read.code, read.stderr).toBe(0);
  }
});

test('-C with -W keeps the newest files', async () => {
  const ksnoop = await captured('ring', 200, '-C', '8k', '-W', '2', '--count', '200');
  const { code, stderr } = await ksnoop.finished();
  expect(code, stderr).toBe(0);
  const files = filesOf('ring');
  expect(files).toHaveLength(2);
  expect(files[0]).not.toBe('ring-00001.pcapng');
  expect((await Promise.all(files.map(contents))).flat().length).toBeLessThan(150);
  expect(stderr).toContain('kept the newest');
});

test('-G with -W ends after that many files, and what is counted is in them', async () => {
  const ksnoop = await captured('time', 3_000, '-G', '500ms', '-W', '2');
  const beating = setInterval(() => send(20), 200);
  const { code, stderr } = await ksnoop.finished();
  clearInterval(beating);
  expect(code, stderr).toBe(0);
  const files = filesOf('time');
  expect(files).toHaveLength(2);
  const all = (await Promise.all(files.map(contents))).flat();
  expect(stderr.replaceAll(',', '')).toContain(`${all.length} packets captured`);
});

test('a file that is there already ends the capture, and stays as it is', async () => {
  writeFileSync(join(directory, 'there-00002.pcapng'), 'mine');
  const ksnoop = await captured('there', 300, '-C', '8k');
  const { code, stderr } = await ksnoop.finished();
  expect([code, stderr]).toEqual([1, expect.stringContaining('there-00002.pcapng')]);
  expect(readFileSync(join(directory, 'there-00002.pcapng'), 'utf8')).toBe('mine');
  expect((await contents('there-00001.pcapng')).length).toBeGreaterThan(10);
});

test.each([
  [['-W', '3'], 'need a size or a time'],
  [['-C', '1M', '-o', 'text'], 'pcapng or pcap'],
  [['-C', 'huge'], '-C takes a size'],
  [['-G', '5', '--ring'], 'set their number with -W'],
])('%j is refused', async (flags, words) => {
  const args = ['--local', 'host', '-w', join(directory, 'refused.pcapng'), ...flags];
  const { code, stderr } = await new KsnoopProcess(args).finished();
  expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  expect(readdirSync(directory).filter((name) => name.startsWith('refused'))).toEqual([]);
});
