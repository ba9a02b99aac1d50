import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestCluster } from '../support/cluster.ts';
import { ensureShop, kubectl, shopPods } from '../support/shop.ts';
import { type Bench, figure } from './support/figure.ts';
import { kubectlProcess } from './support/kubectl.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { readAll } from './support/reader.ts';

const ROUNDS = 3;
const BYTES = 1_000_000_000;
const FILE = '/tmp/gigabyte';
const PORT = 5301;

/** In the pod: the file to whoever connects, until stdin ends. */
const SERVER = `
const { createReadStream } = require('node:fs');
const serve = (socket) => createReadStream('${FILE}', { highWaterMark: 262144 }).pipe(socket).on('error', () => {});
require('node:net').createServer(serve).listen(${PORT}, '127.0.0.1', () => console.log('listening'));
process.stdin.on('end', () => process.exit(0)).resume();`;

/** The port-forward alone: one prepared file out of a pod. */
export const portForward: Bench = {
  name: 'port-forward',
  about: 'a prepared file of 1 GB carried out of a pod by port-forward',
  async run() {
    const on = await ensureShop();
    const [pod] = await shopPods(on, 'client');
    if (pod === undefined) throw new Error('the shop has no client');
    const make = `[ "$(stat -c %s ${FILE})" = ${BYTES} ] || head -c ${BYTES} /dev/urandom > ${FILE}`;
    await kubectl(on, 'exec', '-n', 'shop', pod.name, '--', 'sh', '-c', make);
    const server = kubectlProcess(on, 'exec', '-i', '-n', 'shop', pod.name, '--', 'node', '-e', SERVER);
    const forwarder = kubectlProcess(on, 'port-forward', '-n', 'shop', `pod/${pod.name}`, `:${PORT}`);
    try {
      await said(server, /listening/);
      const [, port] = await said(forwarder, /127\.0\.0\.1:(\d+)/);
      const { ours, peer } = await sideBySide(
        ROUNDS,
        () => byKsnoop(on, pod.name),
        () => byKubectl(Number(port)),
      );
      const missing = (runs: typeof ours) => runs.map(({ bytes }) => BYTES - bytes).join(', ');
      return [
        figure({
          name: 'port-forward',
          unit: 'MB/s',
          ours: samplesOf(ours.map(({ rate }) => rate)),
          peer: samplesOf(peer.map(({ rate }) => rate)),
          against: 'kubectl port-forward, first byte to last, read from its port',
          goal: { relation: '>=', ratio: 1 },
          notes: [`bytes that did not come: ksnoop's ${missing(ours)}; kubectl's ${missing(peer)}`],
        }),
      ];
    } finally {
      forwarder.kill();
      server.stdin?.end();
      await once(server, 'close');
      await on.kubectl('exec', '-n', 'shop', pod.name, '--', 'rm', FILE);
    }
  },
};

/** Wait until a program says something on stdout. */
function said(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const match = pattern.exec(text);
      if (match !== null) resolve(match);
    });
    child.once('close', () => reject(new Error(`${child.spawnargs.join(' ')} ended`)));
  });
}

async function byKsnoop(on: TestCluster, pod: string) {
  const program = join(import.meta.dirname, 'support/port-forward-cat.ts');
  const child = spawn(process.execPath, [program, 'shop', pod, String(PORT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, KUBECONFIG: on.kubeconfig },
  });
  const { bytes, seconds } = await readAll(child).done;
  return { bytes, rate: bytes / 1e6 / seconds };
}

async function byKubectl(port: number) {
  const socket = connect(port, '127.0.0.1');
  let [bytes, began] = [0, 0];
  socket.on('data', (chunk: Buffer) => {
    began ||= performance.now();
    bytes += chunk.length;
  });
  await once(socket, 'close');
  return { bytes, rate: bytes / 1e3 / (performance.now() - began) };
}
