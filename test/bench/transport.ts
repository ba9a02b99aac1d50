import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestCluster } from '../support/cluster.ts';
import { ensureShop, kubectl, shopPods } from '../support/shop.ts';
import { type Bench, figure } from './support/figure.ts';
import { kubectlProcess } from './support/kubectl.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { processorSeconds } from './support/processor.ts';
import { readAll } from './support/reader.ts';

const ROUNDS = 3;
const BYTES = 1_000_000_000;
const FILE = '/tmp/gigabyte';

/** The exec transport alone: one prepared file out of a pod. */
export const transport: Bench = {
  name: 'transport',
  about: 'a prepared file of 1 GB carried out of a pod by exec',
  async run() {
    const on = await ensureShop();
    const [pod] = await shopPods(on, 'client');
    if (pod === undefined) throw new Error('the shop has no client');
    const make = `[ "$(stat -c %s ${FILE})" = ${BYTES} ] || head -c ${BYTES} /dev/urandom > ${FILE}`;
    await kubectl(on, 'exec', '-n', 'shop', pod.name, '--', 'sh', '-c', make);
    const { ours, peer } = await sideBySide(
      ROUNDS,
      () => carry(execCat(on, pod.name)),
      () => carry(kubectlProcess(on, 'exec', '-n', 'shop', pod.name, '--', 'cat', FILE)),
    ).finally(() => on.kubectl('exec', '-n', 'shop', pod.name, '--', 'rm', FILE));
    const seconds = (runs: typeof ours) => runs.map((run) => run.processor.toFixed(1)).join(', ');
    const missing = (runs: typeof ours) => runs.map((run) => run.missing).join(', ');
    return [
      figure({
        name: 'transport',
        unit: 'MB/s',
        ours: samplesOf(ours.map(({ rate }) => rate)),
        peer: samplesOf(peer.map(({ rate }) => rate)),
        against: 'kubectl exec POD -- cat FILE, first byte to last, same reader',
        goal: { relation: '>=', ratio: 1 },
        notes: [
          // exec can drop the tail of a program that has ended (kubernetes #124571).
          `bytes that did not come: ksnoop's ${missing(ours)}; kubectl's ${missing(peer)}`,
          `processor seconds of the client after its first byte: ksnoop's ${seconds(ours)}; kubectl's ${seconds(peer)}`,
        ],
      }),
    ];
  },
};

function execCat(on: TestCluster, pod: string): ChildProcess {
  const program = join(import.meta.dirname, 'support/exec-cat.ts');
  return spawn(process.execPath, [program, 'shop', pod, 'client', 'cat', FILE], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, KUBECONFIG: on.kubeconfig },
  });
}

async function carry(child: ChildProcess): Promise<{ rate: number; processor: number; missing: number }> {
  const reading = readAll(child);
  const used = () => processorSeconds(child.pid ?? 0);
  let [start, end] = [0, 0];
  // Ours is started from source here, which takes a second that no user waits.
  child.stdout?.once('data', () => {
    start = used();
  });
  const watch = setInterval(() => {
    end = Math.max(end, used());
  }, 50);
  const { bytes, seconds } = await reading.done;
  clearInterval(watch);
  if (child.exitCode !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
  return { rate: bytes / 1e6 / seconds, processor: end - start, missing: BYTES - bytes };
}
