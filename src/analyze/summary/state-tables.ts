import { CALLER_COUNTS, CALLER_TIMES } from './caller-rows.ts';
import { EXCHANGE_COUNTS, EXCHANGE_TIMES } from './exchange-rows.ts';
import type { Addable, Groups } from './groups.ts';
import type { RowState, Saved } from './row-state.ts';
import { TCP_COUNTS, TCP_TIMES } from './tcp-health.ts';
import type { SummaryTotals, TotalsTables } from './totals.ts';

/** A part of a row's key; null where it has none. */
export type KeyPart = string | number | null;

/** A row by its key: `["web.shop", "http", "GET /cart"]`. */
export interface StateRow {
  readonly key: readonly KeyPart[];
  readonly row: RowState;
}

/** What a row of a table may hold. */
export interface RowShape {
  /** The first one is that by which rows are sorted. */
  readonly counts: readonly string[];
  readonly times: readonly string[];
  readonly statuses: boolean;
}

/** A table of totals as a state has it. */
export interface StateTable {
  readonly name: keyof TotalsTables;
  /** What stands at each place of a key. */
  readonly key: readonly ('text' | 'text?' | 'port')[];
  readonly shape: RowShape;
  rowsOf(totals: SummaryTotals): StateRow[];
  /** Of a key that has no row at most so many were counted, in the row of all others. */
  floorOf(totals: SummaryTotals): number;
  /** Add rows, or what a delta adds to them. @param rows validated; @param floor as `floorOf` */
  add(totals: SummaryTotals, rows: readonly StateRow[], floor: number): void;
}

const EXCHANGES: RowShape = { counts: [...EXCHANGE_COUNTS, 'missed'], times: EXCHANGE_TIMES, statuses: true };
const CALLERS: RowShape = { counts: [...CALLER_COUNTS, 'missed'], times: CALLER_TIMES, statuses: false };
const CONNECTIONS: RowShape = { counts: [...TCP_COUNTS, 'missed'], times: TCP_TIMES, statuses: false };

/** Besides what the row counts: how many of its key are counted in the row of all others. */
const MISSED = 'missed';

/** Every table: a new one is an entry here, and in `tablesOfTotals`. */
export const STATE_TABLES: readonly StateTable[] = [
  table({
    name: 'services',
    key: ['text', 'text'],
    shape: EXCHANGES,
    groups: ({ tables }) => tables.services,
    keyOf: ({ service, protocol }) => [service, protocol],
    headOf: ([service, protocol]) => ({ service: textOf(service), protocol: textOf(protocol) }),
  }),
  table({
    name: 'routes',
    key: ['text', 'text', 'text'],
    shape: EXCHANGES,
    groups: ({ tables }) => tables.routes,
    keyOf: ({ service, protocol, route }) => [service, protocol, route],
    headOf: ([service, protocol, route]) => ({
      service: textOf(service),
      protocol: textOf(protocol),
      route: textOf(route),
    }),
  }),
  table({
    name: 'pods',
    key: ['text', 'text?', 'text'],
    shape: EXCHANGES,
    groups: ({ tables }) => tables.pods,
    keyOf: ({ pod, service, protocol }) => [pod, service ?? null, protocol],
    headOf: ([pod, service, protocol]) => ({
      pod: textOf(pod),
      service: optionalText(service),
      protocol: textOf(protocol),
    }),
  }),
  table({
    name: 'callers',
    key: ['text', 'text', 'text'],
    shape: CALLERS,
    groups: ({ tables }) => tables.callers,
    keyOf: ({ client, service, protocol }) => [client, service, protocol],
    headOf: ([client, service, protocol]) => ({
      client: textOf(client),
      service: textOf(service),
      protocol: textOf(protocol),
    }),
  }),
  table({
    name: 'dns',
    key: ['text?', 'text'],
    shape: EXCHANGES,
    groups: ({ tables }) => tables.dns,
    keyOf: ({ type, name }) => [type ?? null, name],
    headOf: ([type, name]) => ({ type: optionalText(type), name: textOf(name) }),
  }),
  table({
    name: 'tls',
    key: ['text?', 'text?'],
    shape: EXCHANGES,
    groups: ({ tables }) => tables.tls,
    keyOf: ({ sni, version }) => [sni ?? null, version ?? null],
    headOf: ([sni, version]) => ({ sni: optionalText(sni), version: optionalText(version) }),
  }),
  table({
    name: 'tcp',
    key: ['text', 'port'],
    shape: CONNECTIONS,
    groups: ({ tables }) => tables.tcp,
    keyOf: ({ server, port }) => [server, port],
    headOf: ([server, port]) => ({ server: textOf(server), port: typeof port === 'number' ? port : 0 }),
  }),
];

/** A table with the types of its key and its rows. */
interface TypedTable<Head, Row extends Saved & Addable<Row>> extends Pick<StateTable, 'name' | 'key' | 'shape'> {
  groups(totals: SummaryTotals): Groups<Head, Row>;
  keyOf(head: Head): readonly KeyPart[];
  headOf(key: readonly (KeyPart | undefined)[]): Head;
}

function table<Head, Row extends Saved & Addable<Row>>(typed: TypedTable<Head, Row>): StateTable {
  const { name, key, shape, groups, keyOf, headOf } = typed;
  return {
    name,
    key,
    shape,
    rowsOf: (totals) =>
      Array.from(groups(totals).values(), ({ head, row, missed }) => {
        const state = row.state();
        return {
          key: keyOf(head),
          row: missed === 0 ? state : { ...state, counts: { ...state.counts, [MISSED]: missed } },
        };
      }),
    floorOf: (totals) => groups(totals).floor,
    add: (totals, rows, floor) => {
      const incoming = rows.map(({ key: parts, row }) => ({
        head: headOf(parts),
        missed: row.counts[MISSED] ?? 0,
        takesBack: (row.counts[shape.counts[0] ?? ''] ?? 0) < 0,
        addTo: (own: Row) => own.addState(row),
      }));
      groups(totals).take(incoming, floor);
    },
  };
}

function textOf(part: KeyPart | undefined): string {
  return typeof part === 'string' ? part : '';
}

function optionalText(part: KeyPart | undefined): string | undefined {
  return typeof part === 'string' ? part : undefined;
}
