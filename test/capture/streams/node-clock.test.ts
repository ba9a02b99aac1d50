// Nodes whose clocks differ: the estimate, what is said of it, and the order of the packets, of agents that the test plays.
import { expect, test } from 'vitest';
import { type CaptureOutput, startCapture } from '../../../src/capture/streams/capture.ts';
import { Merge } from '../../../src/capture/streams/merge.ts';
import { clockNotes, NodeClock } from '../../../src/capture/streams/node-clock.ts';
import { CaptureReport } from '../../../src/capture/streams/report.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { describe, header, packet } from '../../support/pcapng-sample.ts';
import { PlayedAgent } from '../../support/played-agent.ts';

test('the quickest of the last round trips says most', () => {
  const clock = new NodeClock();
  expect(clock.estimate).toBe(undefined);
  clock.add(1_000, 1_700, 1_400);
  expect(clock.estimate).toEqual({ offsetMs: 500, errorMs: 201 });
  clock.add(2_000, 2_532, 2_004);
  expect(clock.estimate).toEqual({ offsetMs: 530, errorMs: 3 });
  clock.add(3_000, 4_000, 3_800);
  expect(clock.estimate?.offsetMs).toBe(530);
  // A clock of ours that was set back in between makes no round trip.
  clock.add(4_000, 4_000, 3_000);
  // In the end it is forgotten, for clocks drift.
  for (let index = 0; index < 16; index += 1) clock.add(5_000, 5_120, 5_040);
  expect(clock.estimate).toEqual({ offsetMs: 100, errorMs: 21 });
});

test('only a difference that is certain and matters is said', () => {
  const at = (offset: number, roundTrip = 2) => {
    const clock = new NodeClock();
    clock.add(1_000, 1_000 + roundTrip / 2 + offset, 1_000 + roundTrip);
    return clock;
  };
  const notes = (a: NodeClock, b: NodeClock) =>
    clockNotes(
      [
        { cluster: 'c', node: 'n1', clock: a },
        { cluster: 'c', node: 'n2', clock: b },
      ],
      false,
    );
  expect(notes(at(0), at(5))).toEqual([]);
  expect(notes(at(0, 100), at(60, 100))).toEqual([]);
  expect(notes(at(0), new NodeClock())).toEqual([]);
  // This machine's own clock is nobody's concern.
  expect(notes(at(90_000), at(90_001))).toEqual([]);
  expect(notes(at(3_000), at(-200))[0]).toMatch(/^the clock of n1 is 3,200\.0 ms ahead of that of n2 \(± 4\.0 ms\): /);
});

test('nodes of the same name in two clusters have clocks of their own, and are told apart', () => {
  const merge = new Merge({ addInterface: () => {}, write: () => {} });
  const ahead = merge.addSource('node1', 'east');
  const level = merge.addSource('node1', 'west');
  expect(merge.addSource('node1', 'east').clock).toBe(ahead.clock);
  expect(level.clock).not.toBe(ahead.clock);
  ahead.clock.add(1_000, 6_001, 1_002);
  level.clock.add(1_000, 1_001, 1_002);
  expect(clockNotes([...merge.clocks.values()], false)).toEqual([
    expect.stringMatching(/^the clock of east\/node1 is 5,000\.0 ms ahead of that of west\/node1 /),
  ]);
});

/** Two nodes that see the same moments, the second with a clock 3 s ahead. @returns the times as they were written */
async function skewed(correctClocks: boolean) {
  const AHEAD_MS = 3_000;
  const agents: PlayedAgent[] = [];
  const times: bigint[] = [];
  const remarks: string[] = [];
  const output: CaptureOutput = {
    pending: 0,
    ended: false,
    flush: () => {},
    addInterface: (_id, _bytes, _offset, _length, origin) => void remarks.push(...origin.remarks),
    write: (type, _id, bytes, offset) => {
      if (type !== BLOCK.enhancedPacket) return;
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
      times.push((BigInt(view.getUint32(12, true)) << 32n) | BigInt(view.getUint32(16, true)));
    },
  };
  const report = new CaptureReport();
  const plans = ['node1', 'node2'].map((node, index) => ({
    cluster: 'c',
    node,
    targets: [{ key: node, kind: 'host' } as const],
    open: async (handlers: ConstructorParameters<typeof PlayedAgent>[0]) => {
      const agent = new PlayedAgent(handlers);
      agent.clockAheadMs = index * AHEAD_MS;
      agents.push(agent);
      return agent;
    },
    refresh: async () => [],
  }));
  const nobody = () => {};
  const observer = {
    ...{ started: nobody, waiting: nobody, failed: nobody, gone: nobody },
    ...{ lost: nobody, resumed: nobody, note: nobody, log: nobody },
  };
  const settings = { interface: 'any', filter: undefined, snaplen: 100, maxDurationMs: 1_000, follow: false };
  const never = { packets: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY, durationMs: 1e9 };
  const capture = startCapture({
    targets: { plans },
    settings: { ...settings, correctClocks },
    limits: never,
    output,
    report,
    observer,
  });
  await expect.poll(() => agents.map(({ said }) => said.length)).toEqual([1, 1]);
  const now = BigInt(Date.now()) * 1_000_000n;
  for (const [index, agent] of agents.entries()) agent.send(header(), describe(`node/${index}/any`));
  for (const [index, agent] of agents.entries()) {
    const clock = now + BigInt(index * AHEAD_MS) * 1_000_000n;
    // In turns, 100 ms apart: 0, 200, 400 ... on the first node, 100, 300, 500 ... on the second.
    for (let step = 0n; step < 5n; step += 1n) {
      agent.send(packet(0, clock + (2n * step + BigInt(index)) * 100_000_000n, new Uint8Array(20)));
    }
  }
  for (const agent of agents) agent.finish('targets-gone');
  const result = await capture.result;
  return { since: times.map((time) => Number((time - now) / 1_000_000n)), remarks, notes: result.clockNotes };
}

test('the file says of each interface that its clock is wrong, the summary which nodes differ', async () => {
  const { since, remarks, notes } = await skewed(false);
  expect(since).toEqual([0, 200, 400, 600, 800, 3_100, 3_300, 3_500, 3_700, 3_900]);
  expect(remarks).toHaveLength(1);
  expect(remarks[0]).toMatch(
    /^ksnoop: the clock of node2 was (3,0\d\d|2,9\d\d)\.\d ms ahead of the clock of the machine .* its times are not corrected$/,
  );
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/^the clock of node2 is \S+ ms ahead of that of node1 .*--correct-clock-skew corrects it$/);
});

test('corrected, the packets of both are in the order in which they were sent', async () => {
  const { since, remarks, notes } = await skewed(true);
  expect(since.map((milliseconds) => Math.round(milliseconds / 100))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(remarks[0]).toMatch(/its times are corrected$/);
  expect(notes[0]).toMatch(/times are corrected to the clock of this machine$/);
});
