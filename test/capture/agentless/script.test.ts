import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  END_LINE,
  INSPECT_COMMAND,
  type ProbeArguments,
  parseInspection,
  probeCommand,
  uploadCommand,
} from '../../../src/capture/agentless/script.ts';

let directory: string;

/** A tcpdump that writes down its arguments and runs until it is told to end. */
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-script-'));
  const played = `#!/bin/sh
if [ "$1" = --help ]; then echo "$KSNOOP_TEST_HELP"; exit 0; fi
printf '%s\\n' "$@" > ${directory}/arguments
trap 'echo "3 packets captured" >&2; exit 0' TERM
echo pcap
[ "$KSNOOP_TEST_FAILS" = 1 ] && exit 4
while :; do sleep 0.05; done
`;
  writeFileSync(join(directory, 'tcpdump'), played);
  chmodSync(join(directory, 'tcpdump'), 0o755);
});
afterEach(() => rmSync(directory, { recursive: true }));

const ANY: ProbeArguments = {
  tcpdump: 'tcpdump',
  interface: 'any',
  snaplen: 262_144,
  filter: undefined,
  after: 'nothing',
};

function run(probeArguments: ProbeArguments, environment: Record<string, string> = {}) {
  const [file = '', ...words] = probeCommand(probeArguments);
  const child = spawn(file, words, { env: { PATH: `${directory}:/usr/bin:/bin`, ...environment } });
  const output = { stdout: '', stderr: '' };
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output.stdout += chunk.toString();
      resolve();
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, begun, ended, output };
}

const given = () => readFileSync(join(directory, 'arguments'), 'utf8').trim().split('\n');

test('tcpdump gets interface, snaplen and filter as words, whatever is in them', async () => {
  const filter = 'tcp port 80 or "$(touch x)" && `id`';
  const { child, begun, ended } = run({ ...ANY, interface: 'eth0', snaplen: 128, filter });
  await begun;
  child.stdin.end();
  expect(await ended).toBe(0);
  expect(given()).toEqual(['-n', '-i', 'eth0', '-s', '128', '-U', '-w', '-', '--', filter]);
});

test('a tcpdump that can change its user is told to stay', async () => {
  const { child, begun, ended } = run(ANY, { KSNOOP_TEST_HELP: 'Usage: tcpdump [-w file] [ -Z user ]' });
  await begun;
  child.stdin.end();
  await ended;
  expect(given()).toEqual(['-n', '-i', 'any', '-s', '262144', '-U', '-Z', 'root', '-w', '-']);
});

test.each(['a line', 'the end of its stdin'])('%s ends tcpdump in good order, with its counts', async (how) => {
  const { child, begun, ended, output } = run(ANY);
  await begun;
  if (how === 'a line') child.stdin.write(END_LINE);
  else child.stdin.end();
  expect(await ended).toBe(0);
  expect(output.stderr).toContain('3 packets captured');
});

test('a tcpdump that ends by itself is not waited for', async () => {
  const { ended } = run(ANY, { KSNOOP_TEST_FAILS: '1' });
  expect(await ended).toBe(4);
});

test('an uploaded tcpdump runs by its path, and is removed after the capture', async () => {
  const uploaded = join(directory, 'uploaded');
  writeFileSync(uploaded, readFileSync(join(directory, 'tcpdump')));
  chmodSync(uploaded, 0o755);
  const { child, begun, ended } = run({ ...ANY, tcpdump: uploaded, after: 'remove' });
  await begun;
  expect(existsSync(uploaded)).toBe(true);
  child.stdin.write(END_LINE);
  expect(await ended).toBe(0);
  expect(existsSync(uploaded)).toBe(false);
});

test('a program arrives whole, or not at all', () => {
  const path = join(directory, 'program');
  const [file = '', ...words] = uploadCommand(path, 5000);
  const whole = spawnSync(file, words, { input: Buffer.alloc(5000, 7) });
  expect(whole.status).toBe(0);
  expect(readFileSync(path)).toEqual(Buffer.alloc(5000, 7));
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(spawnSync(file, words, { input: Buffer.alloc(4999, 7) }).status).toBe(1);
  expect(existsSync(path)).toBe(false);
});

test('a container says whether it has tcpdump, whether it may capture, and its machine', () => {
  const [file = '', ...words] = INSPECT_COMMAND;
  const { stdout } = spawnSync(file, words, { env: { PATH: `${directory}:/usr/bin:/bin` }, encoding: 'utf8' });
  expect(parseInspection(stdout)).toMatchObject({
    hasTcpdump: true,
    machine: expect.stringMatching(/^(x86_64|aarch64)$/),
  });
  expect(parseInspection('tcpdump\ncapabilities 00000000a80425fb\nmachine x86_64\n')).toEqual({
    hasTcpdump: true,
    mayCapture: true,
    machine: 'x86_64',
  });
  expect(parseInspection('capabilities 0000000000000000\n')).toEqual({
    hasTcpdump: false,
    mayCapture: false,
    machine: '',
  });
  expect(parseInspection('\u0000\nmachine \u001b[31m')).toEqual({
    hasTcpdump: false,
    mayCapture: undefined,
    machine: '',
  });
});
