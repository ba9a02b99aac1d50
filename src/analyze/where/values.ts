import { Duration } from '@marcbachmann/cel-js/evaluator';
import type { FieldType } from '../protocols/protocol.ts';

const NANOSECONDS_PER_SECOND = 1e9;

/** What stands in a record under names; undefined where something on the way is missing. */
export function valueAt(record: object, path: readonly string[]): unknown {
  let value: unknown = record;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value ?? undefined;
}

/** A record's value as CEL has it; undefined where it is not of the field's type. */
export function celValue(value: unknown, type: FieldType): unknown {
  switch (type) {
    case 'int':
      return typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'duration':
      return typeof value === 'number' && Number.isFinite(value) ? durationOf(value) : undefined;
    case 'timestamp': {
      const nanoseconds = typeof value === 'string' ? instantOf(value) : undefined;
      return nanoseconds === undefined ? undefined : new Date(Number(nanoseconds / 1_000_000n));
    }
    case 'list':
      return Array.isArray(value) ? celAny(value) : undefined;
    case 'map':
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? celAny(value) : undefined;
  }
}

/** Whole numbers are ints, wherever they stand. */
function celAny(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celAny);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, celAny(member)]])),
  );
}

function durationOf(nanoseconds: number): Duration {
  const seconds = Math.floor(nanoseconds / NANOSECONDS_PER_SECOND);
  return new Duration(seconds, nanoseconds - seconds * NANOSECONDS_PER_SECOND);
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/;

/** The time of an RFC 3339 text, ns since 1970; undefined for any other text. */
export function instantOf(text: string): bigint | undefined {
  const found = RFC_3339.exec(text);
  if (found === null) return undefined;
  const [, date, clock, fraction = '', zone = 'Z'] = found;
  const milliseconds = Date.parse(`${date}T${clock}${zone.toUpperCase()}`);
  return Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
