import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Proc } from '../../src/agent/netns/proc.ts';
import { ensureAgent } from '../support/shop.ts';
import { type Bench, figure } from './support/figure.ts';
import { samplesOf } from './support/measure.ts';
import { cgroupSeconds, processorSeconds } from './support/processor.ts';

/** The period of its readiness probe: one of them falls into it. */
const WATCH_S = 60;
const GOAL_MB = 25;
const GOAL_CORE = 0.001;

/** What an agent costs a node while nobody captures. Its peer is the goal. */
export const idleAgent: Bench = {
  name: 'idle-agent',
  about: `memory and processor of the waiting agents, over ${WATCH_S} s`,
  async run() {
    await ensureAgent();
    const proc = new Proc();
    const pids = proc.pids().filter((pid) => {
      const words = proc.commandLine(pid);
      return words.at(-1) === 'idle' && words.some((word) => word.endsWith('ksnoop-agent'));
    });
    if (pids.length === 0) throw new Error('no waiting agent on this machine');
    const alone = pids.map(processorSeconds);
    const withProbe = pids.map(cgroupSeconds);
    await sleep(WATCH_S * 1000);
    const coresAlone = pids.map((pid, index) => (processorSeconds(pid) - (alone[index] ?? 0)) / WATCH_S);
    const cores = pids.map((pid, index) => {
      const [before, after] = [withProbe[index], cgroupSeconds(pid)];
      return before === undefined || after === undefined ? (coresAlone[index] ?? 0) : (after - before) / WATCH_S;
    });
    const probe = withProbe.includes(undefined) ? 'without its readiness probe' : 'with its readiness probe';
    const megabytes = (pid: number, field: string) =>
      (Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) /
      1e6;
    const rss = pids.map((pid) => megabytes(pid, 'VmRSS').toFixed(1)).join(', ');
    const shared = { against: 'the goal itself' };
    return [
      figure({
        ...shared,
        name: 'idle agent RssAnon',
        unit: 'MB',
        ours: samplesOf(pids.map((pid) => megabytes(pid, 'RssAnon'))),
        peer: samplesOf([GOAL_MB]),
        goal: { relation: '<=', ratio: 1 },
        notes: [`RSS with the shared pages of files: ${rss} MB`],
      }),
      figure({
        ...shared,
        name: 'idle agent processor',
        unit: 'cores',
        ours: samplesOf(cores),
        peer: samplesOf([GOAL_CORE]),
        goal: { relation: '<=', ratio: 1 },
        notes: [
          `${probe} and whatever else was exec'd in it; its process alone ${coresAlone.map((used) => used.toFixed(5)).join(', ')}`,
        ],
      }),
    ];
  },
};
