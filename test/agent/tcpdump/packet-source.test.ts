import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RING_DRAIN_MS } from '../../../src/agent/limits.ts';
import { type OpenNetns, openNetns } from '../../../src/agent/netns/namespace.ts';
import { Proc } from '../../../src/agent/netns/proc.ts';
import { PacketSource, packetTime } from '../../../src/agent/tcpdump/packet-source.ts';
import type { TcpdumpOptions } from '../../../src/agent/tcpdump/tcpdump.ts';
import { processesOf } from '../../support/marked-processes.ts';
import { PlayedTcpdump } from '../played-tcpdump.ts';

const OPTIONS: TcpdumpOptions = { interface: 'any', filter: 'tcp', snaplen: 96, session: 's', ringKib: 2_048 };
const SECOND = Math.floor(Date.now() / 1000);

let tcpdump: PlayedTcpdump;
let namespace: OpenNetns;
let source: PacketSource | undefined;
beforeEach(() => {
  tcpdump = new PlayedTcpdump();
  namespace = openNetns({ key: 'k', kind: 'pid', pid: process.pid }, new Proc(), []);
});
afterEach(async () => {
  source?.tcpdump.kill();
  await source?.tcpdump.ended;
  closeSync(namespace.fd);
  tcpdump.remove();
});

/** A source and the milliseconds, within SECOND, of the packets it hands on. */
function opened(session = 's') {
  const packets: number[] = [];
  const taken = vi.fn();
  source = PacketSource.open(namespace, { ...OPTIONS, session }, 'prompt', {
    header: () => {},
    packet: (_, nanoseconds) => void packets.push(nanoseconds / 1e6),
    taken,
  });
  return { source, packets, taken };
}

const at = (milliseconds: number) => packetTime(SECOND, milliseconds * 1e6);
const give = (...milliseconds: number[]) =>
  tcpdump.give(
    'ring',
    milliseconds.map((time) => ({ time: BigInt(SECOND) * 1_000_000_000n + BigInt(time) * 1_000_000n, data: 'x' })),
  );
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 20_000, interval: 10 });

test('of its packets those of its span of time are handed on, the others counted', async () => {
  const { source, packets } = opened();
  source.after = at(2);
  source.until = at(4);
  give(1, 2, 3, 4, 5);
  await until(() => packets.length + source.skipped === 5);
  expect(packets).toEqual([3, 4]);
});

test('a time is reached when a later packet has come, or when tcpdump has long been quiet', async () => {
  const { source, packets } = opened();
  await source.tcpdump.listening;
  give(1);
  await until(() => packets.length === 1);
  const later = source.reached(at(5));
  give(6);
  expect(await later).toBe(true);
  expect(await source.reached(at(9))).toBe(true);
});

test('a tcpdump that gets no processor is waited for: it has packets that it could not read', async () => {
  const session = `stopped-${process.pid}`;
  const { source, packets } = opened(session);
  await source.tcpdump.listening;
  give(1);
  await until(() => packets.length === 1);
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of processesOf(session)) {
      try {
        process.kill(pid, name);
      } catch {
        // A program of the script that has just ended.
      }
    }
  };
  signal('SIGSTOP');
  let isReached = false;
  const reached = source.reached(at(5)).then((value) => {
    isReached = true;
    return value;
  });
  await sleep(4 * RING_DRAIN_MS.prompt);
  expect(isReached).toBe(false);
  signal('SIGCONT');
  expect(await reached).toBe(true);
});

test('it is not reached when tcpdump ends before', async () => {
  const { source } = opened();
  await source.tcpdump.listening;
  source.tcpdump.kill();
  await source.tcpdump.ended;
  expect(await source.reached(Number.POSITIVE_INFINITY)).toBe(false);
});

test('statistics come when asked for and at the end, and a stop is in good order', async () => {
  const { source } = opened();
  await source.tcpdump.listening;
  tcpdump.counts(7, 1);
  source.tcpdump.askStatistics();
  await until(() => source.tcpdump.statistics.received === 7);
  tcpdump.counts(9, 2);
  await source.tcpdump.stop();
  expect(source.tcpdump.statistics).toEqual({ received: 9, droppedByKernel: 2 });
  expect(await source.tcpdump.ended).toBe(0);
});

test('the filter, the interface and the sizes are arguments of their own', async () => {
  const { source } = opened();
  await source.tcpdump.listening;
  const [call = ''] = tcpdump.captures;
  expect(call).toContain('-i any -s 96 -B 2048 -- tcp');
  expect(call).toMatch(/^tcpdump -Z root -n .*--time-stamp-precision=nano -w \/proc\/self\/fd\/4 /);
});
