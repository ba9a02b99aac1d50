import { join } from 'node:path';
import { type Bench, figure } from './support/figure.ts';
import { samplesOf, sideBySide } from './support/measure.ts';
import { ksnoopSummary } from './support/read-peers.ts';
import { type Run, timedRun } from './support/timed-run.ts';
import { TRACED_REQUESTS, tracedRequests } from './support/traced-requests.ts';

const BUILT = join(import.meta.dirname, '../../bin/ksnoop.mjs');
/** The goals: 100,000 requests/s and 250 MB. */
const SECONDS = TRACED_REQUESTS / 100_000;
const BYTES = 250e6;

/** What it costs to join requests that two places saw, against adding them up. */
export const readTrace: Bench = {
  name: 'read-trace',
  about: 'ksnoop read -o trace on 200,000 requests captured at both ends, against -o summary',
  async run() {
    const { path, about } = await tracedRequests();
    const { ours, peer } = await sideBySide(
      3,
      () => timedRun(process.execPath, BUILT, 'read', '-o', 'trace', path),
      () => ksnoopSummary(path),
    );
    const seconds = (runs: readonly Run[]) => samplesOf(runs.map((run) => run.seconds));
    const memory = (runs: readonly Run[]) => Math.max(...runs.map((run) => run.memory));
    const speed = TRACED_REQUESTS / seconds(ours).median;
    return [
      figure({
        name: 'trace 200,000 requests',
        unit: 's',
        ours: seconds(ours),
        peer: seconds(peer),
        against: 'ksnoop read -o summary of the same capture',
        goal: { relation: '<=', ratio: SECONDS / seconds(peer).median },
        notes: [
          about,
          `${speed.toFixed(0)} requests/s (goal: ${TRACED_REQUESTS / SECONDS}), ${(memory(ours) / 1e6).toFixed(0)} MB (goal: ${BYTES / 1e6}); summary ${(memory(peer) / 1e6).toFixed(0)} MB`,
        ],
      }),
    ];
  },
};
