import { type Bench, type Figure, figure } from './support/figure.ts';
import { FLOW_PACKETS, flowCapture } from './support/flow-capture.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { ksnoopFound, ksnoopSummary } from './support/read-peers.ts';
import type { Run } from './support/timed-run.ts';

const FEW = 1_000;
const MANY = 1_000_000;
const GOAL = 2;

/** A million flows one thousand at a time, and all open at once; each against the same packets in a thousand flows. */
const CASES = [
  { name: 'flows-1m', open: FEW, what: '1 M flows, 1 k open at once', rounds: 3 },
  { name: 'flows-1m-open', open: MANY, what: '1 M flows, all open at once', rounds: 1 },
] as const;

/** What a packet costs where there are many flows, against the same where there are few. */
export const readFlows: Bench = {
  name: 'read-flows',
  about: 'ksnoop read -o summary: cost per packet on a million flows, against a thousand',
  async run() {
    const few = await flowCapture('flows-1k.pcap', FEW, FEW);
    const figures: Figure[] = [];
    for (const { name, open, what, rounds } of CASES) {
      const many = await flowCapture(`${name}.pcap`, MANY, open);
      const { ours, peer } = await sideBySide(
        rounds,
        () => ksnoopSummary(many.path),
        () => ksnoopSummary(few.path),
      );
      const cost = (runs: readonly Run[]) => samplesOf(runs.map(({ seconds }) => (seconds / FLOW_PACKETS) * 1e9));
      const memory = (runs: readonly Run[]) => (Math.max(...runs.map((run) => run.memory)) / 1e6).toFixed(0);
      figures.push(
        figure({
          name: what,
          unit: 'ns a packet',
          ours: cost(ours),
          peer: cost(peer),
          against: 'ksnoop itself on as many packets of 1 k flows',
          goal: { relation: '<=', ratio: GOAL },
          notes: [
            `${many.about}; ${await ksnoopFound(many.path)}`,
            `memory: ${memory(ours)} MB; on 1 k flows ${memory(peer)} MB`,
          ],
        }),
      );
    }
    return figures;
  },
};
