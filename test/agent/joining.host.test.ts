// Targets that join and leave a session while it runs: named namespaces, and pods that are waited for.
import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer, interfaceName, isLastStatistics } from '../../src/wire/pcapng-read.ts';
import { HANG_MS } from '../support/hang.ts';
import { processesOf } from '../support/marked-processes.ts';
import { AgentProcess, captureRequest } from './agent-process.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, run, traffic } from './namespaces.ts';
import { PlayedSandbox } from './played-sandbox.ts';

let pair: NamespacePair;
let other: NamespacePair;
let sinks: ChildProcess[];
let agent: AgentProcess;
const pods: PlayedSandbox[] = [];
beforeAll(async () => {
  pair = makePair();
  other = makePair();
  sinks = [await background(traffic(pair, pair.right, 'sink')), await background(traffic(other, other.right, 'sink'))];
});
afterEach(async () => {
  agent.kill();
  for (const pod of pods.splice(0)) await pod.remove();
});
afterAll(() => {
  for (const sink of sinks) sink.kill('SIGKILL');
  pair.remove();
  other.remove();
});

const send = (from: NamespacePair, count: number) =>
  run(traffic(from, from.left, 'udp', RIGHT_ADDRESS, count, 1, 100, 0));
const started = (target: string) => agent.events.filter((event) => event.type === 'started' && event.target === target);
const gone = (target: string) =>
  agent.events.filter((event) => event.type === 'target-gone' && event.target === target);

function play(pod: string): PlayedSandbox {
  const sandbox = new PlayedSandbox(pod);
  pods.push(sandbox);
  return sandbox;
}

/** Datagrams per interface of a stream, and the interfaces that ended with a last statistics block. */
function contents(pcapng: Buffer) {
  const names: string[] = [];
  const packets: number[] = [];
  const complete: boolean[] = [];
  let last = 0;
  new BlockFramer(({ type, bytes, offset, length, view }) => {
    last = type;
    if (type === BLOCK.interfaceDescription) {
      names.push(interfaceName(bytes, offset, length));
      packets.push(0);
      complete.push(false);
    }
    const id = view.getUint32(offset + 8, true);
    // ARP is shorter.
    if (type === BLOCK.enhancedPacket && view.getUint32(offset + 24, true) > 100) packets[id] = (packets[id] ?? 0) + 1;
    if (type === BLOCK.interfaceStatistics) complete[id] ||= isLastStatistics(bytes, offset, length);
  }).push(pcapng);
  return { names, packets, complete, whole: last === BLOCK.ksnoopEnd };
}

it('takes a target while it runs, and lets one go with its statistics', async () => {
  agent = new AgentProcess();
  const request = captureRequest([{ key: 'a', kind: 'netns', name: pair.left }], { follow: true });
  await agent.start(request);
  send(pair, 3);
  agent.say({ type: 'add', target: { key: 'b', kind: 'netns', name: other.left } });
  await agent.until(() => started('b').length === 1);
  send(other, 5);
  agent.say({ type: 'remove', key: 'a' });
  await agent.until(() => gone('a').length === 1);
  await vi.waitFor(() => expect(processesOf(request.session)).toHaveLength(1), HANG_MS);
  send(pair, 7);
  send(other, 2);
  // With none left it goes on, for it follows.
  agent.say({ type: 'remove', key: 'b' });
  await agent.until(() => gone('b').length === 1);
  agent.say({ type: 'add', target: { key: 'c', kind: 'netns', name: pair.left } });
  await agent.until(() => started('c').length === 1);
  send(pair, 4);
  expect(await agent.stop()).toBe(0);
  expect(contents(agent.output)).toEqual({
    names: [`netns/${pair.left}/eth0`, `netns/${other.left}/eth0`, `netns/${pair.left}/eth0`],
    packets: [3, 7, 4],
    complete: [true, true, true],
    whole: true,
  });
  expect([...started('a'), ...started('b'), ...started('c')].map((event) => 'id' in event && event.id)).toEqual([
    0, 1, 2,
  ]);
});

it('waits for a pod that has no sandbox yet, and captures it soon after it has', async () => {
  const pod = play('web-1');
  agent = new AgentProcess();
  const request = captureRequest([pod.target], { follow: true });
  agent.say(request);
  await agent.until(() => agent.event('target-waiting') !== undefined);
  expect(processesOf(request.session)).toEqual([]);
  pod.start(pair.left);
  await agent.until(() => started(pod.target.key).length === 1);
  const [event] = started(pod.target.key);
  expect(event).toMatchObject({ interface: 'shop/web-1/eth0', sandboxMs: expect.any(Number) });
  send(pair, 3);
  expect(await agent.stop()).toBe(0);
  expect(contents(agent.output)).toMatchObject({ packets: [3], complete: [true], whole: true });
});

it('a pod whose sandbox is replaced goes on under another interface, without having gone', async () => {
  const pod = play('web-1');
  agent = new AgentProcess();
  const request = captureRequest([pod.target]);
  pod.start(pair.left);
  await agent.start(request);
  send(pair, 3);
  await pod.end();
  pod.start(other.left);
  await agent.until(() => started(pod.target.key).length === 2);
  send(other, 5);
  agent.say({ type: 'remove', key: pod.target.key });
  // Nothing else is captured, waited for or followed.
  expect(await agent.finish()).toBe(0);
  expect(agent.event('end')?.reason).toBe('targets-gone');
  expect(gone(pod.target.key)).toHaveLength(1);
  expect(contents(agent.output)).toMatchObject({ packets: [3, 5], complete: [true, true], whole: true });
});

it('a pod that is no longer wanted is not waited for any more', async () => {
  const pod = play('web-1');
  agent = new AgentProcess();
  agent.say(captureRequest([pod.target], { follow: true }));
  await agent.until(() => agent.event('target-waiting') !== undefined);
  agent.say({ type: 'remove', key: pod.target.key });
  await agent.until(() => gone(pod.target.key).length === 1);
  pod.start(pair.left);
  send(pair, 1);
  expect(await agent.stop()).toBe(0);
  expect(started(pod.target.key)).toEqual([]);
  expect(contents(agent.output)).toEqual({ names: [], packets: [], complete: [], whole: true });
});
