import { LEG_ENTRIES } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import type { KnownFlow } from './found-flow.ts';

interface Shown {
  readonly flow: KnownFlow;
  readonly time: number;
}

/**
 * Finds the flows of different nodes that are one connection before and behind NAT: by what NAT does not change, as ConnectionLegs
 * does where one analysis sees both. Bounded: of more than LEG_ENTRIES the oldest are forgotten.
 */
export class FoundLegs {
  readonly #window: number;
  readonly #shown = new RecentMap<string, Shown>(LEG_ENTRIES);

  /** @param window ns within which both legs have shown what they have in common */
  constructor(window: number) {
    this.#window = window;
  }

  /**
   * A flow shows a key. Where another stream's flow had it first, both are one from now on.
   * @param time ns
   * @returns whether the flow is the other leg now, and was not before
   */
  seen(key: string, flow: KnownFlow, time: number): boolean {
    const before = this.#shown.get(key);
    if (before !== undefined && Math.abs(time - before.time) <= this.#window) {
      return before.flow.stream !== flow.stream && before.flow.path !== flow.path && join(flow, before.flow);
    }
    this.#shown.delete(key);
    this.#shown.set(key, { flow, time });
    return false;
  }
}

/** A flow is the other leg of one that was seen first, and that counts. @returns whether it was not before */
export function join(flow: KnownFlow, first: KnownFlow): boolean {
  if (flow.sameAs !== undefined || flow.copyOf !== undefined) return false;
  const counted = first.copyOf ?? first;
  const leg = counted.sameAs ?? { id: counted.id, serverHost: counted.identity?.serverHost ?? counted.serverHost };
  if (leg.id === flow.id) return false;
  flow.sameAs = leg;
  return true;
}
