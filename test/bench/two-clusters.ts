import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinedKubeconfig, secondCluster } from '../support/second-cluster.ts';
import { ensureAgent, ensureShop, shopPods } from '../support/shop.ts';
import { type Bench, figure } from './support/figure.ts';
import { firstPacketTime } from './support/first-packet-time.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { trickle } from './support/trickle.ts';

const ROUNDS = 24;
const GOAL = 1.3;

/** Milliseconds from the start of ksnoop to its first packet, of a Service in two clusters and of the same Service in one. */
export const twoClusters: Bench = {
  name: 'two-clusters',
  about: 'from the start to the first packet of a Service in two clusters, against one',
  async run() {
    const east = await ensureShop();
    await ensureAgent();
    const directory = mkdtempSync(join(tmpdir(), 'ksnoop-bench-'));
    const second = await secondCluster();
    const ends: (() => Promise<void>)[] = [];
    try {
      const west = second.on;
      // Every captured pod has traffic: the merge would wait for an interface without a packet, and that wait would be the figure.
      for (const on of [east, west]) for (const pod of await shopPods(on, 'web')) ends.push(trickle(on, pod));
      const kubeconfig = joinedKubeconfig(join(directory, 'kubeconfig'), { east, west });
      const captured = (contexts: string) =>
        firstPacketTime(['--context', contexts, '-n', 'shop', 'svc/web'], kubeconfig);
      const { ours, peer } = await sideBySide(
        ROUNDS,
        () => captured('east,west'),
        () => captured('east'),
      );
      return [
        figure({
          name: 'first packet of two clusters',
          unit: 'ms',
          ours: samplesOf(ours),
          peer: samplesOf(peer),
          against: 'ksnoop svc/web in one of them, from its start to its first packet',
          goal: { relation: '<=', ratio: GOAL },
          notes: [],
        }),
      ];
    } finally {
      for (const end of ends) await end();
      await second.end();
      rmSync(directory, { recursive: true });
    }
  },
};
