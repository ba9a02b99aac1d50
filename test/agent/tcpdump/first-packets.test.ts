import { closeSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type OpenNetns, openNetns } from '../../../src/agent/netns/namespace.ts';
import { Proc } from '../../../src/agent/netns/proc.ts';
import { FirstPackets } from '../../../src/agent/tcpdump/first-packets.ts';
import { packetClock } from '../../../src/agent/tcpdump/packet-source.ts';
import { HANG_MS } from '../../support/hang.ts';
import { PlayedTcpdump } from '../played-tcpdump.ts';

// How long a program takes to start is the machine's affair.
vi.mock('../../../src/agent/limits.ts', async (original) => ({
  ...(await original<object>()),
  FIRST_LISTENS_MS: 100_000,
  FIRST_PACKETS_MS: 100_000,
}));

const OPTIONS = { interface: 'any', filter: 'tcp', snaplen: 96, session: 's', ringKib: 2_048 };

let tcpdump: PlayedTcpdump;
let namespace: OpenNetns;
let first: FirstPackets;
beforeEach(() => {
  tcpdump = new PlayedTcpdump();
  namespace = openNetns({ key: 'k', kind: 'pid', pid: process.pid }, new Proc(), []);
  first = new FirstPackets(namespace, OPTIONS, { header: () => {}, packet: () => {}, taken: () => {} });
});
afterEach(async () => {
  first.close();
  await first.ended;
  closeSync(namespace.fd);
  tcpdump.remove();
});

test('one that the ring has overtaken is of no use, also if it captures: the ring has delivered from before it', {
  timeout: HANG_MS,
}, async () => {
  expect(await first.listens()).toBe(true);
  expect(first.repeats(packetClock(), 1, new Uint8Array([1]))).toBe(false);
  expect(await first.listens()).toBe(false);
});
