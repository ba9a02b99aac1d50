/** Attributes of a resource, a data point, a span or a log record. Members that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An attribute as OTLP/JSON has it (opentelemetry/proto/common/v1/common.proto); 64-bit numbers are texts. */
export interface KeyValue {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly intValue: string }
    | { readonly doubleValue: number }
    | { readonly boolValue: boolean };
}

/** Characters of one value: backends refuse or cut what is longer. */
const VALUE_CHARACTERS = 1024;

/** Halves of surrogate pairs: a text with one is no valid UTF-8. */
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Both together; what the second ones have takes precedence. */
export function withAttributes(first: Attributes, second: Attributes): Attributes {
  const known = Object.entries(second).filter(([, value]) => value !== undefined);
  return { ...first, ...Object.fromEntries(known) };
}

/** Attributes in OTLP/JSON, texts bounded and valid. */
export function keyValues(attributes: Attributes): KeyValue[] {
  return Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [keyValue(key, value)]));
}

function keyValue(key: string, value: string | number | boolean): KeyValue {
  if (typeof value === 'string') return { key, value: { stringValue: validText(value) } };
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  return { key, value: Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value } };
}

/** A text that every receiver takes: at most 1,024 characters, valid Unicode. */
export function validText(text: string): string {
  return text.slice(0, VALUE_CHARACTERS).replace(LONE_SURROGATE, '\ufffd');
}
