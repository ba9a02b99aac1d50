import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
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

/** Packets that have passed the serving pod's eth0 either way, by its kernel's own count. */
async function packetsAtServer(): Promise<number> {
  const { sent, received } = objectAt(
    { counts: parseJson(await inPod(server, 'transfer', 'packets'), 'counts') },
    'counts',
  );
  return Number(sent) + Number(received);
}

/** The network namespace of the serving pod, as a path on this machine, which runs the nodes too. */
async function namespaceOfServer(): Promise<string> {
  const namespace = (await inPod(server, 'busybox', 'readlink', '/proc/self/ns/net')).trim();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (readlinkSync(`/proc/${pid}/ns/net`) === namespace) return `/proc/${pid}/ns/net`;
    } catch {
      // A process that has just ended.
    }
  }
  throw new Error(`no process of this machine is in ${namespace}`);
}

/**
 * A tcpdump of our own beside ksnoop's: what the kernel hands to captures there, in all. The interface's counters leave
 * out packets that a capture has seen and the other end of the veth pair then did not take.
 */
class Witness {
  readonly #process: ChildProcess;
  #text = '';

  private constructor(namespace: string) {
    const argv = [`--net=${namespace}`, '--', 'tcpdump', '-n', '-p', '-i', 'eth0', '-s', '64', '-w', '/dev/null'];
    this.#process = spawn('nsenter', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString();
    });
  }

  static async start(namespace: string): Promise<Witness> {
    const witness = new Witness(namespace);
    onTestFinished(() => {
      witness.#process.kill('SIGKILL');
    });
    await vi.waitFor(() => expect(witness.#text).toContain('listening on eth0'), { timeout: 60_000, interval: 50 });
    return witness;
  }

  /** @returns packets the kernel had for it, with those that it could not hand over */
  async stop(): Promise<number> {
    const closed = once(this.#process, 'close');
    this.#process.kill('SIGINT');
    await closed;
    return Number(/(\d+) packets? received by filter/.exec(this.#text)?.[1]);
  }
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
  const witness = await Witness.start(await namespaceOfServer());
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
  const passed = (await packetsAtServer()) - before;
  const { code, stderr } = await ksnoop.stop();
  const seenAtMost = await witness.stop();
  const [ofKsnoop = 0, ofAgent = 0] = memory();
  const packets = await read;
  console.error(
    /^.*packets? captured.*$/m.exec(stderr)?.[0],
    `| ${passed} packets passed eth0, tcpdump saw ${seenAtMost} |`,
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
