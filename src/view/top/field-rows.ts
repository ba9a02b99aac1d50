import type { Fields, FieldValue } from '../../analyze/record/event.ts';
import type { EventRecord } from '../../analyze/record/record.ts';
import { jsonLine } from '../json-line.ts';

export type FieldRow = readonly [name: string, value: string];

/** A protocol's own members of a record: of the request, of the response (by their names), and the others. */
export interface OwnFields {
  readonly request: readonly FieldRow[];
  readonly response: readonly FieldRow[];
  readonly both: readonly FieldRow[];
}

const PEERS: ReadonlySet<string> = new Set(['src', 'dst']);

/** A protocol's fields of an exchange, flat, by the names that an expression takes: `http.requestHeaders.accept`. */
export function ownFields(record: EventRecord): OwnFields {
  const rows = { request: [] as FieldRow[], response: [] as FieldRow[], both: [] as FieldRow[] };
  for (const [key, own] of Object.entries(record)) {
    if (PEERS.has(key) || !isFields(own)) continue;
    for (const [name, value] of Object.entries(own)) {
      const side = /^(request|response)(?=[A-Z])/.exec(name)?.[1] as 'request' | 'response' | undefined;
      add(rows[side ?? 'both'], `${key}.${name}`, value);
    }
  }
  return rows;
}

function add(rows: FieldRow[], name: string, value: FieldValue | undefined): void {
  if (value === undefined || value === '') return;
  if (isFields(value)) {
    for (const [inner, each] of Object.entries(value)) add(rows, `${name}.${inner}`, each);
  } else if (Array.isArray(value) && value.some((each) => typeof each === 'object')) {
    for (const each of value as readonly FieldValue[]) rows.push([name, listed(each)]);
  } else if (Array.isArray(value)) {
    if (value.length > 0) rows.push([name, value.join(', ')]);
  } else {
    rows.push([name, String(value)]);
  }
}

/** A member of a list in one row: `name web.shop, type A, ttl 30`. */
function listed(value: FieldValue): string {
  if (!isFields(value)) return typeof value === 'string' ? value : jsonLine(value);
  return Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([name, each]) => `${name} ${typeof each === 'object' ? jsonLine(each) : each}`)
    .join(', ');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
