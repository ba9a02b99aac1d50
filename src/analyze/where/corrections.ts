import type { FieldTable, FieldType } from '../protocols/protocol.ts';
import { instantOf } from './values.ts';

/** Expressions longer than this are not corrected. */
const LENGTH_MAXIMUM = 500;

/** `latency > 200ms`: a field, an operator, and a value in quotes or without. */
const COMPARISON = /([A-Za-z_][\w.]*)(\s*)(==|!=|<=|>=|<>|<|>|=)(\s*)("[^"]*"|'[^']*'|[^\s()&|,=<>!]+)/g;
const SPAN = /^\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)$/;
const WORDS: Readonly<Record<string, string>> = { and: '&&', or: '||', not: '!', AND: '&&', OR: '||', NOT: '!' };

/**
 * What was most likely meant by an expression that is not valid: values written as their fields' types take them
 * (`200ms` is `duration("200ms")`), `=` as `==`, `and` as `&&`. It may be as wrong as what was typed: check it.
 * @returns undefined where there is nothing to correct
 */
export function corrected(text: string, fields: FieldTable): string | undefined {
  if (text.length > LENGTH_MAXIMUM) return undefined;
  const compared = text.replace(
    COMPARISON,
    (_whole, typed: string, before: string, operator: string, after: string, value: string) => {
      const field =
        isNumberOfStatus(typed, operator, value) && Object.hasOwn(fields, HTTP_STATUS) ? HTTP_STATUS : typed;
      return `${field}${before}${OPERATORS[operator] ?? operator}${after}${valueFor(value, typeOf(field, fields))}`;
    },
  );
  const made = outsideQuotes(compared, (part) =>
    part
      .replace(/\b(and|or|AND|OR)\b/g, (word) => WORDS[word] ?? word)
      .replace(/\b(?:not|NOT)\s+/g, '!')
      .replace(/(?<!&)&(?!&)/g, '&&')
      .replace(/(?<!\|)\|(?!\|)/g, '||'),
  );
  return made === text ? undefined : made;
}

/** `status` is text (`NXDOMAIN`), in which 99 comes behind 500: a status that is compared as a number is HTTP's. */
const HTTP_STATUS = 'http.status';

function isNumberOfStatus(field: string, operator: string, value: string): boolean {
  return field === 'status' && /^[<>]=?$/.test(operator) && /^["']?[1-5]\d\d["']?$/.test(value);
}

const OPERATORS: Readonly<Record<string, string>> = { '=': '==', '<>': '!=' };

function typeOf(field: string, fields: FieldTable): FieldType | undefined {
  return Object.hasOwn(fields, field) ? fields[field]?.type : undefined;
}

/** A value as a field of this type is compared with it. */
function valueFor(value: string, type: FieldType | undefined): string {
  const inQuotes = /^["']/.test(value);
  const bare = inQuotes ? value.slice(1, -1) : value;
  switch (type) {
    case 'duration':
      return SPAN.test(bare) ? `duration("${bare.replace('µ', 'u')}")` : value;
    case 'timestamp':
      return instantOf(bare) === undefined ? value : `timestamp("${bare}")`;
    case 'string':
      // What calls a function or is another field's name is left as it is.
      return inQuotes || !/^[\w.:/*-]+$/.test(bare) ? value : `"${bare}"`;
    case 'int':
      return inQuotes && /^-?\d+$/.test(bare) ? bare : value;
    case 'bool':
      return inQuotes && /^(?:true|false)$/.test(bare) ? bare : value;
    default:
      return value;
  }
}

function outsideQuotes(text: string, change: (part: string) => string): string {
  return text
    .split(/("[^"]*"|'[^']*')/)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('');
}

const EXAMPLES: { readonly [type in FieldType]: string } = {
  string: '"text"',
  int: '200',
  bool: 'true',
  duration: 'duration("200ms")',
  timestamp: 'timestamp("2026-07-02T14:03:07Z")',
  list: '["a", "b"]',
  map: '{"a": "b"}',
};

/** How to write a value for the field that a comparison begins with: `latency is a duration: duration("200ms")`. */
export function typeHint(comparison: string, fields: FieldTable): string | undefined {
  const field = /^\(*([A-Za-z_][\w.]*)/.exec(comparison)?.[1] ?? '';
  const type = typeOf(field, fields);
  if (type === undefined) return undefined;
  const kind = { int: 'a number', bool: 'true or false', string: 'a string' }[type as string] ?? `a ${type}`;
  return `${field} is ${kind}; compare it with ${EXAMPLES[type]}, for example.`;
}
