import type { Fields, FieldValue } from './event.ts';

/** Whether a value is a protocol's fields, or others with names. */
export function isFields(value: FieldValue | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Fields; undefined for any other value. */
export function fieldsIn(value: FieldValue | undefined): Fields | undefined {
  return isFields(value) ? value : undefined;
}

/** A text; empty for any other value. */
export function textIn(value: FieldValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
