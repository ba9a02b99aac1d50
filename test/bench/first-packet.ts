import { ensureAgent, ensureShop, shopPods } from '../support/shop.ts';
import { type Bench, type Figure, figure } from './support/figure.ts';
import { firstPacketTime } from './support/first-packet-time.ts';
import { kubectlProcess, succeeds } from './support/kubectl.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { trickle } from './support/trickle.ts';

const ROUNDS = 15;
const WAYS = [
  { transport: 'exec', goal: 1.5 },
  { transport: 'port-forward', goal: 1.2 },
];

/** Milliseconds from the start of ksnoop to its first packet on a pipe; a trickle of requests runs meanwhile. */
export const firstPacket: Bench = {
  name: 'first-packet',
  about: 'from the start to the first packet of a pod with light traffic',
  async run() {
    const on = await ensureShop();
    await ensureAgent();
    const [pod] = await shopPods(on, 'web');
    if (pod === undefined) throw new Error('the shop has no web');
    const endTraffic = trickle(on, pod);
    try {
      const figures: Figure[] = [];
      for (const { transport, goal } of WAYS) {
        const { ours, peer } = await sideBySide(
          ROUNDS,
          () => firstPacketTime(['-n', 'shop', `pod/${pod.name}`, '--transport', transport], on.kubeconfig),
          async () => {
            const started = performance.now();
            await succeeds(kubectlProcess(on, 'exec', '-n', 'shop', pod.name, '--', 'busybox', 'true'));
            return performance.now() - started;
          },
        );
        figures.push(
          figure({
            name: `first packet over ${transport}`,
            unit: 'ms',
            ours: samplesOf(ours),
            peer: samplesOf(peer),
            against: 'kubectl exec POD -- busybox true, from its start to its end',
            goal: { relation: '<=', ratio: goal },
            notes: [],
          }),
        );
      }
      return figures;
    } finally {
      await endTraffic();
    }
  },
};
