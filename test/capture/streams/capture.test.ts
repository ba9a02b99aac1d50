// A whole capture of two played agents: what ends it, and what happens when its output is slow.
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { DRAIN_MS, OUTPUT_BYTES } from '../../../src/capture/limits.ts';
import { type CaptureLimits, type CaptureOutput, startCapture } from '../../../src/capture/streams/capture.ts';
import { CaptureReport } from '../../../src/capture/streams/report.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { packet } from '../../support/pcapng-sample.ts';
import { PlayedAgent } from '../../support/played-agent.ts';

vi.mock('../../../src/capture/limits.ts', async (original) => ({ ...(await original<object>()), DRAIN_MS: 100 }));

afterEach(() => {
  vi.useRealTimers();
});

/** Takes everything; `pending` and `ended` are the test's to set. */
class Output implements CaptureOutput {
  pending = 0;
  ended = false;
  packets = 0;
  /** Of them, those that have left. */
  flushed = 0;
  flush(): void {
    this.flushed = this.packets;
  }
  addInterface(): void {}
  write(type: number): void {
    if (type === BLOCK.enhancedPacket) this.packets += 1;
  }
}

const NEVER = Number.POSITIVE_INFINITY;
const nobody = () => {};
const observer = {
  started: nobody,
  waiting: nobody,
  failed: nobody,
  gone: nobody,
  lost: nobody,
  resumed: nobody,
  note: nobody,
  log: nobody,
};
const settings = {
  interface: 'any',
  filter: undefined,
  snaplen: 100,
  maxDurationMs: 1_000,
  follow: false,
  correctClocks: false,
};

/** @param now false: the agents are reached, and capture only when `begin` is called */
async function capturing(limits: Partial<CaptureLimits> = {}, now = true, named?: Promise<void>, waiting = false) {
  const agents: PlayedAgent[] = [];
  const output = new Output();
  const report = new CaptureReport();
  report.add('a', 'shop/a');
  const plans = ['node1', 'node2'].map((node) => ({
    cluster: 'c',
    node,
    targets: [{ key: 'a', kind: 'host' } as const],
    open: async (handlers: ConstructorParameters<typeof PlayedAgent>[0]) => {
      const agent = new PlayedAgent(handlers);
      agents.push(agent);
      return agent;
    },
    refresh: async () => [],
  }));
  const all = { packets: NEVER, bytes: NEVER, durationMs: NEVER, ...limits };
  const capture = startCapture({ targets: { plans, named, waiting }, settings, limits: all, output, report, observer });
  await turn();
  const [first, second] = agents;
  if (first === undefined || second === undefined) throw new Error('both agents should have been reached');
  const begin = () => {
    for (const agent of agents) agent.capture();
  };
  if (now) begin();
  /** Packets of both, so that neither waits for the other. */
  const send = (time: bigint) => {
    for (const agent of agents) agent.send(packet(0, time, new Uint8Array(20)));
  };
  const stops = () => agents.map(({ said }) => said.filter(({ type }) => type === 'stop').length);
  const finish = () => {
    for (const agent of agents) agent.finish();
  };
  return { capture, agents, output, begin, send, stops, finish };
}

test('a stop is said once to every agent, and what still comes is written', async () => {
  const { capture, output, send, stops, finish } = await capturing();
  capture.stop('user');
  capture.stop('duration');
  expect(stops()).toEqual([1, 1]);
  send(100n);
  finish();
  expect(await capture.result).toMatchObject({ cause: 'user', late: 0, cutOff: false });
  expect(output.packets).toBe(4);
});

test('the first packets do not wait for a timer, and those after them leave together', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { capture, output, send, finish } = await capturing();
  send(100n);
  expect(output.flushed).toBe(0);
  while (output.flushed === 0) await turn();
  const first = output.flushed;
  expect(first).toBe(output.packets);
  send(200n);
  await turn();
  await turn();
  expect(output.packets).toBeGreaterThan(first);
  expect(output.flushed).toBe(first);
  vi.advanceTimersByTime(20);
  expect(output.flushed).toBe(output.packets);
  capture.stop('user');
  finish();
  await capture.result;
});

test('that an agent is reached and that all capture is known at once, without a timer', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  const { capture, begin, finish } = await capturing({}, false);
  await capture.connected;
  begin();
  await capture.started;
  capture.stop('user');
  finish();
  await capture.result;
});

test('requests that the first packets do not need wait until a packet has left', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { capture, agents, begin, output, finish } = await capturing({}, false);
  let started = false;
  void capture.started.then(() => {
    started = true;
  });
  for (const agent of agents) agent.tell({ type: 'started', target: 'a', interface: 'shop/a/any' });
  await turn();
  expect(started).toBe(false);
  begin();
  while (!started) await turn();
  expect(output.flushed).toBeGreaterThan(0);
  capture.stop('user');
  finish();
  await capture.result;
});

test('without packets they wait for a moment', async () => {
  const { capture, agents, output, finish } = await capturing({}, false);
  for (const agent of agents) agent.tell({ type: 'started', target: 'a', interface: 'shop/a/any' });
  await capture.started;
  expect(output.packets).toBe(0);
  capture.stop('user');
  finish();
  await capture.result;
});

test('targets that end end the capture', async () => {
  const { capture, agents } = await capturing();
  for (const agent of agents) agent.finish('targets-gone');
  expect(await capture.result).toMatchObject({ cause: 'targets-ended', cutOff: false });
});

test('a slow output pauses all agents, until half of it is written', async () => {
  const { capture, agents, output, send, finish } = await capturing();
  const paused = () => agents.map((agent) => agent.paused);
  output.pending = OUTPUT_BYTES;
  send(100n);
  expect(paused()).toEqual([false, false]);
  output.pending = OUTPUT_BYTES + 1;
  send(200n);
  expect(paused()).toEqual([true, true]);
  output.pending = OUTPUT_BYTES / 2;
  capture.outputProgress();
  expect(paused()).toEqual([true, true]);
  output.pending -= 1;
  capture.outputProgress();
  expect(paused()).toEqual([false, false]);
  capture.stop('user');
  finish();
  await capture.result;
});

test('the limit is kept to the packet; what comes behind it is read and thrown away, also if the output was full', async () => {
  const { capture, agents, output, send, stops, finish } = await capturing({ packets: 5 });
  output.pending = OUTPUT_BYTES + 1;
  send(100n);
  expect(agents.map((agent) => agent.paused)).toEqual([true, true]);
  send(200n);
  expect(output.packets).toBe(5);
  expect(stops()).toEqual([1, 1]);
  for (const time of [300n, 400n]) send(time);
  expect(agents.map((agent) => agent.paused)).toEqual([false, false]);
  finish();
  const { cause, tally } = await capture.result;
  expect(cause).toBe('limit');
  expect(tally).toMatchObject({ packets: 5, full: true });
  expect(output.packets).toBe(5);
});

test('an output that has ended ends the capture in good order', async () => {
  const { capture, output, stops, finish } = await capturing();
  output.ended = true;
  capture.outputProgress();
  expect(stops()).toEqual([1, 1]);
  finish();
  expect(await capture.result).toMatchObject({ cause: 'output-ended' });
});

test('a duration ends it by itself', async () => {
  const { capture, stops, finish } = await capturing({ durationMs: 20 });
  expect(stops()).toEqual([0, 0]);
  await expect.poll(stops).toEqual([1, 1]);
  finish();
  expect(await capture.result).toMatchObject({ cause: 'duration' });
});

test('a duration counts from the first packets, not from the way to the agents', async () => {
  const { capture, begin, stops, finish } = await capturing({ durationMs: 20 }, false);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(stops()).toEqual([0, 0]);
  begin();
  await expect.poll(stops).toEqual([1, 1]);
  finish();
  expect(await capture.result).toMatchObject({ cause: 'duration' });
});

test('a duration also ends a capture that waits for its first pod', async () => {
  const limits = { packets: NEVER, bytes: NEVER, durationMs: 20 };
  const follow = () => new Promise<void>(() => {});
  const capture = startCapture({
    targets: { plans: [], follow, named: undefined },
    settings: { ...settings, follow: true },
    limits,
    output: new Output(),
    report: new CaptureReport(),
    observer,
  });
  expect(await capture.result).toMatchObject({ cause: 'duration', cutOff: false });
});

test('a duration also ends a capture whose targets all went while its agents wait for others', async () => {
  const { capture, agents, stops, finish } = await capturing({ durationMs: 20 }, false);
  for (const agent of agents) agent.tell({ type: 'target-gone', target: 'a' });
  await expect.poll(stops).toEqual([1, 1]);
  finish();
  expect(await capture.result).toMatchObject({ cause: 'duration' });
});

const FAILED = { type: 'target-failed', target: 'a', code: 'TCPDUMP_ENDED', message: 'tcpdump ended.' } as const;

test('a capture of which no target could be captured ends by itself, although its agents wait for others', async () => {
  const { capture, agents, stops, finish } = await capturing({}, false);
  for (const agent of agents) agent.tell(FAILED);
  await expect.poll(stops).toEqual([1, 1]);
  finish();
  const { cause, report } = await capture.result;
  expect([cause, report.failed().map(({ error }) => error?.code)]).toEqual(['targets-ended', ['TCPDUMP_ENDED']]);
});

test('a capture that also waits for the first pod of an object goes on', async () => {
  const { capture, agents, stops, finish } = await capturing({}, false, undefined, true);
  for (const agent of agents) agent.tell(FAILED);
  await sleep(60);
  expect(stops()).toEqual([0, 0]);
  capture.stop('user');
  finish();
  await capture.result;
});

test('a capture whose target failed after it was captured waits for its successor', async () => {
  const { capture, agents, stops, finish } = await capturing();
  for (const agent of agents) agent.tell(FAILED);
  await sleep(60);
  expect(stops()).toEqual([0, 0]);
  capture.stop('user');
  finish();
  expect(await capture.result).toMatchObject({ cause: 'user' });
});

test('agents that do not end are cut off in the end, which is said', async () => {
  const { capture, agents, output } = await capturing();
  const begun = performance.now();
  capture.stop('user');
  agents[0]?.finish();
  expect(await capture.result).toMatchObject({ cause: 'user', cutOff: true });
  expect(performance.now() - begun).toBeGreaterThan(DRAIN_MS - 2);
  expect(agents.map((agent) => agent.terminated)).toEqual([false, true]);
  // What had come is in the output.
  expect(output.packets).toBe(2);
});

test('packets wait for the names of their addresses', async () => {
  const named = Promise.withResolvers<void>();
  const { capture, output, send, finish } = await capturing({}, true, named.promise);
  send(100n);
  await sleep(60);
  expect(output.packets).toBe(0);
  named.resolve();
  await expect.poll(() => output.packets).toBe(4);
  finish();
  await capture.result;
});

test('names that do not come are not waited for long, nor at the end', async () => {
  const { capture, output, send, finish } = await capturing({}, true, new Promise(() => {}));
  send(100n);
  await expect.poll(() => output.packets).toBe(4);
  finish();
  await capture.result;
  const short = await capturing({}, true, new Promise(() => {}));
  short.send(100n);
  short.finish();
  await short.capture.result;
  expect(short.output.packets).toBe(4);
});
