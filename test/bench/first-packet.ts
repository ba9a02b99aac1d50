import { once } from 'node:events';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, shopPods } from '../support/shop.ts';
import { type Bench, type Figure, figure } from './support/figure.ts';
import { kubectlProcess, succeeds } from './support/kubectl.ts';
import { samplesOf, sideBySide } from './support/measure.ts';

const ROUNDS = 15;
const REQUESTS_A_SECOND = 100;
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
    // Packets every 10 ms, by a program that takes little of the processor: what is measured is neither the wait for
    // traffic nor the load. Killing kubectl leaves what it has started running, so it ends with its stdin.
    const requests = `curl -s --rate ${REQUESTS_A_SECOND}/s -o /dev/null "http://${pod.ip}:8080/ok?[1-1000000]"`;
    const trickle = `${requests} & cat > /dev/null; kill $!`;
    const load = kubectlProcess(on, 'exec', '-i', '-n', 'shop', 'deploy/client', '--', 'sh', '-c', trickle);
    try {
      const figures: Figure[] = [];
      for (const { transport, goal } of WAYS) {
        const { ours, peer } = await sideBySide(
          ROUNDS,
          async () => {
            const started = performance.now();
            const words = ['-n', 'shop', `pod/${pod.name}`, '--transport', transport];
            const ksnoop = new KsnoopProcess(words, on.kubeconfig, 'pipe');
            await new Promise<void>((resolve, reject) => {
              const framer = new BlockFramer(({ type }) => type === BLOCK.enhancedPacket && resolve());
              ksnoop.child.stdout?.on('data', (chunk: Buffer) => framer.push(chunk));
              ksnoop.child.once('close', () => reject(new Error(`no packet: ${ksnoop.stderr}`)));
            });
            const took = performance.now() - started;
            await ksnoop.stop();
            return took;
          },
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
      load.stdin?.end();
      await once(load, 'close');
    }
  },
};
