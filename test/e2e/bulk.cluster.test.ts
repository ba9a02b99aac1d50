import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { objectAt, parseJson } from '../../src/wire/guard.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { processesOf } from '../support/marked-processes.ts';
import { watchMemory } from '../support/memory.ts';
import { ensureAgent, ensureShop, kubectl, type ShopPod, shopPods } from '../support/shop.ts';

let on: TestCluster;
let server: ShopPod;
let client: ShopPod;

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  const [first, second] = await shopPods(on, 'client');
  if (first === undefined || second === undefined) throw new Error('the shop has no two clients');
  [server, client] = [first, second];
});

const inPod = (pod: ShopPod, ...argv: string[]) => kubectl(on, 'exec', '-n', 'shop', pod.name, '--', ...argv);

/**
 * Packets that have passed the serving pod's eth0 either way, by its kernel's own count, and packets that a capture has
 * seen there at most: also those that the other end of the veth pair then refused, its queue being full.
 */
async function packetsAtServer(): Promise<{ readonly passed: number; readonly seen: number }> {
  const { sent, received, refused } = objectAt(
    { counts: parseJson(await inPod(server, 'transfer', 'packets'), 'counts') },
    'counts',
  );
  const passed = Number(sent) + Number(received);
  return { passed, seen: passed + Number(refused) };
}

interface Sums {
  readonly captured: number;
  readonly received: number;
  readonly kernel: number;
  readonly ksnoop: number;
}

function sums(stderr: string): Sums {
  const number = (pattern: RegExp) => Number(pattern.exec(stderr)?.[1]?.replaceAll(',', ''));
  return {
    captured: number(/([\d,]+) packets? captured/),
    received: number(/([\d,]+) received/),
    kernel: number(/([\d,]+) dropped by kernel/),
    ksnoop: number(/([\d,]+) dropped by ksnoop/),
  };
}

/** Read to the end, at most so many bytes a second. @returns packets read */
async function readSlowly(stream: Readable, bytesPerSecond: number): Promise<number> {
  let packets = 0;
  const framer = new BlockFramer(({ type }) => {
    if (type === BLOCK.enhancedPacket) packets += 1;
  });
  const began = performance.now();
  let bytes = 0;
  for await (const chunk of stream) {
    framer.push(chunk);
    bytes += chunk.length;
    const ahead = (bytes / bytesPerSecond) * 1000 - (performance.now() - began);
    if (ahead > 0) await sleep(ahead);
  }
  expect(framer.pending).toBe(0);
  return packets;
}

async function transfer(bytes: number): Promise<void> {
  const report = parseJson(await inPod(client, 'transfer', 'fetch', server.ip, '5300', String(bytes)), 'report');
  expect(report).toMatchObject({ bytes });
}

/** Capture a transfer on eth0 of the serving pod; what ksnoop says of it, and what the kernel counted there. */
async function captured(bytes: number, bytesPerSecond: number) {
  // A packet can pass after the capture began and before the count is taken: what bounds the capture from above is
  // counted around all of it, what bounds it from below within it.
  const outset = await packetsAtServer();
  const ksnoop = new KsnoopProcess(['-v', '-n', 'shop', `pod/${server.name}`, '-i', 'eth0'], on.kubeconfig, 'pipe');
  if (ksnoop.child.stdout === null || ksnoop.child.pid === undefined) throw new Error('no ksnoop');
  const read = readSlowly(ksnoop.child.stdout, bytesPerSecond);
  await ksnoop.capturing(1);
  // What the agent logs of its session may come after that.
  await ksnoop.says(/session [0-9a-f]{32}/);
  const [session = ''] = [...ksnoop.stderr.matchAll(/session ([0-9a-f]{32})/g)].map((match) => match[1] ?? '');
  const [tcpdump] = processesOf(session);
  const agent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${tcpdump}/status`, 'utf8'))?.[1]);
  // The process of the agent has had other sessions: what it holds now is not of this one.
  const agentBefore = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${agent}/status`, 'utf8'))?.[1]) * 1024;
  const memory = watchMemory([ksnoop.child.pid, agent]);
  const before = await packetsAtServer();
  await transfer(bytes);
  await sleep(500);
  const passed = (await packetsAtServer()).passed - before.passed;
  const { code, stderr } = await ksnoop.stop();
  const seenAtMost = (await packetsAtServer()).seen - outset.seen;
  const [ofKsnoop = 0, ofAgent = 0] = memory();
  const packets = await read;
  console.error(
    /^.*packets? captured.*$/m.exec(stderr)?.[0],
    `| ${passed} packets passed eth0, ${seenAtMost} seen there at most |`,
    {
      ksnoopRssMb: Math.round(ofKsnoop / 1e6),
      agentRssMb: Math.round(ofAgent / 1e6),
    },
  );
  expect(code, stderr).toBe(0);
  const counts = sums(stderr);
  const total = counts.captured + counts.kernel + counts.ksnoop;
  expect(total).toBeGreaterThanOrEqual(passed);
  expect(total).toBeLessThanOrEqual(seenAtMost);
  expect(counts.received).toBe(total);
  expect(packets).toBe(counts.captured);
  return { counts, ofKsnoop, ofAgent, ofSession: ofAgent - agentBefore };
}

test('of a transfer of 1 GB every packet is captured or counted as dropped', async () => {
  const { counts } = await captured(1e9, Number.POSITIVE_INFINITY);
  expect(counts.captured).toBeGreaterThan(0);
});

test('a reader of 5 MB a second costs packets, which are counted, and no memory', async () => {
  // Enough to fill the agent's memory and disk, also where the kernel drops two packets of three on a busy machine.
  const { counts, ofKsnoop, ofAgent, ofSession } = await captured(3e9, 5e6);
  expect(counts.ksnoop).toBeGreaterThan(0);
  // Bounds: 64 MiB in the agent's spool for this session, and what its process may take in all (512 MiB, the DaemonSet);
  // 32 MiB in the merge and 4 MiB before the output in ksnoop; and what Node is.
  expect(ofSession).toBeLessThan(190e6);
  expect(ofAgent).toBeLessThan(450e6);
  expect(ofKsnoop).toBeLessThan(250e6);
});
