// One node's stream over as many sessions as it takes; the agent is played by the test, line by line.
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { CaptureObserver } from '../../../src/capture/streams/capture-observer.ts';
import { Merge } from '../../../src/capture/streams/merge.ts';
import { NodeStream } from '../../../src/capture/streams/node-stream.ts';
import { CaptureReport } from '../../../src/capture/streams/report.ts';
import type { TransportHandlers } from '../../../src/capture/streams/transport.ts';
import type { EdgeRequest } from '../../../src/wire/agent-protocol.ts';
import type { AgentTarget } from '../../../src/wire/agent-target.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { foundBatch } from '../../../src/wire/found-block.ts';
import { FoundColumnsWriter } from '../../../src/wire/found-columns/writer.ts';
import { endMarker } from '../../../src/wire/pcapng-write.ts';
import { describe, header, packet } from '../../support/pcapng-sample.ts';
import { PlayedAgent } from '../../support/played-agent.ts';

const TARGET: AgentTarget = { key: 'a', kind: 'host' };

/** @param sessions what each agent does, one after the other; a KsnoopError refuses */
function played(
  sessions: (((agent: PlayedAgent) => void) | KsnoopError)[],
  living: () => readonly AgentTarget[] = () => [TARGET],
  edge?: EdgeRequest,
) {
  const agents: PlayedAgent[] = [];
  const events: string[] = [];
  const packets: number[] = [];
  const report = new CaptureReport();
  report.add('a', 'shop/a');
  const merge = new Merge({ addInterface: () => {}, write: (_type, id) => packets.push(id) });
  const observer: CaptureObserver = {
    started: (key) => events.push(`started ${key}`),
    failed: (key, _label, error) => events.push(`failed ${key} ${error.code}`),
    gone: (key) => events.push(`gone ${key}`),
    lost: () => events.push('lost'),
    resumed: () => events.push('resumed'),
    waiting: () => {},
    note: () => {},
    log: () => {},
  };
  const plan = {
    cluster: 'c',
    node: 'node1',
    targets: [TARGET],
    open: async (handlers: TransportHandlers) => {
      const session = sessions.shift();
      if (session === undefined) throw new KsnoopError('UNREACHABLE', 'nobody there');
      if (session instanceof KsnoopError) throw session;
      const agent = new PlayedAgent(handlers);
      agents.push(agent);
      setImmediate(() => session(agent));
      return agent;
    },
    refresh: async () => living(),
  };
  const settings = {
    interface: 'any',
    filter: undefined,
    snaplen: 100,
    maxDurationMs: 1_000,
    follow: false,
    correctClocks: false,
    edge,
  };
  const stream = new NodeStream(plan, {
    settings,
    merge,
    report,
    observer,
    sessionId: () => '0'.repeat(32),
    onReached: () => {},
    onStarted: () => {},
    isAlone: () => true,
  });
  return { stream, agents, events, packets, report, merge };
}

test('a session from the request to the acknowledged end marker', async () => {
  const { stream, agents, events, packets, report, merge } = played([(agent) => agent.capture()]);
  const running = stream.run();
  while (events.length === 0) await sleep(1);
  expect(agents[0]?.said[0]).toMatchObject({ type: 'capture', targets: [TARGET], snaplen: 100 });
  stream.stop();
  expect(agents[0]?.said.at(-1)).toEqual({ type: 'stop' });
  agents[0]?.finish();
  await running;
  merge.flush();
  expect(agents[0]?.said.at(-1)).toEqual({ type: 'acknowledge' });
  expect(packets).toEqual([0]);
  expect(report.gaps).toEqual([]);
  expect(events).toEqual(['started a']);
});

test('a target that was to leave is gone at the end of the session, also where the agent does not report it', async () => {
  const { stream, agents, events, report } = played([(agent) => agent.capture()]);
  const running = stream.run();
  while (events.length === 0) await sleep(1);
  stream.remove('a');
  expect(agents[0]?.said.at(-1)).toEqual({ type: 'remove', key: 'a' });
  expect(report.targets.get('a')?.state).toBe('capturing');
  agents[0]?.finish('targets-gone');
  await running;
  expect(events).toEqual(['started a', 'gone a']);
  expect(report.targets.get('a')?.state).toBe('gone');
});

test('a lost stream is taken up again, and the gap is known', async () => {
  const lose = (agent: PlayedAgent) => {
    agent.capture();
    agent.lose();
  };
  const finish = (agent: PlayedAgent) => {
    agent.capture();
    agent.finish('targets-gone');
  };
  const refused = new KsnoopError('UNREACHABLE', 'not yet');
  const { stream, events, packets, report, merge } = played([lose, refused, finish]);
  await stream.run();
  merge.flush();
  expect(events).toEqual(['started a', 'lost', 'resumed', 'started a']);
  expect(packets).toEqual([0, 1]);
  expect(report.gaps).toHaveLength(1);
  expect(report.gaps[0]?.until?.getTime()).toBeGreaterThanOrEqual(report.gaps[0]?.from.getTime() ?? 0);
});

test.each([
  { what: 'had added up', heldNs: 4_000_000_000, isCounted: true, missingMs: 4_000 },
  { what: 'had sent all', heldNs: 0, isCounted: true, missingMs: undefined },
  { what: 'sends each exchange', heldNs: 4_000_000_000, isCounted: false, missingMs: undefined },
])(
  'it is known since when counts are incomplete where an agent is lost that $what',
  async ({ heldNs, isCounted, missingMs }) => {
    // Before `started` arrives here: the gap begins later than the last count.
    const now = Date.now() - 50;
    const found = (value: unknown, ms: number) => {
      const columns = new FoundColumnsWriter();
      columns.add({ interfaceId: 0, time: BigInt(ms) * 1_000_000n }, value);
      const bytes = Uint8Array.from(columns.take());
      return foundBatch(zstdCompressSync(bytes), bytes.length);
    };
    const analyse = (agent: PlayedAgent) => {
      agent.tell({ type: 'started', target: 'a', interface: 'shop/a/any' });
      const counts = { packets: 9, heldNs };
      agent.send(header(), describe('shop/a/any'), found(['i', 0], now - 9_000), found(['t', 0, counts], now));
      setTimeout(() => agent.lose(), 20);
    };
    const edge = {
      detail: false,
      labels: false,
      firstLegs: false,
      firstLegsOnly: false,
      traced: false,
      showSecrets: false,
    };
    const { stream, report } = played([analyse], () => [TARGET], { ...edge, counts: isCounted });
    setTimeout(() => stream.stop(), 100);
    await stream.run();
    const [gap] = report.gaps;
    expect(gap?.from.getTime()).toBeGreaterThanOrEqual(now);
    expect(gap?.incompleteSince?.getTime()).toBe(missingMs === undefined ? undefined : now - missingMs);
  },
);

test('a gap begins with the last packet that was delivered, not when the loss is noticed', async () => {
  let delivered = 0;
  const silence = (agent: PlayedAgent) => {
    agent.capture();
    delivered = Date.now();
    agent.send(packet(0, BigInt(delivered) * 1_000_000n, new Uint8Array(20)));
    setTimeout(() => agent.lose(), 300);
  };
  const finish = (agent: PlayedAgent) => {
    agent.capture();
    agent.finish('targets-gone');
  };
  const { stream, report } = played([silence, finish]);
  await stream.run();
  const [gap] = report.gaps;
  expect(gap?.from.getTime()).toBe(delivered);
  // A timer and the clock of day round differently.
  expect((gap?.until?.getTime() ?? 0) - delivered).toBeGreaterThanOrEqual(295);
});

test('an agent that ends by itself for want of a lease is taken up again', async () => {
  const lease = (agent: PlayedAgent) => {
    agent.capture();
    agent.finish('lease');
  };
  const { stream, events } = played([
    lease,
    (agent) => {
      agent.capture();
      agent.finish('targets-gone');
    },
  ]);
  await stream.run();
  expect(events).toEqual(['started a', 'lost', 'resumed', 'started a']);
});

const captured = (agent: PlayedAgent) => {
  agent.capture();
  agent.finish('targets-gone');
};

test('an agent that ends by itself while its captures start is taken up again, and the gap is stated', async () => {
  const { stream, events, report } = played([
    (agent) => {
      agent.send(header());
      agent.finish('lease');
    },
    captured,
  ]);
  await stream.run();
  expect(events).toEqual(['lost', 'resumed', 'started a']);
  expect(report.gaps).toMatchObject([{ reason: 'The agent ended the session by itself (lease).' }]);
  expect(report.gaps[0]?.until).toBeDefined();
});

test.each(['lease', 'signal', 'of another version'])(
  'an agent that ends by itself (%s) is taken up again where its last event does not arrive',
  async (reason) => {
    const leave = (agent: PlayedAgent) => {
      agent.capture();
      agent.send(endMarker({ version: 1, reason, interfaces: [] }));
      agent.lose();
    };
    const { stream, events, report } = played([leave, captured]);
    await stream.run();
    expect(events).toEqual(['started a', 'lost', 'resumed', 'started a']);
    expect(report.gaps).toHaveLength(1);
  },
);

test.each(['duration', 'targets-gone'])(
  'an end in good order (%s) is one also where its last event does not arrive',
  async (reason) => {
    const leave = (agent: PlayedAgent) => {
      agent.capture();
      agent.send(endMarker({ version: 1, reason, interfaces: [] }));
      agent.lose();
    };
    const { stream, events, report } = played([leave]);
    await stream.run();
    expect(events).toEqual(['started a']);
    expect(report.gaps).toEqual([]);
  },
);

test('a target that has gone meanwhile is not taken up again', async () => {
  const { stream, events, report } = played(
    [
      (agent) => {
        agent.capture();
        agent.lose();
      },
    ],
    () => [],
  );
  await stream.run();
  expect(events).toEqual(['started a', 'lost', 'gone a']);
  expect(report.targets.get('a')?.state).toBe('gone');
});

test('a refusal before anything was captured is final', async () => {
  const { stream, events, report } = played([new KsnoopError('FORBIDDEN', 'no')]);
  await stream.run();
  expect(events).toEqual(['failed a FORBIDDEN']);
  expect(report.gaps).toEqual([]);
});

test('another protocol version is an error, not a loop', async () => {
  const { stream, events } = played([
    (agent) => agent.tell({ type: 'hello', protocol: '9.0', version: '9', node: 'n' }),
  ]);
  await stream.run();
  expect(events).toEqual(['failed a PROTOCOL_MISMATCH']);
});

test('damage in the stream is a loss, not a crash', async () => {
  const { stream, events } = played([
    (agent) => {
      agent.capture();
      agent.send(Buffer.alloc(64, 0xff));
    },
    (agent) => {
      agent.capture();
      agent.finish('targets-gone');
    },
  ]);
  await stream.run();
  expect(events.slice(0, 2)).toEqual(['started a', 'lost']);
});
