import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, objectAt, objectsAt, parseJson } from '../../src/wire/guard.ts';
import { enhancedPacketBytes } from '../../src/wire/pcapng-write.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, kubectl, type ShopPod, shopPods } from '../support/shop.ts';
import { type Bench, figure } from './support/figure.ts';
import { kubectlProcess } from './support/kubectl.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { readAll } from './support/reader.ts';

const ROUNDS = 5;
const BYTES = 1_000_000_000;
/** An output that is quiet for so long has nothing left. */
const QUIET_MS = 3_000;

/** What a packet takes in the stream beside its bytes: a block of pcapng (Ethernet tells no direction), a record of pcap. */
const BLOCK_BYTES = enhancedPacketBytes(0, false);
const RECORD_BYTES = 16;

/** Of the packets' own bytes, whatever the form they came in. */
interface Run {
  readonly rate: number;
  readonly megabytes: number;
  readonly losses: string;
}

/** A transfer through a captured pod, all the way to the reader. */
export const endToEnd: Bench = {
  name: 'end-to-end',
  about: 'a transfer of 1 GB through a captured pod, from its eth0 to a reader here',
  async run() {
    const on = await ensureShop();
    await ensureAgent();
    const [server, client] = await shopPods(on, 'client');
    if (server === undefined || client === undefined) throw new Error('the shop has no two clients');
    const transfer = () =>
      kubectl(on, 'exec', '-n', 'shop', client.name, '--', 'transfer', 'fetch', server.ip, '5300', String(BYTES));
    const { ours, peer } = await sideBySide(
      ROUNDS,
      () => byKsnoop(on, server, transfer),
      () => byTcpdump(on, server, transfer),
    );
    const told = (runs: readonly Run[]) =>
      runs.map(({ megabytes, losses }) => `${megabytes.toFixed(0)} MB (${losses})`);
    return [
      figure({
        name: 'end to end',
        unit: 'MB/s',
        ours: samplesOf(ours.map(({ rate }) => rate)),
        peer: samplesOf(peer.map(({ rate }) => rate)),
        against:
          'kubectl exec AGENT -- nsenter --net=/proc/PID/ns/net tcpdump -w -, what came over the time from the start of the transfer to the last byte',
        goal: { relation: '>=', ratio: 0.9 },
        notes: [`ksnoop brought ${told(ours).join('; ')}`, `tcpdump brought ${told(peer).join('; ')}`],
      }),
    ];
  },
};

async function byKsnoop(on: TestCluster, pod: ShopPod, transfer: () => Promise<string>): Promise<Run> {
  const ksnoop = new KsnoopProcess(['-n', 'shop', `pod/${pod.name}`, '-i', 'eth0'], on.kubeconfig, 'pipe');
  const reading = readAll(ksnoop.child);
  await ksnoop.capturing(1);
  reading.begin();
  await transfer();
  await quiet(reading.now);
  const { bytes, seconds } = reading.now();
  const { stderr } = await ksnoop.stop();
  const losses = /[\d,]+ dropped by kernel, [\d,]+ dropped by ksnoop/.exec(stderr)?.[0] ?? stderr;
  return runOf(bytes - BLOCK_BYTES * countOf(stderr), seconds, losses);
}

async function byTcpdump(on: TestCluster, pod: ShopPod, transfer: () => Promise<string>): Promise<Run> {
  const list = parseJson(await kubectl(on, 'get', 'pods', '-n', 'ksnoop', '-o', 'json'), 'pods');
  const agent = (isObject(list) ? objectsAt(list, 'items') : []).find(
    (item) =>
      objectAt(item, 'spec').nodeName === pod.node && objectAt(item, 'metadata').deletionTimestamp === undefined,
  );
  const name = String(objectAt(agent ?? {}, 'metadata').name);
  const inAgent = (script: string) => kubectl(on, 'exec', '-n', 'ksnoop', name, '--', 'node', '-e', script);
  // A process whose namespace has the pod's address; and, at the end, our own tcpdump. The image has no shell.
  const mark = `greater ${1 + Math.floor(Math.random() * 30)}`;
  const find = `const fs=require('fs');for(const p of fs.readdirSync('/proc').filter(n=>/^\\d+$/.test(n))){try{
    if(fs.readFileSync('/proc/'+p+'/net/fib_trie','utf8').includes(' ${pod.ip}\\n')&&fs.readFileSync('/proc/'+p+'/comm','utf8')!=='ksnoop-agent\\n'){
    const d=fs.readFileSync('/proc/'+p+'/net/dev','utf8');if(!/cni|veth/.test(d)){console.log(p);break}}}catch{}}`;
  const pid = (await inAgent(find)).trim();
  const child = kubectlProcess(
    on,
    ...['exec', '-n', 'ksnoop', name, '--', 'nsenter', `--net=/proc/${pid}/ns/net`],
    ...['tcpdump', '-Z', 'root', '-n', '-i', 'eth0', '-w', '-', mark],
  );
  const reading = readAll(child);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  await sleep(1_500);
  reading.begin();
  await transfer();
  await quiet(reading.now);
  const { bytes, seconds } = reading.now();
  const end = `const fs=require('fs');for(const p of fs.readdirSync('/proc').filter(n=>/^\\d+$/.test(n))){try{
    if(fs.readFileSync('/proc/'+p+'/cmdline','utf8').startsWith('tcpdump\\0-Z')&&fs.readFileSync('/proc/'+p+'/cmdline','utf8').includes('${mark}'))process.kill(p,'SIGINT')}catch{}}`;
  await inAgent(end);
  await reading.done;
  const losses = /\d+ packets? dropped by kernel/.exec(stderr)?.[0] ?? stderr;
  return runOf(bytes - RECORD_BYTES * countOf(stderr), seconds, losses);
}

function runOf(bytes: number, seconds: number, losses: string): Run {
  return { rate: bytes / 1e6 / seconds, megabytes: bytes / 1e6, losses };
}

/** How many packets a program's closing words say it has captured. @throws with them when they do not */
function countOf(words: string): number {
  const count = /([\d,]+) packets? captured/.exec(words)?.[1];
  if (count === undefined) throw new Error(words);
  return Number(count.replaceAll(',', ''));
}

/** Resolves when nothing has come for QUIET_MS. */
async function quiet(now: () => { readonly bytes: number }): Promise<void> {
  for (let before = -1; before !== now().bytes; ) {
    before = now().bytes;
    await sleep(QUIET_MS);
  }
}
