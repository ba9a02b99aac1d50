import type { Transport } from '../flow/flow-facts.ts';
import { STATE_TABLES, type StateRow } from './state-tables.ts';
import type { SummaryEvent, SummaryTotals, TotalsTables, TroubledFlow } from './totals.ts';

/** Version of the form: counts up when a member changes its meaning or goes away, not when one joins. */
export const STATE_VERSION = 1;

/**
 * What a summary has counted, as data: to be written to a file, sent, and added to others (docs/merging.md). A delta has the same form
 * and holds what was counted since the state before it: its counts may be negative.
 */
export interface SummaryState {
  /** Times of the first and the last packet, ns since 1970; undefined when there was none. */
  readonly span: { readonly first: bigint; readonly last: bigint } | undefined;
  readonly flows: readonly (readonly [transport: Transport, count: number])[];
  readonly tables: Readonly<Record<keyof TotalsTables, readonly StateRow[]>>;
  /** Of a key that has no row in a table at most so many were counted, in its row `other`; tables where it is 0 are left out. */
  readonly floors: Readonly<Partial<Record<keyof TotalsTables, number>>>;
  readonly messages: readonly (readonly [protocol: string, count: number, bytes: number])[];
  readonly events: readonly SummaryEvent[];
  /** The connections with the most trouble; without numbers of flows, which only one capture has. */
  readonly worst: readonly TroubledFlow[];
  readonly captured: readonly (readonly [pod: string, service: string | undefined])[];
  readonly active: readonly string[];
}

/** The state of totals. */
export function stateOf(totals: SummaryTotals): SummaryState {
  return {
    span: totals.span,
    flows: [...totals.flows],
    tables: eachTable(({ rowsOf }) => rowsOf(totals)),
    floors: floorsOf(totals),
    messages: Array.from(totals.messages, ([protocol, { count, bytes }]) => [protocol, count, bytes] as const),
    events: Array.from(totals.events.values(), (event) => ({ ...event })),
    worst: totals.worst.map(({ trouble, record }) => ({
      trouble,
      record: { ...record, flow: undefined, sameAs: undefined },
    })),
    captured: [...totals.captured],
    active: [...totals.active],
  };
}

/** Add a state, or a delta, to totals. @param state of this process, or validated (state-read.ts) */
export function addState(totals: SummaryTotals, state: SummaryState): void {
  totals.addSpan(state.span);
  for (const [transport, count] of state.flows) totals.addFlows(transport, count);
  for (const { name, add } of STATE_TABLES) add(totals, state.tables[name], state.floors[name] ?? 0);
  for (const [protocol, count, bytes] of state.messages) totals.addMessages(protocol, count, bytes);
  for (const event of state.events) totals.addEvent(event);
  totals.addWorst(state.worst);
  totals.addPods(state.captured, state.active);
}

function floorsOf(totals: SummaryTotals): SummaryState['floors'] {
  const reached = STATE_TABLES.map(({ name, floorOf }) => [name, floorOf(totals)] as const);
  return Object.fromEntries(reached.filter(([, floor]) => floor > 0));
}

/** Rows of each table. */
export function eachTable(rows: (table: (typeof STATE_TABLES)[number]) => readonly StateRow[]): SummaryState['tables'] {
  const tables: Record<keyof TotalsTables, readonly StateRow[]> = {
    services: [],
    routes: [],
    pods: [],
    callers: [],
    dns: [],
    tls: [],
    tcp: [],
  };
  for (const table of STATE_TABLES) tables[table.name] = rows(table);
  return tables;
}
