// Targets that come and go while a capture runs, over agents that the test plays.
import { expect, test, vi } from 'vitest';
import { type CaptureOutput, startCapture } from '../../../src/capture/streams/capture.ts';
import { CaptureReport } from '../../../src/capture/streams/report.ts';
import type { TargetChange } from '../../../src/capture/streams/target-change.ts';
import type { EdgeRequest } from '../../../src/wire/agent-protocol.ts';
import type { AgentTarget } from '../../../src/wire/agent-target.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { describe, header, packet } from '../../support/pcapng-sample.ts';
import { PlayedAgent } from '../../support/played-agent.ts';

vi.mock('../../../src/capture/limits.ts', async (original) => ({
  ...(await original<object>()),
  RECONNECT_FIRST_MS: 5,
  STILL_THERE_MS: [5, 5, 5],
}));

class Output implements CaptureOutput {
  readonly pending = 0;
  readonly ended = false;
  readonly interfaces: number[] = [];
  flush(): void {}
  addInterface(id: number): void {
    this.interfaces.push(id);
  }
  write(): void {}
}

const NEVER = Number.POSITIVE_INFINITY;
const pod = (name: string): AgentTarget => ({
  key: `uid-${name}`,
  kind: 'pod',
  namespace: 'shop',
  pod: name,
  uid: `uid-${name}`,
  containers: [],
  hostNetwork: false,
  wait: true,
});

/** A capture that begins with web-1 on node1, and whose targets change as the test says. */
function following(
  options: {
    growing?: boolean;
    living?: () => readonly AgentTarget[];
    refuse?: () => boolean;
    edge?: EdgeRequest;
  } = {},
) {
  const agents: { node: string; agent: PlayedAgent }[] = [];
  const told: string[] = [];
  const report = new CaptureReport();
  const access = (node: string, cluster = 'c') => ({
    cluster,
    node,
    open: async (handlers: ConstructorParameters<typeof PlayedAgent>[0]) => {
      if (options.refuse?.() === true) throw new KsnoopError('NO_AGENT_ON_NODE', 'No agent yet.');
      const agent = new PlayedAgent(handlers);
      agents.push({ node, agent });
      return agent;
    },
    refresh: async (wanted: readonly AgentTarget[]) => options.living?.() ?? wanted,
  });
  report.add('uid-web-1', 'shop/web-1');
  const plans = [{ ...access('node1'), targets: [pod('web-1')] }];
  let change: (event: TargetChange) => void = () => {};
  const follow = async (emit: typeof change, signal: AbortSignal) => {
    change = emit;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    told.push('no longer followed');
  };
  const nobody = () => {};
  const observer = {
    started: (_key: string, label: string, { joined }: { joined: boolean }) =>
      told.push(`${label} ${joined ? 'joined' : 'started'}`),
    waiting: (_key: string, label: string) => told.push(`${label} waits`),
    failed: (_key: string, label: string, error: KsnoopError) => told.push(`${label} failed: ${error.code}`),
    gone: (_key: string, label: string) => told.push(`${label} gone`),
    lost: nobody,
    resumed: nobody,
    note: (message: string) => told.push(message),
    log: nobody,
  };
  const growing = options.growing !== false;
  const settings = {
    interface: 'any',
    filter: undefined,
    snaplen: 100,
    maxDurationMs: 1_000,
    follow: growing,
    correctClocks: false,
    edge: options.edge,
  };
  const output = new Output();
  const limits = { packets: NEVER, bytes: NEVER, durationMs: NEVER };
  const capture = startCapture({ targets: { plans, follow }, settings, limits, output, report, observer });
  const add = (name: string, node: string, cluster = 'c') =>
    change({ type: 'added', node: access(node, cluster), target: pod(name), label: `shop/${name}`, names: [] });
  const gone = (name: string) => change({ type: 'gone', key: `uid-${name}` });
  /** The agent that was reached as number `index`. */
  const agent = async (index: number) => {
    await expect.poll(() => agents.length).toBeGreaterThan(index);
    const found = agents[index]?.agent;
    if (found === undefined) throw new Error('no agent');
    await expect.poll(() => found.said).not.toEqual([]);
    return found;
  };
  return { capture, agents, agent, told, report, output, add, gone, change: (event: TargetChange) => change(event) };
}

/** What the agent says and sends when it begins to capture a target as its interface `id`. */
function start(agent: PlayedAgent, name: string, id: number): void {
  agent.tell({ type: 'started', target: `uid-${name}`, interface: `shop/${name}/any`, id });
  agent.send(...(id === 0 ? [header()] : []), describe(`shop/${name}/any`), packet(id, 5n, new Uint8Array(20)));
}

test('nodes of the same name in two clusters have a stream each', async () => {
  const { capture, agents, agent, add } = following();
  start(await agent(0), 'web-1', 0);
  add('web-2', 'node1', 'other');
  const second = await agent(1);
  expect(second.said[0]).toMatchObject({ type: 'capture', targets: [pod('web-2')] });
  await expect.poll(() => capture.nodes().map(({ label }) => label)).toEqual(['c/node1', 'other/node1']);
  capture.stop('user');
  for (const { agent: one } of agents) one.finish();
  await capture.result;
});

const COUNTS: EdgeRequest = {
  detail: false,
  labels: false,
  firstLegs: false,
  firstLegsOnly: false,
  traced: false,
  counts: true,
  showSecrets: false,
};

test('an agent that analyses is told that it is alone, and a second one begins after it knows that it no longer is', async () => {
  const { capture, agents, agent, add } = following({ edge: COUNTS });
  const first = await agent(0);
  expect(first.said[0]).toMatchObject({ edge: { ...COUNTS, alone: true } });
  start(first, 'web-1', 0);
  add('web-2', 'node1');
  expect(first.said.at(-1)).toMatchObject({ type: 'add' });
  add('web-3', 'node2');
  // One that joins before the first one has answered waits as well.
  add('web-4', 'node3');
  await expect.poll(() => first.said.at(-1)).toEqual({ type: 'not-alone' });
  expect(agents).toHaveLength(1);
  first.tell({ type: 'not-alone' });
  for (const other of [await agent(1), await agent(2)]) {
    expect(other.said[0]).not.toHaveProperty('edge.alone');
    expect(other.said[0]).toMatchObject({ edge: COUNTS });
  }
  // A later one has nothing to wait for.
  add('web-5', 'node4');
  await agent(3);
  expect(first.said.filter(({ type }) => type === 'not-alone')).toHaveLength(1);
  capture.stop('user');
  for (const { agent: one } of agents) one.finish();
  await capture.result;
});

test('an agent that is lost keeps no other one from joining', async () => {
  const { capture, agents, agent, add } = following({ edge: COUNTS });
  const first = await agent(0);
  start(first, 'web-1', 0);
  add('web-3', 'node2');
  await expect.poll(() => first.said.at(-1)).toEqual({ type: 'not-alone' });
  first.lose();
  const others = [await agent(1), await agent(2)];
  for (const other of others) expect(other.said[0]).not.toHaveProperty('edge.alone');
  capture.stop('user');
  for (const { agent: one } of agents) one.finish();
  await capture.result;
});

test('pods join the stream of their node, or open one; those that go leave it', async () => {
  const { capture, agents, agent, told, report, add, gone } = following();
  const first = await agent(0);
  expect(first.said[0]).toMatchObject({ type: 'capture', follow: true });
  start(first, 'web-1', 0);
  add('web-2', 'node1');
  add('web-3', 'node2');
  const second = await agent(1);
  expect(agents.map(({ node }) => node)).toEqual(['node1', 'node2']);
  expect(first.said.at(-1)).toEqual({ type: 'add', target: pod('web-2') });
  expect(second.said[0]).toMatchObject({ targets: [pod('web-3')] });
  start(first, 'web-2', 1);
  start(second, 'web-3', 0);
  gone('web-1');
  expect(first.said.at(-1)).toEqual({ type: 'remove', key: 'uid-web-1' });
  first.tell({ type: 'target-gone', target: 'uid-web-1' });
  // Nothing is left on node2; it is kept for who comes.
  gone('web-3');
  second.tell({ type: 'target-gone', target: 'uid-web-3' });
  add('web-4', 'node2');
  expect(second.said.at(-1)).toEqual({ type: 'add', target: pod('web-4') });
  capture.stop('user');
  for (const { agent: one } of agents) one.finish();
  expect(await capture.result).toMatchObject({ cause: 'user' });
  expect(told).toEqual([
    'shop/web-1 started',
    'shop/web-2 joined',
    'shop/web-3 joined',
    'shop/web-1 gone',
    'shop/web-3 gone',
    'no longer followed',
  ]);
  expect([...report.targets.values()].map(({ state }) => state)).toEqual(['gone', 'capturing', 'gone', 'waiting']);
  expect(report.targets.get('uid-web-2')?.joined).toBeInstanceOf(Date);
  expect(report.targets.get('uid-web-1')).toMatchObject({ joined: undefined, left: expect.any(Date) });
});

test('a capture that nothing can join any more ends with its last target', async () => {
  const { capture, agent, gone, told } = following({ growing: false });
  const first = await agent(0);
  expect(first.said[0]).not.toHaveProperty('follow');
  start(first, 'web-1', 0);
  gone('web-1');
  expect(first.said.at(-1)).toEqual({ type: 'remove', key: 'uid-web-1' });
  first.tell({ type: 'target-gone', target: 'uid-web-1' });
  first.finish('targets-gone');
  expect(await capture.result).toMatchObject({ cause: 'targets-ended' });
  expect(told).toEqual(['shop/web-1 started', 'shop/web-1 gone', 'no longer followed']);
});

test('where nobody tells that a pod is gone the cluster is asked', async () => {
  let living: readonly AgentTarget[] = [pod('web-1')];
  const { capture, agent } = following({ growing: false, living: () => living });
  const first = await agent(0);
  start(first, 'web-1', 0);
  first.tell({ type: 'target-gone', target: 'uid-web-1' });
  living = [];
  await expect.poll(() => first.said.at(-1)).toEqual({ type: 'remove', key: 'uid-web-1' });
  first.finish('targets-gone');
  expect(await capture.result).toMatchObject({ cause: 'targets-ended' });
});

test('a target that joins a lost stream is in the next session', async () => {
  const { capture, agent, add, told } = following();
  const first = await agent(0);
  start(first, 'web-1', 0);
  first.lose();
  add('web-2', 'node1');
  const second = await agent(1);
  expect(second.said[0]).toMatchObject({ targets: [pod('web-1'), pod('web-2')] });
  start(second, 'web-1', 0);
  capture.stop('user');
  second.finish();
  const { report } = await capture.result;
  expect(report.gaps).toHaveLength(1);
  expect(told).toContain('shop/web-1 started');
});

test('a node that joins may have its agent a little later', async () => {
  let refusals = 0;
  const { capture, agent, add } = following({ refuse: () => refusals-- > 0 });
  const first = await agent(0);
  start(first, 'web-1', 0);
  refusals = 3;
  add('web-2', 'node2');
  const second = await agent(1);
  start(second, 'web-2', 0);
  capture.stop('user');
  first.finish();
  second.finish();
  const { report } = await capture.result;
  expect(report.gaps).toEqual([]);
  expect(report.failed()).toEqual([]);
});

test('when the first targets all fail nothing is waited for', async () => {
  const { capture, told } = following({ refuse: () => true });
  expect(await capture.result).toMatchObject({ cause: 'targets-ended' });
  expect(told).toEqual(['shop/web-1 failed: NO_AGENT_ON_NODE', 'no longer followed']);
});

test('an agent of the version before is told nothing it does not know, and the user is', async () => {
  const { capture, agent, add, told } = following();
  const first = await agent(0);
  first.tell({ type: 'hello', protocol: '1.0', version: '0', node: 'node1' });
  first.tell({ type: 'started', target: 'uid-web-1', interface: 'shop/web-1/any' });
  add('web-2', 'node1');
  expect(first.said.map(({ type }) => type)).toEqual(['capture']);
  expect(told.at(-1)).toBe('shop/web-2 failed: AGENT_TOO_OLD');
  capture.stop('user');
  first.finish();
  await capture.result;
});

test('what is refused later is a target that failed, and what is noted is told', async () => {
  const { capture, agent, change, told } = following();
  const first = await agent(0);
  start(first, 'web-1', 0);
  change({ type: 'refused', label: 'shop/web-9', error: new KsnoopError('NO_CONTAINER_PORTS', 'It declares none.') });
  change({ type: 'note', message: 'the watch is back' });
  capture.stop('user');
  first.finish();
  const { report } = await capture.result;
  expect(told).toEqual([
    'shop/web-1 started',
    'shop/web-9 failed: NO_CONTAINER_PORTS',
    'the watch is back',
    'no longer followed',
  ]);
  expect(report.failed().map(({ label }) => label)).toEqual(['shop/web-9']);
});
