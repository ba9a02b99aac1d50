import { nginxCapture } from './support/big-capture.ts';
import { type Bench, type Figure, figure } from './support/figure.ts';
import { samplesOf } from './support/measure.ts';
import { ksnoopSummary } from './support/read-peers.ts';
import { repeatedCapture } from './support/repeated-capture.ts';

const ROUNDS = 3;
const TIMES = 4;
const LIMIT_MB = 150;

/** The most memory ksnoop has while it reads a gigabyte, and while it reads four. */
export const readMemory: Bench = {
  name: 'read-memory',
  about: 'memory of ksnoop read -o summary on a gigabyte of nginx under wrk, and on four times that',
  async run() {
    const one = await nginxCapture();
    const captures = [
      { name: 'memory for the file', capture: one },
      { name: `memory for ${TIMES} times it`, capture: await repeatedCapture(one, `nginx-${TIMES}.pcap`, TIMES) },
    ];
    const figures: Figure[] = [];
    for (const { name, capture } of captures) {
      const memory: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) memory.push((await ksnoopSummary(capture.path)).memory / 1e6);
      figures.push(
        figure({
          name,
          unit: 'MB',
          ours: samplesOf(memory),
          peer: samplesOf([LIMIT_MB]),
          against: `a limit of ${LIMIT_MB} MB (resident set of the whole process at its largest)`,
          goal: { relation: '<=', ratio: 1 },
          notes: [`${(capture.bytes / 1e6).toFixed(0)} MB: ${capture.about}`],
        }),
      );
    }
    return figures;
  },
};
