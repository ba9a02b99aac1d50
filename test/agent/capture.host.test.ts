import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AgentProcess, captureRequest } from './agent-process.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run, traffic } from './namespaces.ts';

let pair: NamespacePair;
let sink: ChildProcess;
beforeAll(async () => {
  pair = makePair();
  sink = await background(traffic(pair, pair.right, 'sink'));
});
afterAll(() => {
  sink.kill('SIGKILL');
  pair.remove();
});

/** What tshark reads in a capture; it takes no socket for a file, and Node's pipes are sockets. */
function tshark(pcapng: Buffer, ...args: string[]): string[] {
  const file = join(mkdtempSync(join(tmpdir(), 'ksnoop-')), 'capture.pcapng');
  try {
    writeFileSync(file, pcapng);
    return run(['tshark', '-r', file, '-n', ...args])
      .split('\n')
      .filter((line) => line !== '');
  } finally {
    rmSync(dirname(file), { recursive: true });
  }
}

it('captures a named network namespace, and tshark reads every packet under its name', async () => {
  const agent = new AgentProcess();
  await agent.start(captureRequest([{ key: 't', kind: 'netns', name: pair.left }]));
  const before = Date.now() / 1000;
  run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, 40, 1, 100, 1));
  const after = Date.now() / 1000;
  expect(await agent.stop()).toBe(0);
  const rows = tshark(
    agent.output,
    '-Y',
    'udp.dstport == 7000',
    '-T',
    'fields',
    '-e',
    'frame.time_epoch',
    '-e',
    'frame.interface_name',
    '-e',
    'udp.length',
  );
  expect(rows).toHaveLength(40);
  for (const row of rows) {
    const [time, name] = row.split('\t');
    expect(name).toBe(`netns/${pair.left}/eth0`);
    expect(Number(time)).toBeGreaterThan(before);
    expect(Number(time)).toBeLessThan(after);
  }
  expect(agent.event('end')?.reason).toBe('stopped');
});
