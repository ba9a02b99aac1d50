import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { AgentProcess, captureRequest } from './agent-process.ts';
import { background, makePair, type NamespacePair, packetsSent, RIGHT_ADDRESS, run, traffic } from './namespaces.ts';

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

/** Bytes before the IP header: Ethernet's, and those of LINUX_SLL2 (link type 276) for `any`. */
const LINK_HEADER = { eth0: 14, any: 20 } as const;

interface Datagram {
  /** Nanoseconds. */
  readonly time: bigint;
  /** Its sender's number, of one that has room for it. */
  readonly number: number;
}

/** The UDP packets to port 7000 in a stream, in its order. */
function datagrams(pcapng: Buffer, linkHeader: number): Datagram[] {
  const found: Datagram[] = [];
  const framer = new BlockFramer(({ type, view, offset }) => {
    if (type !== BLOCK.enhancedPacket) return;
    // The packet's bytes are at 28; IPv4 has 20, and UDP's destination port is at 2.
    const ip = offset + 28 + linkHeader;
    if (view.getUint8(ip + 9) !== 17 || view.getUint16(ip + 22) !== 7000) return;
    const time = (BigInt(view.getUint32(offset + 12, true)) << 32n) | BigInt(view.getUint32(offset + 16, true));
    found.push({ time, number: view.getUint32(ip + 28) });
  });
  framer.push(pcapng);
  return found;
}

it.each(['eth0', 'any'] as const)(
  'on %s loses nothing and repeats nothing, in bursts, in quiet, and changing between',
  async (name) => {
    const agent = new AgentProcess();
    const sentBefore = packetsSent(pair, pair.left);
    await agent.start(
      captureRequest([{ key: 't', kind: 'netns', name: pair.left }], { interface: name, filter: 'udp' }),
    );
    const send = (...numbers: number[]) => run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, ...numbers));
    let sent = 0;
    for (const [count = 0, burst = 0, bytes = 0, pause = 0] of [
      [50, 1, 100, 2],
      // Not more bytes than the agent keeps while this process waits for the sender.
      [60_000, 256, 500, 1],
      [20, 1, 100, 100],
      [2_000, 2_000, 1_400, 0],
    ]) {
      send(count, burst, bytes, pause);
      sent += count;
    }
    // Long enough to be calm again.
    for (let index = 0; index < 60; index += 1) {
      send(5, 5, 50, 0);
      sent += 5;
      await sleep(50);
    }
    send(30_000, 128, 64, 1);
    sent += 30_000;
    expect(await agent.stop()).toBe(0);
    expect(packetsSent(pair, pair.left) - sentBefore).toBeGreaterThanOrEqual(sent);
    const times = datagrams(agent.output, LINK_HEADER[name]).map(({ time }) => time);
    const counters = agent.events.filter((event) => event.type === 'counters').at(-1)?.counters;
    // The kernel drops when tcpdump is not run for long: of what the kernel handed on every packet is there.
    const captured = sent - (counters?.droppedByKernel ?? 0);
    expect(captured).toBeGreaterThan(sent / 2);
    expect(times).toHaveLength(captured);
    const backwards = times.filter((time, index) => index > 0 && time < (times[index - 1] ?? 0n));
    expect(backwards).toEqual([]);
    expect(counters).toMatchObject({ captured, received: sent, droppedByKsnoop: 0 });
  },
);

it.each(['eth0', 'any'] as const)(
  'begins in the midst of traffic on %s: from the first packet on every one, once, in the order of their times',
  async (name) => {
    const [program = '', ...words] = traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, 100_000_000, 16, 200, 4);
    const sender = spawn(program, words, { stdio: 'ignore' });
    try {
      for (let round = 0; round < 8; round += 1) {
        const agent = new AgentProcess();
        await agent.start(
          captureRequest([{ key: 't', kind: 'netns', name: pair.left }], { interface: name, filter: 'udp' }),
        );
        await sleep(round * 50);
        if (round > 1) await agent.until(() => datagrams(agent.output, LINK_HEADER[name]).length > 20);
        expect(await agent.stop()).toBe(0);
        // By their times, as the client merges them: the kernel itself delivers packets of a sender that changes the processor in another order.
        const found = datagrams(agent.output, LINK_HEADER[name]).sort((a, b) => Number(a.time - b.time));
        const wrong = found.filter(({ number }, index) => index > 0 && number !== (found[index - 1]?.number ?? 0) + 1);
        expect(wrong).toEqual([]);
        const counters = agent.events.filter(({ type }) => type === 'counters').at(-1);
        expect(counters).toMatchObject({ counters: { captured: found.length, received: found.length } });
      }
    } finally {
      sender.kill('SIGKILL');
      await once(sender, 'exit');
    }
  },
);

it('brings a lone packet although no other follows, also after much traffic', async () => {
  const agent = new AgentProcess();
  await agent.start(captureRequest([{ key: 't', kind: 'netns', name: pair.left }], { filter: 'udp' }));
  const lone = async () => {
    const before = agent.outputBytes;
    run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, 1, 1, 50, 0));
    await agent.until(() => datagrams(agent.output, LINK_HEADER.eth0).length > 0 && agent.outputBytes > before + 80);
  };
  await lone();
  run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, 60_000, 256, 100, 1));
  await sleep(7_000);
  for (let index = 0; index < 3; index += 1) await lone();
  expect(await agent.stop()).toBe(0);
});
