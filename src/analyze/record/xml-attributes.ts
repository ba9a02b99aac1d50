import { MASK } from './mask.ts';
import { isSecretEntry } from './secret-names.ts';

/** An attribute: its name, and where its value lies, with the quotes and the backslashes before them. */
interface Attribute {
  readonly name: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
}

/** Characters of an attribute that names another one's secret. */
const NAME_CHARACTERS = 256;

const ELEMENT_NAME = /[\w:.-]+/y;
/** Behind blanks, also those that JSON escapes. */
const ATTRIBUTE_NAME = /(?:[\s/]|\\[nrt])*([^\s=<>"'/\\]+)(\s*=\s*)?/y;
/** In JSON the quotes of XML have backslashes. */
const QUOTE = /\\{0,8}["']/y;
const UNQUOTED = /[^\s<>"'\\]*[^\s<>"'\\/]/y;

/** Attributes that name another one's secret, and those that hold it: `<add key="DbPassword" value="x"/>`. */
const NAMING = /^(?:name|key|id)$/i;
const HOLDING = /^(?:value|content)$/i;
/** What an element that is a secret's has beside it: namespaces, types, languages. */
const BESIDE = /^(?:xmlns|(?:xmlns|xsi|xml):.*|type|encodingtype|valuetype|algorithm|class|style|lang)$/i;
const STATES_ONE = /^(?:yes|no|true|false|null|none)?$/i;

/**
 * Mask attributes of XML and HTML whose name is a secret's, those of an element whose name is a secret's, and those that
 * another attribute gives a secret's name. A tag may be cut, or a string of JSON. Linear in the text.
 */
export function maskAttributes(text: string): string {
  if (!text.includes('<') || !text.includes('=')) return text;
  let masked = '';
  let reached = 0;
  for (let at = text.indexOf('<'); at >= 0; ) {
    const { secrets, end } = readTag(text, at + 1);
    for (const { from, to } of secrets) {
      masked += text.slice(reached, from) + MASK;
      reached = to;
    }
    at = text.indexOf('<', end);
  }
  return reached === 0 ? text : masked + text.slice(reached);
}

/** @param from behind the `<`. @returns the attributes that are secrets, and the place from which the text is read on */
function readTag(text: string, from: number): { readonly secrets: readonly Attribute[]; readonly end: number } {
  const element = matchAt(ELEMENT_NAME, text, from)?.[0];
  if (element === undefined) return { secrets: [], end: from };
  const isSecret = isSecretEntry(element);
  const attributes: Attribute[] = [];
  let at = from + element.length;
  for (let found = matchAt(ATTRIBUTE_NAME, text, at); found !== undefined; found = matchAt(ATTRIBUTE_NAME, text, at)) {
    at += found[0].length;
    if (found[2] === undefined) continue;
    const [, name = ''] = found;
    const attribute = readValue(text, at, name, isSecret || isSecretEntry(name));
    if (attribute === undefined) break;
    attributes.push(attribute);
    at = attribute.to;
  }
  const isNamed = attributes.some(
    ({ name, value }) => NAMING.test(name) && isSecretEntry(value.slice(0, NAME_CHARACTERS)),
  );
  const secrets = attributes.filter(({ name, value }) => {
    if (STATES_ONE.test(value) || value === MASK) return false;
    return isSecretEntry(name) || (isSecret && !BESIDE.test(name)) || (isNamed && HOLDING.test(name));
  });
  return { secrets, end: at };
}

/** @param isSecret its value lasts up to its quote; else a `<` ends it as well, which begins another tag */
function readValue(text: string, from: number, name: string, isSecret: boolean): Attribute | undefined {
  const quote = matchAt(QUOTE, text, from)?.[0];
  if (quote === undefined) {
    const value = matchAt(UNQUOTED, text, from)?.[0];
    return value === undefined ? undefined : { name, value, from, to: from + value.length };
  }
  const begin = from + quote.length;
  const closing = quote.charCodeAt(quote.length - 1);
  let end = begin;
  while (end < text.length && text.charCodeAt(end) !== closing && (isSecret || text.charCodeAt(end) !== 0x3c)) end += 1;
  const isClosed = text.charCodeAt(end) === closing;
  const value = text.slice(begin, isClosed ? end - (quote.length - 1) : end);
  return { name, value, from, to: isClosed ? end + 1 : end };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
