import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { END_LINE, type ProbeArguments, probeCommand } from '../../../src/capture/agentless/script.ts';

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

const ANY: ProbeArguments = { interface: 'any', snaplen: 262_144, filter: undefined, endsContainer: false };

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
