import type { NetworkState, TimedState } from '../../wire/network-state.ts';
import { STATES_KEPT } from '../limits.ts';

/** What the kernel had counted for an interface's network namespace, first and last. */
export interface StatePair {
  readonly interfaceId: number;
  readonly first: TimedState;
  /** The same as `first` where only one was taken: then nothing is known of changes. */
  readonly last: TimedState;
}

/** The states of a capture: the first and the last of every interface, of the first STATES_KEPT interfaces. */
export class NetworkStates {
  readonly #pairs = new Map<number, StatePair>();
  /** States that were left out because too many interfaces had some. */
  left = 0;
  /** Some state has how CPU limits stopped a pod. */
  hasCpu = false;

  add(state: TimedState): void {
    const { interfaceId } = state;
    const known = this.#pairs.get(interfaceId);
    if (known === undefined && this.#pairs.size >= STATES_KEPT) this.left += 1;
    else {
      this.hasCpu ||= Object.keys(state.state.counters).some((counter) => counter.startsWith('Cgroup '));
      this.#pairs.set(interfaceId, { interfaceId, first: known?.first ?? state, last: state });
    }
  }

  of(interfaceId: number): StatePair | undefined {
    return this.#pairs.get(interfaceId);
  }

  /** In the order of interfaces. */
  pairs(): StatePair[] {
    return [...this.#pairs.values()].sort((a, b) => a.interfaceId - b.interfaceId);
  }
}

/**
 * By how much a counter rose between the two states; undefined where only one state is known, or where the counter fell:
 * then it is of another namespace, or began again.
 */
export function growth({ first, last }: StatePair, counter: string): number | undefined {
  if (first === last) return undefined;
  const change = countOf(last.state, counter) - countOf(first.state, counter);
  return change < 0 ? undefined : change;
}

/** A counter that the kernel had at 0 is not in the state. */
function countOf({ counters }: NetworkState, counter: string): number {
  return counters[counter] ?? 0;
}

/** Every counter that rose, with by how much, in the kernel's order. */
export function grown(
  pair: StatePair,
): { readonly counter: string; readonly change: number; readonly total: number }[] {
  return Object.entries(pair.last.state.counters).flatMap(([counter, total]) => {
    const change = growth(pair, counter);
    return change === undefined || change === 0 ? [] : [{ counter, change, total }];
  });
}
