// What a session captures, with a tcpdump that is played: no privileges, no traffic.
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BUSY_PACKETS, MEMORY_RESERVE, NAMESPACE_MEMORY } from '../../../src/agent/limits.ts';
import { Proc } from '../../../src/agent/netns/proc.ts';
import { CaptureSet } from '../../../src/agent/session/capture-set.ts';
import { Events } from '../../../src/agent/session/events.ts';
import { RingBudget } from '../../../src/agent/session/ring-budget.ts';
import { TargetEvents } from '../../../src/agent/session/target-events.ts';
import { MemoryBudget } from '../../../src/agent/spool/memory-budget.ts';
import { Spool } from '../../../src/agent/spool/spool.ts';
import { type AgentEvent, type CaptureRequest, parseAgentEvent } from '../../../src/wire/agent-protocol.ts';
import type { AgentTarget } from '../../../src/wire/agent-target.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { captureRequest } from '../agent-process.ts';
import { PlayedTcpdump } from '../played-tcpdump.ts';

let tcpdump: PlayedTcpdump;
let sets: CaptureSet[];
beforeEach(() => {
  tcpdump = new PlayedTcpdump();
  sets = [];
});
afterEach(async () => {
  for (const set of sets) {
    set.kill();
    await set.stop();
  }
  tcpdump.remove();
});

/** The network of this very process, which anybody may open; by a filter of its own it is captured apart. */
const self = (key: string, filter?: string): AgentTarget => ({
  key,
  kind: 'pid',
  pid: process.pid,
  ...(filter && { filter }),
});

/** A session's set of captures, with all that it says and writes. */
function made(
  targets: readonly AgentTarget[],
  more: Partial<CaptureRequest> = {},
  memory = new MemoryBudget({ free: () => undefined }),
) {
  const stderr = new PassThrough();
  const events: AgentEvent[] = [];
  stderr.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) events.push(parseAgentEvent(line) as AgentEvent);
  });
  const packets: string[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: (bytes, offset, caplen, _origlen, _high, _low, id) => {
      packets.push(`${id} ${Buffer.from(bytes.subarray(offset, offset + caplen)).toString('latin1')}`);
    },
  });
  const stdout = new PassThrough();
  stdout.on('data', (chunk: Buffer) => framer.push(chunk));
  const spool = new Spool(stdout);
  spool.push(sectionHeader('test'));
  let interfaces = 0;
  const empty = vi.fn();
  const set = new CaptureSet({
    request: captureRequest(targets, { interface: 'any', ...more }),
    spool,
    proc: new Proc(),
    targetEvents: new TargetEvents(new Events(stderr)),
    rings: new RingBudget(),
    memory,
    kills: () => undefined,
    handlers: { nextInterface: () => interfaces++, captured: () => {}, empty },
  });
  sets.push(set);
  const told = (type: AgentEvent['type']) => events.filter((event) => event.type === type);
  return { set, packets, told, empty };
}

/** Packets that come from now on, one a microsecond. */
function packetsOf(...data: string[]) {
  const now = BigInt(Date.now() + 5) * 1_000_000n;
  return data.map((text, index) => ({ time: now + BigInt(index) * 1_000n, data: text.padEnd(14, '.') }));
}

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 20_000, interval: 10 });

test('packets and counts of a target, to its end', async () => {
  const { set, packets, told } = made([self('a')]);
  await set.begin();
  await until(() => told('started').length === 1);
  expect(told('started')).toMatchObject([{ target: 'a', interface: `pid/${process.pid}/any` }]);
  tcpdump.counts(9, 2);
  tcpdump.give('ring', packetsOf('one', 'two', 'three'));
  await until(() => packets.length === 3);
  await set.stop();
  expect(packets.map((line) => line.split('.')[0])).toEqual(['0 one', '0 two', '0 three']);
  expect(set.packets).toBe(3);
  // Drained: what tcpdump counted and did not hand over came after the end.
  expect(set.ended).toMatchObject([{ id: 0, captured: 3, received: 5, droppedByKernel: 2, droppedByKsnoop: 0 }]);
});

test('what the kernel drops counts once where one tcpdump takes over from another', async () => {
  const { set, packets, told } = made([self('a')]);
  await set.begin();
  await until(() => told('started').length === 1);
  // Both count it: the one that ends, and the one that was begun beside it.
  tcpdump.counts(0, 100);
  const now = BigInt(Date.now() + 2) * 1_000_000n;
  const many = Array.from({ length: BUSY_PACKETS + 1 }, (_, index) => ({
    time: now + BigInt(index),
    data: 'a packet',
  }));
  tcpdump.give('ring', many);
  const busy = () => tcpdump.captures.some((call) => !call.includes('--print') && !call.includes('--immediate-mode'));
  await until(() => packets.length === many.length && busy());
  // Its end waits until the other one has taken over.
  await set.stop();
  expect(set.ended).toMatchObject([
    { captured: packets.length, received: packets.length + 100, droppedByKernel: 100, droppedByKsnoop: 0 },
  ]);
});

test('the first packets come ahead of the ring, and none of them twice', async () => {
  const end = performance.now() + 60_000;
  let ahead = false;
  // The one that brings them is not waited for long: on a busy machine it may not listen in time, and then it is tried again.
  while (!ahead && performance.now() < end) {
    tcpdump.remove();
    tcpdump = new PlayedTcpdump();
    const { set, packets } = made([self('a')]);
    await set.begin();
    const all = packetsOf('one', 'two', 'one', 'three', 'one');
    tcpdump.give('immediate', all.slice(0, 3));
    ahead = await vi.waitUntil(() => packets.length === 3, { timeout: 1_000, interval: 10 }).catch(() => false);
    tcpdump.give('ring', all);
    await until(() => packets.length >= 5);
    await set.stop();
    expect(packets.map((line) => line.split('.')[0])).toEqual(['0 one', '0 two', '0 one', '0 three', '0 one']);
  }
  expect(ahead).toBe(true);
  expect(tcpdump.captures.some((call) => call.includes('--immediate-mode'))).toBe(true);
});

test('targets that share a namespace and a filter share one capture, others have their own', async () => {
  const { set, packets, told } = made([self('a'), self('b'), self('c', 'port 80')], { filter: 'tcp' });
  await set.begin();
  await until(() => told('started').length === 3);
  expect(
    told('started')
      .map((event) => 'target' in event && event.target)
      .sort(),
  ).toEqual(['a', 'b', 'c']);
  const rings = tcpdump.captures.filter((call) => call.includes('--print'));
  expect(rings.map((call) => call.split(' -- ')[1]).sort()).toEqual(['(tcp) and (port 80)', 'tcp']);
  tcpdump.give('ring', packetsOf('x'));
  await until(() => packets.length === 2);
  await set.stop();
  expect(packets.map((line) => line[0]).sort()).toEqual(['0', '1']);
});

test('targets for whose tcpdumps no memory is left are refused by name, the others are captured', async () => {
  const memory = new MemoryBudget({ free: () => MEMORY_RESERVE + 2 * NAMESPACE_MEMORY });
  const targets = [self('a', 'port 1'), self('b', 'port 2'), self('c', 'port 3'), self('d', 'port 4')];
  const { set, told } = made(targets, {}, memory);
  await set.begin();
  await until(() => told('started').length + told('target-failed').length === 4);
  expect(told('started')).toHaveLength(3);
  expect(told('target-failed')).toMatchObject([{ code: 'NO_MEMORY' }]);
  // Those that have started have taken their memory, which the container counts.
  expect(memory.available).toBe(2 * NAMESPACE_MEMORY);
  await set.stop();
});

test('a filter that does not compile starts nothing, not even where the other filters do', async () => {
  tcpdump.refuseFilters('port (', 'tcpdump: syntax error\n');
  const { set } = made([self('a'), self('b', 'port (')], { filter: 'tcp' });
  await expect(set.begin()).rejects.toMatchObject({
    code: 'BAD_FILTER',
    message: expect.stringMatching(/: syntax error\.$/),
  });
  expect(tcpdump.captures).toEqual([]);
});

test('a tcpdump that cannot print and write is asked without', async () => {
  tcpdump.beOld();
  const { set, packets } = made([self('a')]);
  await set.begin();
  tcpdump.give('ring', packetsOf('one'));
  await until(() => packets.length === 1);
  expect(tcpdump.captures.some((call) => / -U /.test(call) && !/--print|--immediate/.test(call))).toBe(true);
});

test('a tcpdump that ends by itself fails its targets, with its words', async () => {
  const { set, told, empty } = made([self('a'), self('b')]);
  await set.begin();
  tcpdump.die('tcpdump: pcap_loop: recvfrom failed\n');
  await until(() => empty.mock.calls.length > 0 && told('target-failed').length === 2);
  expect(told('target-failed')).toMatchObject([
    { target: 'a', code: 'TCPDUMP_ENDED', message: expect.stringContaining('recvfrom failed') },
    { target: 'b', code: 'TCPDUMP_ENDED' },
  ]);
});

test('a target joins and goes; its capture ends with the last one', async () => {
  const { set, told, empty } = made([self('a')], { follow: true });
  await set.begin();
  set.add(self('b'));
  set.add(self('b'));
  await until(() => told('started').length === 2);
  set.remove('a');
  await until(() => told('target-gone').length === 1);
  expect(told('target-gone')).toMatchObject([{ target: 'a' }]);
  expect(empty).not.toHaveBeenCalled();
  set.remove('b');
  await until(() => empty.mock.calls.length > 0 && told('target-gone').length === 2);
  expect(told('target-gone')).toMatchObject([{ target: 'a' }, { target: 'b' }]);
});

test('a pod that is waited for is gone when it is no longer wanted', async () => {
  const uid = '00000000-0000-4000-8000-000000000000';
  const pod = { key: 'p', kind: 'pod', namespace: 'a', pod: 'b', uid, containers: [], hostNetwork: false } as const;
  const { set, told, empty } = made([{ ...pod, wait: true }], { follow: true });
  await set.begin();
  await until(() => told('target-waiting').length === 1);
  set.remove('p');
  await until(() => told('target-gone').length === 1);
  expect(empty).toHaveBeenCalled();
});

test('when none of the targets can be captured the first reason is the error', async () => {
  const { set, told } = made([{ key: 'a', kind: 'pid', pid: 2 ** 22 - 1 }]);
  await expect(set.begin()).rejects.toMatchObject({ code: 'NO_SUCH_PROCESS' });
  await until(() => told('target-failed').length === 1);
  expect(told('target-failed')).toMatchObject([{ target: 'a', code: 'NO_SUCH_PROCESS' }]);
});
