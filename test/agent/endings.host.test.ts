import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { CaptureRequest } from '../../src/wire/agent-protocol.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { HANG_MS } from '../support/hang.ts';
import { leftOf, processesOf } from '../support/marked-processes.ts';
import { AgentProcess, captureRequest } from './agent-process.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run, traffic } from './namespaces.ts';

let pair: NamespacePair;
let sink: ChildProcess;
let agent: AgentProcess;
beforeAll(async () => {
  pair = makePair();
  sink = await background(traffic(pair, pair.right, 'sink'));
});
afterEach(() => agent.kill());
afterAll(() => {
  sink.kill('SIGKILL');
  pair.remove();
});

async function begin(more: Partial<CaptureRequest> = {}, options: ConstructorParameters<typeof AgentProcess>[0] = {}) {
  agent = new AgentProcess(options);
  const request = captureRequest([{ key: 't', kind: 'netns', name: pair.left }], more);
  await agent.start(request);
  return request;
}

const send = (...numbers: number[]) => run(traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, ...numbers));

const gone = ({ session }: CaptureRequest) => leftOf([session]);

function blockTypes(pcapng: Buffer): number[] {
  const types: number[] = [];
  new BlockFramer(({ type }) => types.push(type)).push(pcapng);
  return types;
}

const lastEnd = () => agent.event('end')?.reason;

it('runs one tcpdump, as a user of its own that has no more capabilities than a packet socket needs', async () => {
  const request = await begin();
  // One more brings the first packets.
  await vi.waitFor(() => expect(processesOf(request.session)).toHaveLength(1), HANG_MS);
  const pids = processesOf(request.session);
  const status = readFileSync(`/proc/${pids[0]}/status`, 'utf8');
  expect(readlinkSync(`/proc/${pids[0]}/exe`)).toMatch(/tcpdump$/);
  // CAP_NET_RAW is bit 13 (linux/capability.h).
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    expect(status).toMatch(new RegExp(`^${set}:\\t0*2000$`, 'm'));
  }
  expect(status).toMatch(/^Uid:\t59575\t59575\t59575\t59575$/m);
  expect(status).toMatch(/^Groups:\t\s*$/m);
  expect(await agent.stop()).toBe(0);
});

it.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'leaves no tcpdump and no pipe behind on %s',
  async (signal) => {
    const request = await begin();
    expect(processesOf(request.session).length).toBeGreaterThan(0);
    agent.child.kill(signal);
    if (signal === 'SIGKILL') await agent.exited;
    else {
      expect(await agent.finish()).toBe(0);
      expect(lastEnd()).toBe('signal');
      expect(blockTypes(agent.output).at(-1)).toBe(BLOCK.ksnoopEnd);
    }
    expect(await gone(request)).toEqual([]);
    const pipes = () => readdirSync('/dev/shm').filter((name) => name.startsWith(`ksnoop-${agent.pid}-`));
    await vi.waitFor(() => expect(pipes()).toEqual([]), HANG_MS);
  },
);

it('ends at once when its client closes stdin', async () => {
  const request = await begin();
  agent.child.stdin?.end();
  expect(await agent.exited).toBe(1);
  expect(await gone(request)).toEqual([]);
});

it('ends when nobody reads its stdout any more', async () => {
  const request = await begin();
  agent.child.stdout?.destroy();
  for (let index = 0; index < 20 && agent.child.exitCode === null; index += 1) {
    send(10, 10, 100, 0);
    await sleep(100);
  }
  agent.say({ type: 'stop' });
  agent.say({ type: 'acknowledge' });
  await agent.exited;
  expect(await gone(request)).toEqual([]);
});

it('ends when the lease is lost, in good order where the stream is read', async () => {
  // ARP may ask again meanwhile.
  const request = await begin({ filter: 'udp' });
  send(3, 1, 100, 0);
  agent.stopHeartbeat();
  expect(await agent.finish()).toBe(0);
  expect(lastEnd()).toBe('lease');
  expect(blockTypes(agent.output).filter((type) => type === BLOCK.enhancedPacket)).toHaveLength(3);
  expect(await gone(request)).toEqual([]);
});

it('ends at its maximum duration', async () => {
  const request = await begin({ maxDurationMs: 1_500 });
  expect(await agent.finish()).toBe(0);
  expect(lastEnd()).toBe('duration');
  expect(await gone(request)).toEqual([]);
});

it('ends when the network namespace goes, and says that the target is gone', async () => {
  const other = makePair();
  try {
    agent = new AgentProcess();
    const request = captureRequest([{ key: 't', kind: 'netns', name: other.left }]);
    await agent.start(request);
    run(['ip', 'netns', 'delete', other.left]);
    expect(await agent.finish()).toBe(0);
    expect(agent.event('target-gone')).toMatchObject({ target: 't' });
    expect(lastEnd()).toBe('targets-gone');
    expect(await gone(request)).toEqual([]);
  } finally {
    other.remove();
  }
});

it('says so when its tcpdump is killed', async () => {
  const request = await begin();
  for (const pid of processesOf(request.session)) process.kill(pid, 'SIGKILL');
  expect(await agent.finish()).toBe(0);
  expect(agent.event('target-failed')).toMatchObject({ code: 'TCPDUMP_ENDED' });
  expect(await gone(request)).toEqual([]);
});

it('keeps whole packets only, in bounded memory, while nobody reads, and counts the others', async () => {
  const request = await begin({}, { read: false });
  const bound = 64 * 1024 * 1024;
  let sent = 0;
  const counters = () => agent.events.filter((event) => event.type === 'counters').at(-1)?.counters;
  // Until the agent's store is full: how much of it the kernel drops depends on the machine.
  for (let round = 0; round < 20 && (counters()?.droppedByKsnoop ?? 0) === 0; round += 1) {
    send(60_000, 128, 1_400, 1);
    sent += 60_000;
    const told = agent.events.length;
    await agent.until(() => agent.events.length > told);
  }
  const status = readFileSync(`/proc/${agent.pid}/status`, 'utf8');
  const anonymous = Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  expect(anonymous).toBeLessThan(3 * bound);
  agent.read();
  expect(await agent.stop()).toBe(0);
  const packets = blockTypes(agent.output).filter((type) => type === BLOCK.enhancedPacket).length;
  const last = counters();
  expect(last?.captured).toBe(packets);
  expect(last?.droppedByKsnoop).toBeGreaterThan(0);
  const { captured = 0, droppedByKernel = 0, droppedByKsnoop = 0, received } = last ?? {};
  expect(captured + droppedByKernel + droppedByKsnoop).toBe(received);
  expect(received).toBeGreaterThanOrEqual(sent);
  expect(await gone(request)).toEqual([]);
  expect(existsSync(`/proc/${agent.pid}`)).toBe(false);
});
