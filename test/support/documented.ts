import type { FieldTable } from '../../src/analyze/protocols/protocol.ts';

/** Paths of a JSON value's members that a table does not have. Lists of objects are `name[]`; what is under a map is free. */
export function undocumented(value: unknown, fields: FieldTable, path = ''): string[] {
  if (Object.hasOwn(fields, path)) return [];
  if (Array.isArray(value)) {
    return [...new Set(value.flatMap((each) => undocumented(each, fields, `${path}[]`)))];
  }
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) =>
    undocumented(member, fields, path === '' ? name : `${path}.${name}`),
  );
}
