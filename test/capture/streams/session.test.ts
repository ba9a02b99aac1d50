// One conversation with an agent that the test plays, on a clock that the test moves.
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SILENCE_MS } from '../../../src/capture/limits.ts';
import { Merge } from '../../../src/capture/streams/merge.ts';
import { AgentSession } from '../../../src/capture/streams/session.ts';
import type { OpenTransport } from '../../../src/capture/streams/transport.ts';
import type { AgentEvent, CaptureRequest } from '../../../src/wire/agent-protocol.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { HEARTBEAT_MS, SENTENCE_MAXIMUM } from '../../../src/wire/limits.ts';
import { PROTOCOL } from '../../../src/wire/version.ts';
import { describe, end, header, packet } from '../../support/pcapng-sample.ts';
import { PlayedAgent } from '../../support/played-agent.ts';

const REQUEST: CaptureRequest = {
  type: 'capture',
  protocol: '1.0',
  session: '0'.repeat(32),
  targets: [{ key: 'a', kind: 'host' }],
  interface: 'any',
  snaplen: 100,
  maxDurationMs: 1_000,
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

function played() {
  const events: AgentEvent[] = [];
  const written: number[] = [];
  const merge = new Merge({ addInterface: () => {}, write: (type) => written.push(type) });
  const source = merge.addSource('node1');
  const session = new AgentSession(REQUEST, source, (event) => events.push(event));
  return { session, source, events, written, types: () => events.map(({ type }) => type) };
}

/** A session whose agent has answered. */
async function begun() {
  const all = played();
  let agent: PlayedAgent | undefined;
  const running = all.session.run(async (handlers) => {
    agent = new PlayedAgent(handlers);
    return agent;
  });
  await turn();
  if (agent === undefined) throw new Error('the session did not open its transport');
  return { ...all, agent, running, said: () => agent?.said.map(({ type }) => type) };
}

test('the request goes first, then a heartbeat as often as the lease wants it', async () => {
  const { agent, running, said } = await begun();
  expect(agent.said).toEqual([REQUEST]);
  for (let beat = 0; beat < 3; beat += 1) {
    vi.advanceTimersByTime(HEARTBEAT_MS);
    agent.tell({ type: 'alive' });
  }
  expect(said()).toEqual(['capture', 'heartbeat', 'heartbeat', 'heartbeat']);
  agent.capture();
  agent.finish();
  expect(await running).toEqual({ kind: 'complete' });
  vi.advanceTimersByTime(10 * HEARTBEAT_MS);
  expect(said()).toHaveLength(5);
});

test.each(['marker first', 'event first'])(
  'the end is acknowledged once, when both its signs are here (%s)',
  async (order) => {
    const { agent, running, said } = await begun();
    const marker = Buffer.concat([header(), end()]);
    const signs = [
      // Cut within the marker: announced is not read.
      () => {
        agent.send(marker.subarray(0, -1));
        expect(said()).toEqual(['capture']);
        agent.send(marker.subarray(-1));
      },
      () => agent.tell({ type: 'end', reason: 'stopped' }),
    ];
    if (order === 'event first') signs.reverse();
    signs[0]?.();
    expect(said()).toEqual(['capture']);
    signs[1]?.();
    expect(said()).toEqual(['capture', 'acknowledge']);
    agent.tell({ type: 'end', reason: 'stopped' });
    expect(said()).toHaveLength(2);
    // However the connection goes after that, everything is here.
    agent.lose();
    expect(await running).toEqual({ kind: 'complete' });
  },
);

test('an agent that says nothing is lost; one that is paused by us is not', async () => {
  const { session, agent, running } = await begun();
  session.pause();
  expect(agent.paused).toBe(true);
  vi.advanceTimersByTime(5 * SILENCE_MS);
  expect(agent.terminated).toBe(false);
  session.resume();
  expect(agent.paused).toBe(false);
  // The silence of the pause does not count afterwards.
  vi.advanceTimersByTime(SILENCE_MS - HEARTBEAT_MS);
  expect(agent.terminated).toBe(false);
  agent.tell({ type: 'alive' });
  vi.advanceTimersByTime(SILENCE_MS + HEARTBEAT_MS);
  expect(agent.terminated).toBe(true);
  expect(await running).toMatchObject({ kind: 'lost', error: { code: 'AGENT_SILENT' } });
});

test('packets alone are a sign of life', async () => {
  const { agent, running } = await begun();
  agent.send(header(), describe('shop/a/any'));
  for (let second = 0; second < 60; second += 1) {
    vi.advanceTimersByTime(1_000);
    agent.send(packet(0, BigInt(second), new Uint8Array(4)));
  }
  expect(agent.terminated).toBe(false);
  agent.finish();
  expect(await running).toEqual({ kind: 'complete' });
});

test('what the agent refuses is the answer, in its words', async () => {
  const { agent, running, events } = await begun();
  agent.tell({ type: 'failed', code: 'BAD_FILTER', message: 'syntax error', hint: 'look' });
  agent.settle({ kind: 'exited', code: 1 });
  const error = { code: 'BAD_FILTER', message: 'syntax error', hint: 'look', exit: 2 };
  expect(await running).toMatchObject({ kind: 'refused', error });
  expect(events.map(({ type }) => type)).toEqual(['hello']);
});

test.each([
  ['before its first byte', 1, [], 'refused'],
  // 137 is SIGKILL: out of memory, or the pod was deleted while it started.
  ['before its first byte, killed', 137, [], 'lost'],
  ['within the stream', 1, [header()], 'lost'],
  ['within the stream, but in good order', 0, [header(), packet(0, 1n, new Uint8Array(9)).subarray(0, 20)], 'lost'],
])('an agent that ends %s (code %i)', async (_, code, blocks, kind) => {
  const { agent, running } = await begun();
  if (blocks.length > 0) agent.send(...blocks);
  agent.stderr('OCI runtime exec failed\n');
  agent.settle({ kind: 'exited', code });
  const message = expect.stringMatching(`code ${code} .*Its output: OCI runtime exec failed`);
  expect(await running).toMatchObject({ kind, error: { code: 'AGENT_ENDED', message } });
});

test('what an agent prints besides its protocol is bounded in the error, however long its lines are', async () => {
  const { agent, running } = await begun();
  for (let line = 0; line < 10; line += 1) agent.stderr(`${'x'.repeat(3_000_000)}\n`);
  agent.settle({ kind: 'exited', code: 1 });
  const end = await running;
  if (end.kind !== 'refused') throw new Error(end.kind);
  expect(end.error.message).toContain('Its output: xxx');
  expect(end.error.message.length).toBeLessThan(SENTENCE_MAXIMUM + 200);
});

test('another protocol version ends the session and names the command', async () => {
  const { agent, running } = await begun();
  agent.tell({ type: 'hello', protocol: `${PROTOCOL.major}.${PROTOCOL.minor + 2}`, version: '9', node: 'n' });
  expect(agent.terminated).toBe(true);
  const error = { code: 'PROTOCOL_MISMATCH', hint: expect.stringContaining('ksnoop install') };
  expect(await running).toMatchObject({ kind: 'refused', error });
});

test('damage ends the session; what came before it stays, what comes after it is not looked at', async () => {
  const { agent, running, written, types } = await begun();
  agent.capture();
  agent.send(Buffer.alloc(16, 0xff));
  agent.tell({ type: 'log', message: 'late' });
  agent.send(packet(0, 6n, new Uint8Array(4)));
  expect(agent.terminated).toBe(true);
  expect(await running).toMatchObject({ error: { code: 'DAMAGED_PCAPNG' } });
  expect(written).toHaveLength(1);
  expect(types()).toEqual(['hello', 'started']);
});

test('a transport that cannot be opened is a refusal, whatever it throws', async () => {
  const forbidden = new KsnoopError('FORBIDDEN', 'no');
  expect(await played().session.run(() => Promise.reject(forbidden))).toEqual({ kind: 'refused', error: forbidden });
  const other = await played().session.run(() => Promise.reject(new Error('odd')));
  expect(other).toMatchObject({ kind: 'refused', error: { code: 'SESSION_FAILED', message: 'odd' } });
});

/** A transport that opens when it is told to, and takes no notice of the signal. */
function slow() {
  const all = played();
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let agent: PlayedAgent | undefined;
  const opening: OpenTransport = async (handlers) => {
    await gate;
    agent = new PlayedAgent(handlers);
    return agent;
  };
  const running = all.session.run(opening);
  const opened = async () => {
    open();
    await turn();
    if (agent === undefined) throw new Error('the session did not open its transport');
    return agent;
  };
  return { ...all, running, opened };
}

test('a stop or a pause before the transport is open is kept for it', async () => {
  const { session, running, opened } = slow();
  session.stop();
  session.pause();
  const agent = await opened();
  expect(agent.said.map(({ type }) => type)).toEqual(['capture', 'stop']);
  expect(agent.paused).toBe(true);
  session.stop();
  expect(agent.said).toHaveLength(2);
  agent.capture();
  agent.finish();
  expect(await running).toEqual({ kind: 'complete' });
});

test('so is breaking off: no agent is left running', async () => {
  const { session, running, opened } = slow();
  session.terminate();
  const agent = await opened();
  expect(agent.terminated).toBe(true);
  expect(await running).toMatchObject({ kind: 'lost' });
});
