import { type Figure, figure } from './figure.ts';
import type { Kept } from './kept.ts';
import { samplesOf, sideBySide } from './measure.ts';
import { ksnoopFound, ksnoopSummary, type ReadPeer } from './read-peers.ts';
import type { Run } from './timed-run.ts';

/**
 * How fast ksnoop and a peer read a capture: megabytes in a second, start and end of the processes counted.
 * @param goal times as fast ksnoop is to be
 */
export async function compare(what: string, capture: Kept, peer: ReadPeer, goal: number): Promise<Figure> {
  const { path, bytes, about } = capture;
  const { ours, peer: theirs } = await sideBySide(
    peer.rounds,
    () => ksnoopSummary(path),
    () => peer.run(path),
  );
  const speed = (runs: readonly Run[]) => samplesOf(runs.map(({ seconds }) => bytes / 1e6 / seconds));
  const took = (name: string, runs: readonly Run[]) => {
    const median = (of: (run: Run) => number) => samplesOf(runs.map(of)).median.toFixed(2);
    const memory = (Math.max(...runs.map((run) => run.memory)) / 1e6).toFixed(0);
    return `${name} ${median((run) => run.seconds)} s, ${median((run) => run.processor)} s of processor, ${memory} MB`;
  };
  return figure({
    name: `${what}: ${peer.name}`,
    unit: 'MB/s',
    ours: speed(ours),
    peer: speed(theirs),
    against: peer.command,
    goal: { relation: '>=', ratio: goal },
    notes: [
      `${(bytes / 1e6).toFixed(0)} MB: ${about}; ${await ksnoopFound(path)}`,
      `${took('ksnoop', ours)}; ${took(peer.name, theirs)}`,
    ],
  });
}
