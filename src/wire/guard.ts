import { KsnoopError } from './errors.ts';

/** A JSON object whose members are not yet known. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member as an object, or an empty one: for reading optional paths such as `pod.status.phase`. */
export function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isObject(value) ? value : {};
}

/** The member's items, or none when it is missing or no array. */
export function arrayAt(parent: JsonObject, key: string): readonly unknown[] {
  const value = parent[key];
  return Array.isArray(value) ? value : [];
}

/** The members of an array member that are objects. */
export function objectsAt(parent: JsonObject, key: string): readonly JsonObject[] {
  return arrayAt(parent, key).filter(isObject);
}

export function optionalString(parent: JsonObject, key: string): string | undefined {
  const value = parent[key];
  return typeof value === 'string' ? value : undefined;
}

export function optionalNumber(parent: JsonObject, key: string): number | undefined {
  const value = parent[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The string members of an object, for labels and annotations. */
export function stringsAt(parent: JsonObject, key: string): Readonly<Record<string, string>> {
  const strings: Record<string, string> = {};
  for (const [name, value] of Object.entries(objectAt(parent, key))) {
    if (typeof value === 'string') strings[name] = value;
  }
  return strings;
}

/** What a message from outside must be; `where` names it in the error (`capture request`, `Pod shop/web`). */
export function requireObject(value: unknown, where: string): JsonObject {
  if (isObject(value)) return value;
  throw invalid(where, 'is not a JSON object');
}

export function requireString(parent: JsonObject, key: string, where: string, maximum = 4096): string {
  const value = parent[key];
  if (typeof value === 'string' && value.length > 0 && value.length <= maximum) return value;
  throw invalid(where, `has no usable ${key} (a string of 1 to ${maximum} characters)`);
}

/** Both are within. */
export interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
}

/** A whole number within the bounds given, both included. */
export function requireInteger(parent: JsonObject, key: string, where: string, { minimum, maximum }: Bounds): number {
  const value = parent[key];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
  throw invalid(where, `has no usable ${key} (a whole number from ${minimum} to ${maximum})`);
}

export function invalid(where: string, what: string): KsnoopError {
  return new KsnoopError('INVALID_MESSAGE', `The ${where} ${what}.`);
}

/**
 * Parse JSON from outside.
 * @throws KsnoopError INVALID_MESSAGE when it is not JSON.
 */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KsnoopError('INVALID_MESSAGE', `The ${where} is not JSON.`, { cause });
  }
}
