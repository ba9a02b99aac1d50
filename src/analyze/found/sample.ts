import { SAMPLE_NODES } from '../limits.ts';
import type { Sample } from '../record/sample-record.ts';
import type { FoundTotals } from './totals.ts';

/** What is known of the sample of one stream: of one session with one agent. */
export class StreamSample {
  readonly node: string;
  /** When it began, ns. */
  readonly since: number;
  /** When the agent had caught up, ns; undefined while it leaves out connections. */
  until: number | undefined;
  totals: FoundTotals;
  /** How often the level was another one. */
  changes = 0;
  #level = 0;
  /** Packets that were analysed before connections were left out, and those while they were. */
  #before = 0;
  #analysed = 0;

  /** @param since its beginning, ns @param totals what was counted until then */
  constructor(node: string, since: number, totals: FoundTotals) {
    this.node = node;
    this.since = since;
    this.totals = totals;
  }

  /** One connection of 2 to the power of this is analysed. */
  get level(): number {
    return this.#level;
  }

  /** @param now ns */
  change(level: number, now: number): void {
    this.#analysed = this.analysed;
    this.#before = this.totals.packets;
    this.#level = level;
    this.changes += 1;
    this.until = level === 0 ? now : undefined;
  }

  /** Packets that were analysed while others were left out. */
  get analysed(): number {
    return this.#analysed + (this.#level === 0 ? 0 : Math.max(0, this.totals.packets - this.#before));
  }
}

/** @returns undefined where everything was analysed */
export function sampleOf(streams: readonly StreamSample[]): Sample | undefined {
  if (streams.length === 0) return undefined;
  let analysed = 0;
  let skipped = 0;
  let since = Number.POSITIVE_INFINITY;
  let until: number | undefined = Number.NEGATIVE_INFINITY;
  const nodes = new Set<string>();
  for (const stream of streams) {
    analysed += stream.analysed;
    skipped += stream.totals.skipped;
    since = Math.min(since, stream.since);
    until = until === undefined || stream.until === undefined ? undefined : Math.max(until, stream.until);
    if (stream.node !== '' && nodes.size < SAMPLE_NODES) nodes.add(stream.node);
  }
  const all = analysed + skipped;
  return { share: all === 0 ? 1 : analysed / all, since, until, nodes: [...nodes].sort() };
}
