import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { AGENT_NAMESPACE, AGENT_SELECTOR } from '../../src/capture/agent-objects.ts';
import { AgentAccess } from '../../src/capture/agents/open-agent.ts';
import { loadKube } from '../../src/capture/kube/config.ts';
import { podView } from '../../src/capture/kube/pod.ts';
import type { TransportEnd } from '../../src/capture/streams/transport.ts';
import { isObject, objectAt, objectsAt, parseJson } from '../../src/wire/guard.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { captureRequest } from '../agent/agent-process.ts';
import { HostedSession } from '../agent/hosted-agent.ts';
import type { TestCluster } from './cluster.ts';
import { HANG_MS } from './hang.ts';
import { leftOf } from './marked-processes.ts';
import { kubectl, type ShopPod, shopPods } from './shop.ts';

const TRANSFER_BYTES = 20e6;
const TRANSFERS = 3;
const TRANSFER_FILTER = 'tcp port 5300';
const IDLE_FILTER = 'tcp port 1';
/** Programs that the node starts at once for sessions over exec: many more take longer than a handshake may. */
const STARTED_AT_ONCE = 8;
/** Refusals of a node that has no room for another capture. */
const NO_ROOM = ['NO_MEMORY', 'TOO_MANY_SESSIONS'];

/** How many sessions of one agent there are at once, all of one pod. */
export interface SessionMix {
  /** Their filter takes every packet of the transfers, and they read. */
  readonly busy: number;
  /** The same, and they do not read until the end. */
  readonly stalled: number;
  /** Nothing passes their filter. */
  readonly idle: number;
  /** Idle ones in processes of their own. */
  readonly exec: number;
  /** How long transfers go on, milliseconds; a few in any case. */
  readonly lastsMs: number;
}

async function objects(on: TestCluster, ...words: string[]) {
  const list = parseJson(await kubectl(on, 'get', ...words, '-o', 'json'), 'list');
  return isObject(list) ? objectsAt(list, 'items') : [];
}

/** How often containers of the node's agent were restarted, and which pod it is: a kill would change one of them. */
async function agentState(on: TestCluster, node: string): Promise<string> {
  const pods = await objects(
    on,
    ...['pods', '-n', AGENT_NAMESPACE, '-l', AGENT_SELECTOR, `--field-selector=spec.nodeName=${node}`],
  );
  return JSON.stringify(
    pods.map((pod) => [
      objectAt(pod, 'metadata').uid,
      objectsAt(objectAt(pod, 'status'), 'containerStatuses').map((status) => status.restartCount),
    ]),
  );
}

interface Opened {
  readonly session: HostedSession;
  readonly id: string;
  /** What was read of its stream: packets, whether the end marker came, and bytes behind the last whole block. */
  readonly read: { packets: number; isComplete: boolean; pending: number };
  /** Why it was refused; undefined where it captures. */
  readonly refusal: string | undefined;
}

/**
 * Stop a session and read it to its end, however long that takes while there is something to read: what stalled sessions hold
 * is hundreds of megabytes.
 * @throws Error when nothing comes for HANG_MS, with what had come
 */
async function stopped({ session, read, id }: Opened) {
  session.say({ type: 'stop' });
  let lost: TransportEnd | undefined;
  void session.transport?.ended.then((end) => {
    lost = end;
  });
  for (let packets = -1, since = Date.now(); !session.has('end') && lost === undefined; await sleep(100)) {
    if (read.packets !== packets) since = Date.now();
    packets = read.packets;
    if (Date.now() - since < HANG_MS) continue;
    const last = session.events.slice(-3).map(({ type }) => type);
    throw new Error(`session ${id}: no end and no packet for ${HANG_MS} ms; ${packets} packets, last events ${last}`);
  }
  session.say({ type: 'acknowledge' });
  return session.transport?.ended;
}

const inPod = (on: TestCluster, pod: ShopPod, ...argv: string[]) =>
  kubectl(on, 'exec', '-n', 'shop', pod.name, '--', ...argv);

/**
 * Open the sessions, transfer through the pod, end them all. Checks that no container of the agent was killed, that each session was
 * refused for want of room or is whole and counts what it lost, and that no process is left.
 */
export async function manySessions(on: TestCluster, mix: SessionMix): Promise<void> {
  const [server, client] = await shopPods(on, 'client');
  if (server === undefined || client === undefined) throw new Error('the shop has no two clients');
  const [object] = await objects(on, 'pods', '-n', 'shop', `--field-selector=metadata.name=${server.name}`);
  const { uid, containers } = podView(object ?? {});
  const kube = await loadKube({ kubeconfig: on.kubeconfig });
  const over = (transport: 'port-forward' | 'exec') =>
    new AgentAccess(kube, { transport, resumeWindowMs: 60_000, compress: 'off' }, new AbortController().signal);
  const access = { 'port-forward': over('port-forward'), exec: over('exec') };
  const before = await agentState(on, server.node);
  const heartbeats: NodeJS.Timeout[] = [];

  const begin = async (
    filter: string,
    pause: boolean,
    transport: keyof typeof access = 'port-forward',
  ): Promise<Opened> => {
    const read = { packets: 0, isComplete: false, pending: 0 };
    const framer = new BlockFramer(({ type }) => {
      if (type === BLOCK.enhancedPacket) read.packets += 1;
      read.isComplete = type === BLOCK.ksnoopEnd;
    });
    const session = new HostedSession((chunk) => {
      framer.push(chunk);
      read.pending = framer.pending;
    });
    const target = {
      key: 't',
      kind: 'pod',
      namespace: 'shop',
      pod: server.name,
      uid,
      hostNetwork: false,
      containers: containers.map(({ id, name }) => ({ id: id ?? '', name })),
    } as const;
    const request = captureRequest([target], { filter });
    try {
      session.transport = await access[transport].on(server.node)(session, new AbortController().signal);
    } catch (thrown) {
      return { session, read, id: request.session, refusal: isObject(thrown) ? String(thrown.code) : String(thrown) };
    }
    session.say(request);
    heartbeats.push(setInterval(() => session.say({ type: 'heartbeat' }), 2_000));
    let lost: TransportEnd | undefined;
    void session.transport.ended.then((end) => {
      lost = end;
    });
    const settled = () => session.has('started') || session.has('failed') || session.has('target-failed');
    await vi.waitUntil(() => settled() || lost !== undefined, { timeout: HANG_MS, interval: 50 });
    if (!settled()) throw new Error(`session ${request.session} ended before it captured: ${JSON.stringify(lost)}`);
    const failed = session.events.find((event) => event.type === 'failed');
    if (pause && failed === undefined) session.transport.pause();
    return { session, read, id: request.session, refusal: failed?.type === 'failed' ? failed.code : undefined };
  };

  try {
    // Busy ones first, so that they are not those for which there is no room.
    const several = (count: number, open: () => Promise<Opened>) => Promise.all(Array.from({ length: count }, open));
    const busy = await several(mix.busy, () => begin(TRANSFER_FILTER, false));
    const stalled = await several(mix.stalled, () => begin(TRANSFER_FILTER, true));
    const exec: Opened[] = [];
    while (exec.length < mix.exec) {
      const count = Math.min(STARTED_AT_ONCE, mix.exec - exec.length);
      exec.push(...(await several(count, () => begin(IDLE_FILTER, false, 'exec'))));
    }
    const idle = await several(mix.idle, () => begin(IDLE_FILTER, false));
    const all = [...busy, ...stalled, ...exec, ...idle];
    const refused = all.filter(({ refusal }) => refusal !== undefined);
    for (const { refusal } of refused) expect(NO_ROOM).toContain(refusal);
    expect(busy.concat(stalled).every(({ refusal }) => refusal === undefined)).toBe(true);
    console.error(`${all.length - refused.length} capture, ${refused.length} were refused`);
    const end = Date.now() + mix.lastsMs;
    for (let round = 0; round < TRANSFERS || Date.now() < end; round += 1) {
      await inPod(on, client, 'transfer', 'fetch', server.ip, '5300', String(TRANSFER_BYTES));
    }
    for (const { session } of stalled) session.transport?.resume();
    const running = all.filter(({ refusal }) => refusal === undefined);
    const ends = await Promise.all(running.map(stopped));
    for (const end of ends) expect(end).toEqual({ kind: 'exited', code: 0 });
    let kernel = 0;
    let ksnoop = 0;
    for (const { session, read } of running) {
      expect(read).toMatchObject({ isComplete: true, pending: 0 });
      const counters = session.events.flatMap((event) => (event.type === 'counters' ? [event.counters] : [])).at(-1);
      expect(counters?.captured).toBe(read.packets);
      kernel += counters?.droppedByKernel ?? 0;
      ksnoop += counters?.droppedByKsnoop ?? 0;
    }
    console.error(`dropped by kernel ${kernel}, by ksnoop ${ksnoop}`);
    expect(await leftOf(all.map(({ id }) => id))).toEqual([]);
    expect(await agentState(on, server.node)).toBe(before);
  } finally {
    for (const timer of heartbeats) clearInterval(timer);
  }
}
