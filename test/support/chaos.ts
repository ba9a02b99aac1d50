/**
 * Faults at random moments while ksnoop captures: agents' pods are deleted, the API server and kubelets are killed, networks are
 * cut. A tcpdump beside each captured pod knows what passed, so every packet can be accounted for.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { leftInAgents } from './agent-leftovers.ts';
import { behindProxy } from './behind-proxy.ts';
import type { TestCluster } from './cluster.ts';
import type { CuttingProxy } from './cutting-proxy.ts';
import { GroundTruth, packetsIn, type SeenPacket } from './ground-truth.ts';
import { HANG_MS } from './hang.ts';
import { KsnoopProcess } from './ksnoop-process.ts';
import { leftOf, sessionsIn } from './marked-processes.ts';
import { Random } from './random.ts';
import { settled } from './settled.ts';
import { kubectl, requests, type ShopPod, shopPods } from './shop.ts';
import { gapsIn, type StatedGap } from './stated-gaps.ts';

const PORT = 8080;
const TRANSPORTS = ['auto', 'exec'] as const;
/** Pause between two faults, and how long one lasts, at most. */
const PAUSE_MS = 5_000;
const LASTS_MS = 8_000;
/** The kernel stamps a packet for each of two readers; their times differ by less, seconds. */
const SAME_SECONDS = 0.01;
/** A gap is stated by this machine's clock, and packets are stamped by what the client takes for the node's: seconds. */
const CLOCK_SECONDS = 2;
/** A quiet pod's requests are in no hurry: the load may not be what breaks. */
const LOAD = 'requests --n 20 --url http://web/ --paths ok --concurrency 2';

/** Requests that every capture must have at its end. */
const LAST_REQUESTS = 100;

/** An annotation whose value changes. */
const LOOKED_AT = 'ksnoop.dev/test-looked-at';

interface Ground {
  readonly on: TestCluster;
  readonly random: Random;
  readonly proxy: CuttingProxy;
  readonly nodes: readonly string[];
}

type Fault = (ground: Ground, node: string, lastsMs: number) => Promise<unknown>;

const FAULTS: Readonly<Record<string, Fault>> = {
  'agent deleted': ({ on }, node) =>
    kubectl(on, 'delete', 'pod', '-n', 'ksnoop', '--field-selector', `spec.nodeName=${node}`, '--wait=false'),
  'API server restarted': ({ on }) => on.restartApiServer(),
  'kubelet stopped': ({ on }, node, lastsMs) => on.restartPart(node, 'kubelet', lastsMs),
  'node cut off': ({ on }, node, lastsMs) => on.cutOff(node, lastsMs),
  'client cut off': async ({ proxy }, _, lastsMs) => {
    proxy.open = false;
    proxy.cut();
    await sleep(lastsMs);
    proxy.open = true;
  },
  'client’s network silent': async ({ proxy }, _, lastsMs) => {
    proxy.open = false;
    proxy.freeze();
    await sleep(lastsMs);
    proxy.open = true;
  },
};

interface Capture {
  readonly file: string;
  readonly ksnoop: KsnoopProcess;
}

/**
 * Captures of two pods on two nodes, one over each transport, with faults for so long; then everything is checked: each file is
 * whole, tshark counts in it what the summary says, every packet is in it once or in a gap that is stated, nothing is left.
 * @param on our own cluster, with shop and agents
 * @param directory empty, for this alone
 */
export async function chaos(on: TestCluster, directory: string, seed: number, lastsMs: number): Promise<void> {
  const pods = await shopPods(on, 'web');
  const nodes = pods.map(({ node }) => node);
  const run = `chaos${seed}`;
  const { kubeconfig, proxy, close } = await behindProxy(on);
  const truths: GroundTruth[] = [];
  const captures: Capture[] = [];
  const truthOf = (pod: ShopPod) => join(directory, `${pod.name}.pcap`);
  try {
    await settled(on);
    for (const pod of pods) truths.push(await GroundTruth.begin(on, pod, PORT, truthOf(pod)));
    for (const transport of TRANSPORTS) {
      const file = join(directory, `${transport}.pcapng`);
      const targets = pods.map((pod) => `pod/${pod.name}`);
      const ksnoop = new KsnoopProcess(
        ['-v', '-n', 'shop', ...targets, '--transport', transport, '-w', file],
        kubeconfig,
      );
      captures.push({ file, ksnoop });
      await ksnoop.capturing(pods.length);
    }
    const load = await beginLoad(on, run);
    await breakThings({ on, random: new Random(seed), proxy, nodes }, seed, lastsMs);
    await settled(on);
    for (const { ksnoop } of captures) await ksnoop.recovers(0);
    await load();
    const last = await requestsAnswered(on, `${run}last`);
    const until = Date.now() / 1000;
    for (const { ksnoop, file } of captures) await ends(ksnoop, file, last);
    for (const truth of truths) await truth.end();
    for (const capture of captures) await accounted(capture, pods, truthOf, until);
    expect(await leftOf(captures.flatMap(({ ksnoop }) => sessionsIn(ksnoop.stderr)))).toEqual([]);
    expect(await leftInAgents()).toEqual([]);
    const files = [...captures.map(({ file }) => file), ...pods.map(truthOf)];
    expect(
      readdirSync(directory)
        .map((name) => join(directory, name))
        .sort(),
    ).toEqual(files.sort());
  } finally {
    for (const { ksnoop } of captures) ksnoop.child.kill('SIGKILL');
    for (const truth of truths) await truth.end();
    close();
  }
}

async function breakThings(ground: Ground, seed: number, lastsMs: number): Promise<void> {
  const { random, nodes } = ground;
  const names = Object.keys(FAULTS);
  const end = Date.now() + lastsMs;
  // Each kind once in a random order, then any of them: a short run has them all too.
  const first = [...names];
  while (first.length > 0 || Date.now() < end) {
    const [name = ''] =
      first.length > 0 ? first.splice(random.below(first.length), 1) : [names[random.below(names.length)]];
    const node = nodes[random.below(nodes.length)] ?? '';
    const [wait, lasts] = [random.below(PAUSE_MS), random.below(LASTS_MS)];
    await sleep(wait);
    console.error(`${new Date().toISOString()} chaos ${seed}: ${name}, ${node}, ${lasts} ms`);
    await FAULTS[name]?.(ground, node, lasts);
  }
}

/** Requests from one of the shop's clients, which needs nobody for them. @returns a function that ends them */
async function beginLoad(on: TestCluster, run: string): Promise<() => Promise<void>> {
  // By name: of a Deployment kubectl takes another pod when a node is not ready.
  const [client] = await shopPods(on, 'client');
  if (client === undefined) throw new Error('the shop has no client');
  const inClient = (script: string) => on.kubectl('exec', '-n', 'shop', client.name, '--', 'sh', '-c', script);
  const [goOn, over] = [`/tmp/${run}`, `/tmp/${run}.over`];
  const loop = `touch ${goOn}; while [ -e ${goOn} ]; do ${LOAD} --run ${run}; sleep 0.1; done; touch ${over}`;
  const { code, stderr } = await inClient(`(${loop}) > /dev/null 2>&1 &`);
  expect(code, stderr).toBe(0);
  return async () => {
    const deadline = Date.now() + HANG_MS;
    // The node's kubelet may have been restarted a moment ago.
    while ((await inClient(`rm -f ${goOn}; test -e ${over}`)).code !== 0) {
      if (Date.now() > deadline) throw new Error('the load does not end');
      await sleep(200);
    }
    await inClient(`rm -f ${over}`);
  };
}

/**
 * Makes requests until LAST_REQUESTS of one run are all answered: CoreDNS and the proxies may still be behind. Where the API server was
 * restarted and nodes were not ready, Kubernetes' endpointslice controller may find its cache too old, and tries again after 1, 2, 4, … up
 * to 1,000 s: a Service that is changed is looked at at once.
 * @returns the name of that run
 */
async function requestsAnswered(on: TestCluster, run: string): Promise<string> {
  let tries = 0;
  return await vi.waitFor(
    async () => {
      tries += 1;
      if (tries > 1) {
        for (const namespace of ['shop', 'kube-system']) {
          await kubectl(
            on,
            'annotate',
            'services',
            '--all',
            '-n',
            namespace,
            '--overwrite',
            `${LOOKED_AT}=${run}${tries}`,
          );
        }
      }
      const name = `${run}${tries}.`;
      expect((await requests(on, { n: LAST_REQUESTS, run: name, paths: 'ok' })).answered).toBe(LAST_REQUESTS);
      return name;
    },
    { timeout: 2 * HANG_MS, interval: 1_000 },
  );
}

async function ends(ksnoop: KsnoopProcess, file: string, run: string): Promise<void> {
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(gapsIn(stderr).length > 0 ? 4 : 0);
  let last = 0;
  const framer = new BlockFramer(({ type }) => {
    last = type;
  });
  expect(existsSync(file), stderr).toBe(true);
  const bytes = readFileSync(file);
  framer.push(bytes);
  expect([framer.pending, last]).toEqual([0, BLOCK.ksnoopEnd]);
  // A request comes in at one web pod.
  expect(bytes.toString('latin1').split(`run=${run}`).length - 1, stderr).toBeGreaterThanOrEqual(LAST_REQUESTS);
}

/** Holds what a capture wrote against what passed. */
async function accounted(
  { file, ksnoop: { stderr } }: Capture,
  pods: readonly ShopPod[],
  truthOf: (pod: ShopPod) => string,
  until: number,
): Promise<void> {
  const { packets, total } = await packetsIn(file, PORT);
  const numbers = (pattern: RegExp) => Number((pattern.exec(stderr)?.[1] ?? '').replaceAll(',', ''));
  expect(total).toBe(numbers(/([\d,]+) packets? captured/));
  const dropped = numbers(/([\d,]+) dropped by kernel/) + numbers(/([\d,]+) dropped by ksnoop/);
  const lasted = gapsIn(stderr).map(({ node, from, until: to }) => `${node} ${(to - from).toFixed(1)} s`);
  console.error(`${file}: gaps ${lasted.join(', ') || 'none'}; dropped ${dropped}`);
  let unstated = 0;
  for (const pod of pods) {
    const own = packets.filter(({ interfaceName }) => interfaceName === `shop/${pod.name}/any`);
    const truth = (await packetsIn(truthOf(pod), PORT)).packets;
    const gaps = gapsIn(stderr).filter(({ node }) => node === pod.node);
    const [first] = own;
    if (first === undefined) throw new Error(`nothing of ${pod.name} in ${file}: ${stderr}`);
    const { missing, twice } = compare(truth, own);
    expect(twice).toEqual([]);
    const wanted = missing.filter(({ time }) => time > first.time + SAME_SECONDS && time < until);
    const lost = wanted.filter((packet) => !isBetween(packet, own, gaps));
    console.error(
      `${file}: ${pod.name}: ${own.length} of ${truth.length}, ${wanted.length} in ${gaps.length} gaps, ${lost.length} unstated`,
    );
    unstated += lost.length;
    if (lost.length > dropped) expect(lost.slice(0, 5), `${stderr}\n${spans(own)}`).toEqual([]);
  }
  expect(unstated, stderr).toBeLessThanOrEqual(dropped);
}

/** Packets that passed and are not in the file; and keys that are there more often than they passed. */
function compare(truth: readonly SeenPacket[], own: readonly SeenPacket[]) {
  const times = new Map<string, number[]>();
  for (const { key, time } of truth) {
    const known = times.get(key);
    if (known === undefined) times.set(key, [time]);
    else known.push(time);
  }
  const twice: string[] = [];
  for (const { key, time } of own) {
    const known = times.get(key);
    // What passed before the other tcpdump had begun, or after it had ended.
    if (known === undefined) continue;
    if (known.length === 0) {
      twice.push(key);
      continue;
    }
    const nearest = known.reduce((best, at) => (Math.abs(at - time) < Math.abs(best - time) ? at : best));
    known.splice(known.indexOf(nearest), 1);
  }
  const missing = [...times].flatMap(([key, left]) => left.map((time) => ({ key, time })));
  return { missing, twice };
}

/** Whether a missing packet is between two interfaces of the pod (or behind the last), and a gap of its node is stated there. */
function isBetween(
  { time }: { readonly time: number },
  own: readonly SeenPacket[],
  gaps: readonly StatedGap[],
): boolean {
  const isStated = gaps.some(({ from, until }) => time > from - CLOCK_SECONDS && time < until + CLOCK_SECONDS);
  return isStated && !spansOf(own).some(([from, to]) => time > from + SAME_SECONDS && time < to - SAME_SECONDS);
}

/** From the first packet of each interface to its last one. */
function spansOf(own: readonly SeenPacket[]): (readonly [number, number])[] {
  const spans = new Map<number, [number, number]>();
  for (const { interfaceId, time } of own) {
    const span = spans.get(interfaceId);
    if (span === undefined) spans.set(interfaceId, [time, time]);
    else span[1] = Math.max(span[1], time);
  }
  return [...spans.values()];
}

const spans = (own: readonly SeenPacket[]) => JSON.stringify(spansOf(own));
