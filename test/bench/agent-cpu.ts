import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentProcess, captureRequest } from '../agent/agent-process.ts';
import { background, makePair, type NamespacePair, RIGHT_ADDRESS, traffic } from '../agent/namespaces.ts';
import { processesOf } from '../support/marked-processes.ts';
import { type Bench, figure } from './support/figure.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { processorSeconds } from './support/processor.ts';

const ROUNDS = 3;
/** So many that what a capture costs once, whatever follows (some 0.2 s), counts little: a busy node is what this is about. */
const PACKETS = 1_000_000;
const BURST = 256;
const BYTES = 1_400;
/** Longer than any ring holds a packet back. */
const SETTLE_MS = 1_500;

interface Cost {
  readonly seconds: number;
  readonly packets: number;
}

/** Processor time for the packets alone: both sides have started before the first, and are read before they end. */
export const agentCpu: Bench = {
  name: 'agent-cpu',
  about: `processor time of agent and tcpdump for ${PACKETS.toLocaleString('en-US')} packets of ${BYTES} bytes`,
  async run() {
    const pair = makePair();
    const sink = await background(traffic(pair, pair.right, 'sink'));
    try {
      const { ours, peer } = await sideBySide(
        ROUNDS,
        () => ofAgent(pair),
        () => ofTcpdump(pair),
      );
      const packets = (costs: readonly Cost[]) => costs.map((cost) => cost.packets).join(', ');
      return [
        figure({
          name: 'agent processor',
          unit: 's',
          ours: samplesOf(ours.map(({ seconds }) => seconds)),
          peer: samplesOf(peer.map(({ seconds }) => seconds)),
          against: 'tcpdump -w - | cat >/dev/null, both processes counted',
          goal: { relation: '<=', ratio: 1.5 },
          notes: [`packets captured by ksnoop ${packets(ours)}; by tcpdump ${packets(peer)}`],
        }),
      ];
    } finally {
      sink.kill('SIGKILL');
      pair.remove();
    }
  },
};

async function send(pair: NamespacePair): Promise<void> {
  const [program = '', ...args] = traffic(pair, pair.left, 'udp', RIGHT_ADDRESS, PACKETS, BURST, BYTES, 1);
  await once(spawn(program, args, { stdio: 'ignore' }), 'close');
  await sleep(SETTLE_MS);
}

async function ofAgent(pair: NamespacePair): Promise<Cost> {
  const agent = new AgentProcess({ keep: false });
  const request = captureRequest([{ key: 't', kind: 'netns', name: pair.left }]);
  await agent.start(request);
  const used = () => [agent.pid, ...processesOf(request.session)].reduce((sum, pid) => sum + processorSeconds(pid), 0);
  const before = used();
  await send(pair);
  const seconds = used() - before;
  await agent.stop();
  const last = agent.events.filter((event) => event.type === 'counters').at(-1);
  return { seconds, packets: last?.counters.captured ?? 0 };
}

async function ofTcpdump(pair: NamespacePair): Promise<Cost> {
  const words = ['tcpdump', '-Z', 'root', '-n', '-i', 'eth0', '--time-stamp-precision=nano', '-w', '-'];
  const [program = '', ...args] = pair.inside(pair.left, ...words);
  const tcpdump = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  tcpdump.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const cat = spawn('cat', { stdio: [tcpdump.stdout, 'ignore', 'ignore'] });
  // Its end is told when nobody but cat has its output.
  tcpdump.stdout.destroy();
  while (!stderr.includes('listening')) await sleep(20);
  const pids = [tcpdump.pid ?? 0, cat.pid ?? 0];
  const used = () => pids.reduce((sum, pid) => sum + processorSeconds(pid), 0);
  const before = used();
  await send(pair);
  const seconds = used() - before;
  tcpdump.kill('SIGINT');
  await once(tcpdump, 'close');
  return { seconds, packets: Number(/(\d+) packets? captured/.exec(stderr)?.[1] ?? 0) };
}
