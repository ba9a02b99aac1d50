import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { watchMemory } from '../support/memory.ts';
import { ensureAgent, ensureShop } from '../support/shop.ts';
import { type Bench, type Figure, figure } from './support/figure.ts';
import { fetchFrom, type Herd, makeHerd } from './support/herd.ts';
import { kubectlProcess, succeeds } from './support/kubectl.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { readAll } from './support/reader.ts';

const PODS = 50;
const ROUNDS = 5;
const BYTES_A_POD = 10_000_000;
const BURSTS = 5;
const BURST_BYTES_A_POD = 200_000;
const QUIET_MS = 3_000;
const WAYS = [
  { transport: 'exec', goal: 2 },
  { transport: 'port-forward', goal: 2 },
];

/** Fifty pods on two nodes in one stream. */
export const fiftyPods: Bench = {
  name: 'fifty-pods',
  about: '50 pods: from the start until every one is captured; throughput against one pod; losses and memory',
  async run() {
    const on = await ensureShop();
    await ensureAgent();
    const herd = await makeHerd(on, PODS);
    try {
      return [...(await starts(on, herd)), await throughput(on, herd)];
    } finally {
      await herd.remove();
    }
  },
};

async function starts(on: TestCluster, { namespace }: Herd): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { transport, goal } of WAYS) {
    const { ours, peer } = await sideBySide(
      ROUNDS,
      async () => {
        const started = performance.now();
        const words = ['-n', namespace, 'deploy/herd', '--transport', transport];
        const ksnoop = new KsnoopProcess(words, on.kubeconfig, 'pipe');
        ksnoop.child.stdout?.resume();
        await ksnoop.capturing(PODS);
        const took = performance.now() - started;
        await ksnoop.stop();
        return took;
      },
      async () => {
        const started = performance.now();
        await succeeds(kubectlProcess(on, 'exec', '-n', namespace, 'deploy/herd', '--', 'busybox', 'true'));
        return performance.now() - started;
      },
    );
    figures.push(
      figure({
        name: `50 pods captured over ${transport}`,
        unit: 'ms',
        ours: samplesOf(ours),
        peer: samplesOf(peer),
        against: 'kubectl exec deploy/herd -- busybox true, from its start to its end',
        goal: { relation: '<=', ratio: goal },
        notes: [],
      }),
    );
  }
  return figures;
}

interface Carried {
  readonly rate: number;
  readonly words: string;
}

async function throughput(on: TestCluster, { namespace, addresses }: Herd): Promise<Figure> {
  const [first = ''] = addresses;
  const carry = async (hosts: readonly string[]): Promise<Carried> => {
    const ksnoop = new KsnoopProcess(['-n', namespace, 'deploy/herd'], on.kubeconfig, 'pipe');
    const reading = readAll(ksnoop.child);
    const memory = watchMemory([ksnoop.child.pid ?? 0]);
    await ksnoop.capturing(PODS);
    reading.begin();
    await fetchFrom(on, hosts, BYTES_A_POD, false);
    for (let before = -1; before !== reading.now().bytes; ) {
      before = reading.now().bytes;
      await sleep(QUIET_MS);
    }
    const { bytes, seconds } = reading.now();
    const { stderr } = await ksnoop.stop();
    const [most = 0] = memory();
    return { rate: bytes / 1e6 / seconds, words: `${lossesOf(stderr)}, RSS ${(most / 1e6).toFixed(0)} MB` };
  };
  const { ours, peer } = await sideBySide(
    ROUNDS,
    () => carry(addresses),
    () => carry(addresses.map(() => first)),
  );
  return figure({
    name: '50 pods, throughput',
    unit: 'MB/s',
    ours: samplesOf(ours.map(({ rate }) => rate)),
    peer: samplesOf(peer.map(({ rate }) => rate)),
    against: 'the same capture when all of as many transfers are one pod’s',
    goal: { relation: '>=', ratio: 0.9 },
    notes: [
      `50 pods: ${ours.map(({ words }) => words).join('; ')}`,
      `one pod: ${peer.map(({ words }) => words).join('; ')}`,
      `below saturation, ${BURSTS} bursts of ${PODS} transfers of ${BURST_BYTES_A_POD} bytes at once: ${await bursts(on, namespace, addresses)}`,
    ],
  });
}

async function bursts(on: TestCluster, namespace: string, addresses: readonly string[]): Promise<string> {
  const ksnoop = new KsnoopProcess(['-n', namespace, 'deploy/herd'], on.kubeconfig, 'pipe');
  ksnoop.child.stdout?.resume();
  await ksnoop.capturing(PODS);
  for (let burst = 0; burst < BURSTS; burst += 1) {
    await fetchFrom(on, addresses, BURST_BYTES_A_POD, true);
    await sleep(500);
  }
  const { stderr } = await ksnoop.stop();
  return lossesOf(stderr);
}

/** What the closing summary says of losses. */
function lossesOf(stderr: string): string {
  return /[\d,]+ packets captured.*dropped by ksnoop/.exec(stderr)?.[0] ?? stderr;
}
