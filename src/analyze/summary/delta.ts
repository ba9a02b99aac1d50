import { negated, type RowState, rowDelta } from './row-state.ts';
import { eachTable, type SummaryState, stateOf } from './state.ts';
import type { StateRow, StateTable } from './state-tables.ts';
import type { SummaryTotals, TroubledFlow } from './totals.ts';

/** What was counted since the delta before it. */
export interface SummaryDelta {
  /** Of the deltas of one source, from 0. */
  readonly sequence: number;
  readonly state: SummaryState;
}

/**
 * Makes deltas of the totals of one analysis: all of them, added up each once and in their order, are its totals; those of other
 * analyses may come between. A row whose address
 * got a name goes over into another one: its counts come negative under the earlier name.
 */
export class SummaryDeltas {
  #sequence = 0;
  /** By table and key: what was sent. */
  readonly #sent = new Map<StateTable['name'], Map<string, StateRow>>();
  readonly #flows = new Map<string, number>();
  readonly #messages = new Map<string, { readonly count: number; readonly bytes: number }>();
  readonly #events = new Map<string, number>();
  #worst: ReadonlySet<string> = new Set();
  readonly #captured = new Map<string, string | undefined>();
  readonly #active = new Set<string>();

  /** @param totals of the analysis since its beginning */
  next(totals: SummaryTotals): SummaryDelta {
    const state = stateOf(totals);
    const delta: SummaryState = {
      span: state.span,
      flows: this.#flowsSince(state),
      tables: eachTable(({ name }) => this.#rowsSince(name, state.tables[name])),
      floors: {},
      messages: this.#messagesSince(state),
      events: this.#eventsSince(state),
      worst: this.#worstSince(state),
      captured: state.captured.filter(([pod, service]) => {
        if (this.#captured.has(pod) && this.#captured.get(pod) === service) return false;
        this.#captured.set(pod, service);
        return true;
      }),
      active: state.active.filter((pod) => isNew(this.#active, pod)),
    };
    const sequence = this.#sequence;
    this.#sequence += 1;
    return { sequence, state: delta };
  }

  /** What has left the worst never comes back. */
  #worstSince({ worst }: SummaryState): SummaryState['worst'] {
    const before = this.#worst;
    this.#worst = new Set(worst.map(connectionKey));
    return worst.filter((flow) => !before.has(connectionKey(flow)));
  }

  #rowsSince(name: StateTable['name'], rows: readonly StateRow[]): StateRow[] {
    const before = this.#sent.get(name) ?? new Map<string, StateRow>();
    const now = new Map(rows.map((row) => [JSON.stringify(row.key), row]));
    this.#sent.set(name, now);
    const changed: StateRow[] = [];
    const add = (key: StateRow['key'], row: RowState | undefined) => {
      if (row !== undefined) changed.push({ key, row });
    };
    for (const [text, { key, row }] of before) if (!now.has(text)) add(key, negated(row));
    for (const [text, { key, row }] of now) add(key, rowDelta(row, before.get(text)?.row));
    return changed;
  }

  #flowsSince({ flows }: SummaryState): SummaryState['flows'] {
    return flows.flatMap(([transport, count]) => {
      const difference = count - (this.#flows.get(transport) ?? 0);
      this.#flows.set(transport, count);
      return difference === 0 ? [] : [[transport, difference] as const];
    });
  }

  #messagesSince({ messages }: SummaryState): SummaryState['messages'] {
    return messages.flatMap(([protocol, count, bytes]) => {
      const before = this.#messages.get(protocol) ?? { count: 0, bytes: 0 };
      this.#messages.set(protocol, { count, bytes });
      return count === before.count ? [] : [[protocol, count - before.count, bytes - before.bytes] as const];
    });
  }

  /** A refusal can turn out to have been counted already: then it is taken back. */
  #eventsSince({ events }: SummaryState): SummaryState['events'] {
    const gone = [...this.#events].flatMap(([code, count]) =>
      count > 0 && !events.some((event) => event.code === code)
        ? [{ protocol: '', code, failed: false, count: 0 }]
        : [],
    );
    return [...events, ...gone].flatMap((event) => {
      const count = event.count - (this.#events.get(event.code) ?? 0);
      this.#events.set(event.code, event.count);
      return count === 0 ? [] : [{ ...event, count }];
    });
  }
}

/** Decides which deltas are added, so that each is added once. */
export class DeltaOrder {
  readonly #next = new Map<string, number>();

  /**
   * @param source an analysis since its beginning; one that begins again is another source
   * @returns `add`; `repeated` where it was added already; `missing` where an earlier one did not come: then the source has to begin again
   */
  take(source: string, sequence: number): 'add' | 'repeated' | 'missing' {
    const next = this.#next.get(source) ?? 0;
    if (sequence < next) return 'repeated';
    if (sequence > next) return 'missing';
    this.#next.set(source, next + 1);
    return 'add';
  }

  /** No more comes from a source. */
  forget(source: string): void {
    this.#next.delete(source);
  }
}

/** By its addresses: its names may become known later. */
function connectionKey({ record: { time, src, dst, interface: place } }: TroubledFlow): string {
  return JSON.stringify([time, src?.ip, src?.port, dst?.ip, dst?.port, place]);
}

function isNew(known: Set<string>, text: string): boolean {
  if (known.has(text)) return false;
  known.add(text);
  return true;
}
