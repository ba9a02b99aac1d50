import type { BucketsState } from './histogram.ts';
import type { RowState } from './row-state.ts';
import { STATE_VERSION, type SummaryState } from './state.ts';
import { STATE_TABLES } from './state-tables.ts';

/** What `kind` is in a document with a state. */
export const STATE_KIND = 'summary-state';

/** The text of every document that is written begins so. */
export const STATE_START = `{"kind":"${STATE_KIND}"`;

/**
 * A state as a JSON document: counts that are 0, and what is empty, are left out.
 * @param parts of many captures that it is of: `3-of-16`
 */
export function stateDocument({ span, tables, ...state }: SummaryState, parts: readonly string[] = []): object {
  return {
    kind: STATE_KIND,
    v: STATE_VERSION,
    parts: unlessEmpty(parts),
    // Nanoseconds since 1970 do not fit into a number.
    first: span === undefined ? undefined : String(span.first),
    last: span === undefined ? undefined : String(span.last),
    flows: unlessEmpty(state.flows),
    tables: Object.fromEntries(
      STATE_TABLES.flatMap(({ name }) =>
        tables[name].length === 0 ? [] : [[name, tables[name].map(({ key, row }) => [key, rowDocument(row)])]],
      ),
    ),
    floors: Object.keys(state.floors).length === 0 ? undefined : state.floors,
    messages: unlessEmpty(state.messages),
    events: unlessEmpty(state.events),
    worst: unlessEmpty(state.worst),
    captured: unlessEmpty(state.captured.map(([pod, service]) => (service === undefined ? [pod] : [pod, service]))),
    active: unlessEmpty(state.active),
  };
}

function rowDocument({ counts, times, statuses }: RowState): Record<string, unknown> {
  const row: Record<string, number | BucketsState | RowState['statuses']> = {};
  for (const [name, count] of Object.entries(counts)) if (count !== 0) row[name] = count;
  for (const [name, histogram] of Object.entries(times)) row[name] = histogram;
  if (statuses.length > 0) row.statuses = statuses;
  return row;
}

function unlessEmpty<Item>(list: readonly Item[]): readonly Item[] | undefined {
  return list.length === 0 ? undefined : list;
}
