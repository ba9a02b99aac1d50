import { SAMPLE_NODES } from '../limits.ts';
import type { Sample } from '../record/sample-record.ts';
import type { FoundTotals } from './totals.ts';

/** What is known of the sample of one stream: of one session with one agent. */
export class StreamSample {
  readonly node: string;
  readonly since: number;
  /** Packets that were analysed before it began. */
  readonly #before: number;
  /** One connection of 2 to the power of this is analysed. */
  level = 0;
  totals: FoundTotals;

  /** @param since its beginning, ns @param totals what was counted until then */
  constructor(node: string, since: number, totals: FoundTotals) {
    this.node = node;
    this.since = since;
    this.#before = totals.packets;
    this.totals = totals;
  }

  get analysed(): number {
    return Math.max(0, this.totals.packets - this.#before);
  }
}

/** @returns undefined where everything was analysed */
export function sampleOf(streams: readonly StreamSample[]): Sample | undefined {
  if (streams.length === 0) return undefined;
  let analysed = 0;
  let skipped = 0;
  let since = Number.POSITIVE_INFINITY;
  const nodes = new Set<string>();
  for (const stream of streams) {
    analysed += stream.analysed;
    skipped += stream.totals.skipped;
    since = Math.min(since, stream.since);
    if (stream.node !== '' && nodes.size < SAMPLE_NODES) nodes.add(stream.node);
  }
  const all = analysed + skipped;
  return { share: all === 0 ? 1 : analysed / all, since, nodes: [...nodes].sort() };
}
