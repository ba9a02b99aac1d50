// How a node's stream is taken up again, with shorter waits than in life, up to the file that a user opens.
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { RECONNECT_LAST_MS, RECONNECT_TOTAL_MS } from '../../../src/capture/limits.ts';
import type { CaptureObserver } from '../../../src/capture/streams/capture-observer.ts';
import { type BlockSink, Merge } from '../../../src/capture/streams/merge.ts';
import { NodeStream } from '../../../src/capture/streams/node-stream.ts';
import { CaptureReport, countersOf } from '../../../src/capture/streams/report.ts';
import type { TransportHandlers } from '../../../src/capture/streams/transport.ts';
import { pcapng } from '../../../src/run/outputs/pcapng.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';
import type { AgentTarget } from '../../../src/wire/agent-target.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { BLOCK, OPTION } from '../../../src/wire/pcapng.ts';
import { BlockFramer, forEachOption, optionText } from '../../../src/wire/pcapng-read.ts';
import { PROTOCOL_TEXT } from '../../../src/wire/version.ts';
import { PLAIN } from '../../run/outputs/plain.ts';
import { PlayedAgent } from '../../support/played-agent.ts';

vi.mock('../../../src/capture/limits.ts', async (original) => ({
  ...(await original<object>()),
  RECONNECT_FIRST_MS: 25,
  RECONNECT_LAST_MS: 200,
  RECONNECT_TOTAL_MS: 1_000,
}));

const TARGET: AgentTarget = { key: 'a', kind: 'host' };
const NOBODY = new KsnoopError('UNREACHABLE', 'Nobody is there.');

type Play = (agent: PlayedAgent) => void;

const captureAndLose: Play = (agent) => {
  agent.capture();
  agent.lose();
};
const captureAndFinish: Play = (agent) => {
  agent.capture();
  agent.finish('targets-gone');
};

/** @param play what the agent of each attempt does, counted from 1; undefined refuses */
function reconnecting(play: (attempt: number) => Play | undefined, sink?: BlockSink) {
  const attempts: number[] = [];
  const agents: PlayedAgent[] = [];
  const events: string[] = [];
  const refreshed: number[] = [];
  const report = new CaptureReport();
  const target = report.add('a', 'shop/a');
  const merge = new Merge(sink ?? { addInterface: () => {}, write: () => {} });
  const observer: CaptureObserver = {
    started: () => events.push('started'),
    failed: (_key, _label, error) => events.push(`failed ${error.code}`),
    gone: () => events.push('gone'),
    lost: () => events.push('lost'),
    resumed: () => events.push('resumed'),
    waiting: () => {},
    note: () => {},
    log: () => {},
  };
  const open = async (handlers: TransportHandlers) => {
    attempts.push(performance.now());
    const session = play(attempts.length);
    if (session === undefined) throw NOBODY;
    const agent = new PlayedAgent(handlers);
    agents.push(agent);
    setImmediate(() => session(agent));
    return agent;
  };
  const refresh = async (targets: readonly AgentTarget[]) => {
    refreshed.push(performance.now());
    return targets;
  };
  const settings = {
    interface: 'any',
    filter: undefined,
    snaplen: 100,
    maxDurationMs: 1_000,
    follow: false,
    correctClocks: false,
  };
  const plan = { cluster: 'c', node: 'node1', targets: [TARGET], open, refresh };
  let sessions = 0;
  const nextSession = () => {
    sessions += 1;
    return sessions.toString(16).padStart(32, '0');
  };
  const stream = new NodeStream(plan, {
    settings,
    merge,
    report,
    observer,
    sessionId: nextSession,
    onReached: () => {},
    onStarted: () => {},
    isAlone: () => true,
  });
  const waits = () => attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
  return { stream, agents, attempts, waits, events, refreshed, report, target, merge };
}

/** Timers come late on a busy machine, and up to a millisecond early. */
function atLeast(waits: readonly number[], expected: readonly number[]): void {
  expect(waits).toHaveLength(expected.length);
  for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThan((expected[index] ?? 0) - 2);
}

test('the waits between attempts double up to the longest, and begin anew once it has captured', async () => {
  const play = (attempt: number) => {
    if (attempt === 8) return captureAndFinish;
    return attempt === 1 || attempt === 6 ? captureAndLose : undefined;
  };
  const { stream, waits, events } = reconnecting(play);
  await stream.run();
  atLeast(waits(), [25, 50, 100, 200, 200, 25, 50]);
  expect(waits()[4]).toBeLessThan(2 * RECONNECT_LAST_MS);
  expect(waits()[5]).toBeLessThan(RECONNECT_LAST_MS);
  expect(events).toEqual(['started', 'lost', 'resumed', 'started', 'lost', 'resumed', 'started']);
});

test('each session has an id of its own and what it counted is kept', async () => {
  const { stream, agents, target } = reconnecting((attempt) => (agent) => {
    const counters = { captured: 10 * attempt, received: 10 * attempt, droppedByKernel: attempt, droppedByKsnoop: 0 };
    agent.capture();
    agent.tell({ type: 'counters', target: 'a', counters });
    if (attempt < 3) agent.lose();
    else agent.finish('targets-gone');
  });
  await stream.run();
  expect(new Set(agents.map(({ said }) => JSON.stringify(said[0]))).size).toBe(3);
  expect(countersOf(target)).toEqual({ captured: 60, received: 60, droppedByKernel: 6, droppedByKsnoop: 0 });
});

test('a stream that stays lost is given up in the end, and the gap stays open', async () => {
  const { stream, attempts, events, report, target } = reconnecting((attempt) =>
    attempt === 1 ? captureAndLose : undefined,
  );
  const begun = performance.now();
  await stream.run();
  expect(performance.now() - begun).toBeGreaterThan(RECONNECT_TOTAL_MS);
  // Not a busy loop: the doubled waits allow for this many.
  expect(attempts.length).toBeLessThanOrEqual(4 + RECONNECT_TOTAL_MS / RECONNECT_LAST_MS);
  expect(events).toEqual(['started', 'lost', 'failed UNREACHABLE']);
  expect(report.gaps).toMatchObject([{ node: 'node1', until: undefined, reason: 'The stream broke.' }]);
  expect(target).toMatchObject({ state: 'failed', error: NOBODY });
});

test('a stop while it waits ends it, and nobody is asked any more', async () => {
  const { stream, attempts, refreshed, report } = reconnecting((attempt) =>
    attempt === 1 ? captureAndLose : undefined,
  );
  const running = stream.run();
  while (report.gaps.length === 0) await sleep(1);
  stream.stop();
  await running;
  expect(attempts).toHaveLength(1);
  expect(refreshed).toEqual([]);
});

test('an output that is full stays a reason to pause over a lost stream', async () => {
  const { stream, agents } = reconnecting((attempt) =>
    attempt === 1 ? captureAndLose : (agent) => agent.tell({ type: 'alive' }),
  );
  const running = stream.run();
  stream.pause();
  while (agents.length < 2 || agents[1]?.said.length === 0) await sleep(1);
  expect(agents[1]?.paused).toBe(true);
  stream.resume();
  expect(agents[1]?.paused).toBe(false);
  stream.terminate();
  await running;
});

test('the gap is in the file: a comment on the interface behind it, and statistics that close the one before', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-gap-'));
  try {
    const path = join(directory, 'gap.pcapng');
    const writer = new ByteWriter(openSync(path, 'w'), () => {});
    const output = pcapng.create({ ...PLAIN, writer });
    const { stream, merge } = reconnecting((attempt) => (attempt === 1 ? captureAndLose : captureAndFinish), output);
    await stream.run();
    merge.flush();
    await output.close('stopped');
    writer.close();
    const comments: (string | undefined)[] = [];
    const closed: number[] = [];
    const types: number[] = [];
    const framer = new BlockFramer((block) => {
      types.push(block.type);
      if (block.type === BLOCK.interfaceStatistics) closed.push(block.view.getUint32(block.offset + 8, true));
      if (block.type !== BLOCK.interfaceDescription) return;
      let comment: string | undefined;
      forEachOption(block, block.offset + 16, (code, at, length) => {
        if (code === OPTION.comment) comment = optionText(block, at, length);
      });
      comments.push(comment);
    });
    framer.push(readFileSync(path));
    expect(framer.pending).toBe(0);
    expect(comments).toEqual([
      undefined,
      expect.stringMatching(/^ksnoop: a gap before this interface, from 20\S+Z to 20\S+Z: The stream broke\.$/),
    ]);
    expect(types.filter((type) => type === BLOCK.enhancedPacket)).toHaveLength(2);
    expect(closed).toEqual([0, 1]);
    expect(types.at(-1)).toBe(BLOCK.ksnoopEnd);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a gap has the reason that is known only when the agent is reached again', async () => {
  const kills =
    (count: number, then: Play): Play =>
    (agent) => {
      agent.tell({ type: 'hello', protocol: PROTOCOL_TEXT, version: '0', node: 'node1', kills: count });
      then(agent);
    };
  const plays = [kills(2, captureAndLose), kills(2, captureAndLose), kills(3, captureAndFinish)];
  const { stream, report } = reconnecting((attempt) => plays[attempt - 1]);
  await stream.run();
  const [first, second] = report.gaps;
  expect(first?.reason).not.toContain('kernel');
  expect(second?.reason).toMatch(/ The kernel has killed 1 process of the agent's container: out of memory\.$/);
});
