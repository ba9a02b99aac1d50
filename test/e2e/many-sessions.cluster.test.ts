// Many sessions of one agent at once, most of them idle, some whose client does not read: under the memory limit of its container.
import { beforeAll, expect, test, vi } from 'vitest';
import { AGENT_NAMESPACE, AGENT_SELECTOR } from '../../src/capture/agent-objects.ts';
import { AgentAccess } from '../../src/capture/agents/open-agent.ts';
import { loadKube } from '../../src/capture/kube/config.ts';
import { podView } from '../../src/capture/kube/pod.ts';
import { isObject, objectAt, objectsAt, parseJson } from '../../src/wire/guard.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { captureRequest } from '../agent/agent-process.ts';
import { HostedSession } from '../agent/hosted-agent.ts';
import type { TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { leftOf } from '../support/marked-processes.ts';
import { ensureAgent, ensureShop, kubectl, type ShopPod, shopPods } from '../support/shop.ts';

const IDLE = 100;
const STALLED = 20;
const BUSY = 10;
const TRANSFER_BYTES = 20e6;
/** Refusals of a node that has no room for another capture. */
const NO_ROOM = ['NO_MEMORY', 'TOO_MANY_SESSIONS'];

let on: TestCluster;
beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});

async function objects(...words: string[]) {
  const list = parseJson(await kubectl(on, 'get', ...words, '-o', 'json'), 'list');
  return isObject(list) ? objectsAt(list, 'items') : [];
}

/** How often containers of the node's agent were restarted, and which pod it is: a kill would change one of them. */
async function agentState(node: string): Promise<string> {
  const pods = await objects(
    'pods',
    '-n',
    AGENT_NAMESPACE,
    '-l',
    AGENT_SELECTOR,
    `--field-selector=spec.nodeName=${node}`,
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

const inPod = (pod: ShopPod, ...argv: string[]) => kubectl(on, 'exec', '-n', 'shop', pod.name, '--', ...argv);

test(`${IDLE} idle, ${STALLED} stalled and ${BUSY} busy sessions: nothing is killed, and each is whole or says what it lost`, async () => {
  const [server, client] = await shopPods(on, 'client');
  if (server === undefined || client === undefined) throw new Error('the shop has no two clients');
  const [object] = await objects('pods', '-n', 'shop', `--field-selector=metadata.name=${server.name}`);
  const { uid, containers } = podView(object ?? {});
  const kube = await loadKube({ kubeconfig: on.kubeconfig });
  const access = new AgentAccess(
    kube,
    { transport: 'port-forward', resumeWindowMs: 60_000, compress: 'off' },
    new AbortController().signal,
  );
  const before = await agentState(server.node);
  const heartbeats: NodeJS.Timeout[] = [];

  const begin = async (filter: string, pause: boolean): Promise<Opened> => {
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
      session.transport = await access.on(server.node)(session, new AbortController().signal);
    } catch (thrown) {
      return { session, read, id: request.session, refusal: isObject(thrown) ? String(thrown.code) : String(thrown) };
    }
    session.say(request);
    heartbeats.push(setInterval(() => session.say({ type: 'heartbeat' }), 2_000));
    const settled = () => session.has('started') || session.has('failed') || session.has('target-failed');
    await vi.waitUntil(settled, { timeout: HANG_MS, interval: 50 });
    const failed = session.events.find((event) => event.type === 'failed');
    if (pause && failed === undefined) session.transport.pause();
    return { session, read, id: request.session, refusal: failed?.type === 'failed' ? failed.code : undefined };
  };

  try {
    // Busy ones first, so that they are not those for which there is no room.
    const busy = await Promise.all(Array.from({ length: BUSY }, () => begin('tcp port 5300', false)));
    const stalled = await Promise.all(Array.from({ length: STALLED }, () => begin('tcp port 5300', true)));
    const idle = await Promise.all(Array.from({ length: IDLE }, () => begin('tcp port 1', false)));
    const all = [...busy, ...stalled, ...idle];
    const refused = all.filter(({ refusal }) => refusal !== undefined);
    for (const { refusal } of refused) expect(NO_ROOM).toContain(refusal);
    expect(busy.concat(stalled).every(({ refusal }) => refusal === undefined)).toBe(true);
    console.error(`${all.length - refused.length} capture, ${refused.length} were refused`);
    for (let round = 0; round < 3; round += 1) {
      await inPod(client, 'transfer', 'fetch', server.ip, '5300', String(TRANSFER_BYTES));
    }
    for (const { session } of stalled) session.transport?.resume();
    const running = all.filter(({ refusal }) => refusal === undefined);
    const ends = await Promise.all(running.map(({ session }) => session.stop()));
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
    expect(await agentState(server.node)).toBe(before);
  } finally {
    for (const timer of heartbeats) clearInterval(timer);
  }
});
