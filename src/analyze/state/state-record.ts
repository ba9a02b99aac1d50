import type { NetworkState } from '../../wire/network-state.ts';
import { grown, type StatePair } from './network-states.ts';

/** A network namespace's state as outputs show it. */
export interface StateRecord {
  /** if_name of the interface: `shop/web-1/any`. */
  readonly interface: string;
  /** Between the first and the last state; undefined where only one was taken. */
  readonly milliseconds: number | undefined;
  /** The last state. */
  readonly state: NetworkState;
  /** Counters that rose between the two. */
  readonly changes: readonly { readonly counter: string; readonly change: number; readonly total: number }[];
}

/** @param name if_name of the pair's interface */
export function stateRecord(pair: StatePair, name: string): StateRecord {
  const { first, last } = pair;
  return {
    interface: name,
    milliseconds: first === last ? undefined : Number(last.time - first.time) / 1e6,
    state: last.state,
    changes: grown(pair),
  };
}
