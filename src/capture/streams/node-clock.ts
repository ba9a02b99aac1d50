import { CLOCK_NOTED_MS, CLOCK_SAMPLES } from '../limits.ts';
import { type NodeRef, nodeKey, nodeLabels } from './node-ref.ts';

/** How far a node's clock is ahead of this machine's, milliseconds; negative when it is behind. */
export interface ClockEstimate {
  readonly offsetMs: number;
  /** The offset is right to this, either way. */
  readonly errorMs: number;
}

/** Both ends report whole milliseconds, rounded down. */
const RESOLUTION_MS = 1;

/**
 * A node's clock, estimated from round trips: the node read its clock some time between the question and the answer, so
 * half the round trip bounds the error, and the shortest of the last round trips is the most exact (RFC 5905, section 10).
 */
export class NodeClock {
  readonly #samples: ClockEstimate[] = [];

  /** @param sentAt @param receivedAt this machine's clock; @param nodeTime the node's in between; milliseconds since 1970 */
  add(sentAt: number, nodeTime: number, receivedAt: number): void {
    const roundTrip = receivedAt - sentAt;
    if (!(roundTrip >= 0)) return;
    const errorMs = roundTrip / 2 + RESOLUTION_MS;
    this.#samples.push({ offsetMs: nodeTime - (sentAt + receivedAt) / 2, errorMs });
    if (this.#samples.length > CLOCK_SAMPLES) this.#samples.shift();
  }

  get estimate(): ClockEstimate | undefined {
    let best: ClockEstimate | undefined;
    for (const sample of this.#samples) if (best === undefined || sample.errorMs < best.errorMs) best = sample;
    return best;
  }
}

/** `3.2 ms ahead of`, `1,200.0 ms behind`. */
export function aheadOrBehind(offsetMs: number): string {
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const size = Math.abs(offsetMs).toLocaleString('en-US', digits);
  return `${size} ms ${offsetMs < 0 ? 'behind' : 'ahead of'}`;
}

/** A node with its clock. */
export interface ClockOfNode extends NodeRef {
  readonly clock: NodeClock;
}

/**
 * Notes on the clocks of a capture's nodes: where two differ by more than the error of the estimates, and by more than
 * CLOCK_NOTED_MS.
 * @param corrected whether times are corrected to one clock
 */
export function clockNotes(clocks: readonly ClockOfNode[], corrected: boolean): string[] {
  const labels = nodeLabels(clocks);
  const known = clocks.flatMap(({ clock: { estimate }, ...ref }) =>
    estimate === undefined ? [] : [{ label: labels.get(nodeKey(ref)), ...estimate }],
  );
  const [first, ...others] = known.sort((a, b) => a.offsetMs - b.offsetMs);
  const last = others.at(-1);
  if (first === undefined || last === undefined) return [];
  const apart = last.offsetMs - first.offsetMs;
  const errorMs = first.errorMs + last.errorMs;
  if (apart <= errorMs + CLOCK_NOTED_MS) return [];
  const done = corrected
    ? 'times are corrected to the clock of this machine'
    : 'packets of different nodes may be in the wrong order; --correct-clock-skew corrects it';
  return [
    `the clock of ${last.label} is ${aheadOrBehind(apart)} that of ${first.label} (± ${errorMs.toFixed(1)} ms): ${done}`,
  ];
}
