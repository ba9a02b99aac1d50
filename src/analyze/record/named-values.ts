import { MASK } from './mask.ts';
import { isSecretEntry } from './secret-names.ts';

/** Members that name an entry of a list, and those that hold its value. */
const NAMING = /^(?:name|key|id|field|path|header|variable|property|setting|parameter(?:key)?)$/i;
const HOLDING = /^(?:value|val|parametervalue|stringvalue)$/i;
const VALUE_HINT = /value|"val/i;

/** Depth of nested objects up to which values are looked for. */
const DEPTH_MAXIMUM = 64;
/** Characters of a name, and of a member's. */
const NAME_CHARACTERS = 256;

/** An object whose members are read. */
interface Entry {
  /** Its name is a secret's. */
  isSecret: boolean;
  /** Where its value lies; -1 without one. */
  from: number;
  to: number;
  /** What the member that is read is: its name, its value, or another. */
  member: 'name' | 'value' | undefined;
}

/**
 * Mask values that another member of their object gives a secret's name: `[{"name":"DB_PASSWORD","value":"x"}]`, in JSON, in
 * JSON that is a string of JSON, and in elements of XML. Linear in the text.
 */
export function maskNamedValues(text: string): string {
  if (!VALUE_HINT.test(text)) return text;
  let masked = text;
  if (masked.includes('"')) masked = maskObjects(masked, 0);
  if (masked.includes('\\"')) masked = maskObjects(masked, 1);
  if (masked.includes('\\\\\\"')) masked = maskObjects(masked, 3);
  return masked.includes('<') ? maskElements(masked) : masked;
}

/** @param escapes backslashes before a quote that begins or ends a string */
function maskObjects(text: string, escapes: number): string {
  const spans: [from: number, to: number][] = [];
  const entries: Entry[] = [];
  let deeper = 0;
  let begin = -1;
  let backslashes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) {
      backslashes += 1;
      continue;
    }
    const isQuote = code === 0x22 && backslashes % (2 * (escapes + 1)) === escapes;
    // Of JSON in a string the blanks between its parts are escaped.
    const isBlank = code <= 0x20 || backslashes > 0;
    backslashes = 0;
    const entry = entries.at(-1);
    if (isQuote && begin < 0) begin = at;
    else if (isQuote) {
      if (entry !== undefined && deeper === 0) readString(text, entry, begin, at, escapes);
      begin = -1;
    } else if (begin >= 0) continue;
    else if (code === 0x7b || code === 0x5b) {
      if (entry?.member === 'value' && entry.from < 0) entry.from = at;
      if (entries.length < DEPTH_MAXIMUM) entries.push({ isSecret: false, from: -1, to: -1, member: undefined });
      else deeper += 1;
    } else if (code === 0x7d || code === 0x5d) {
      if (deeper > 0) {
        deeper -= 1;
        continue;
      }
      if (entry !== undefined) endOf(entry, at, spans);
      entries.pop();
      const outer = entries.at(-1);
      if (outer?.member === 'value' && outer.to < 0) outer.to = at + 1;
    } else if (code === 0x2c) {
      if (entry !== undefined && deeper === 0) endMember(entry, at);
    } else if (entry?.member === 'value' && entry.from < 0 && !isBlank && code !== 0x3a) entry.from = at;
  }
  for (const entry of entries) endOf(entry, text.length, spans);
  return without(text, spans);
}

/** A string has been read: the name of a member, or what one holds. */
function readString(text: string, entry: Entry, begin: number, end: number, escapes: number): void {
  const isName = isMemberName(text, end + 1);
  const content = text.slice(begin + 1, Math.min(end - escapes, begin + 1 + NAME_CHARACTERS));
  if (isName) {
    entry.member = NAMING.test(content) ? 'name' : HOLDING.test(content) && entry.from < 0 ? 'value' : undefined;
  } else if (entry.member === 'name') {
    if (isSecretEntry(content)) entry.isSecret = true;
    entry.member = undefined;
  } else if (entry.member === 'value' && entry.from < 0) {
    entry.from = begin - escapes;
    entry.to = end + 1;
  }
}

/** Whether a colon follows, behind blanks. */
function isMemberName(text: string, from: number): boolean {
  let at = from;
  while (at < from + 8 && text.charCodeAt(at) <= 0x20) at += 1;
  return text.charCodeAt(at) === 0x3a;
}

function endMember(entry: Entry, at: number): void {
  if (entry.member === 'value' && entry.from >= 0 && entry.to < 0) entry.to = at;
  entry.member = undefined;
}

function endOf(entry: Entry, at: number, spans: [from: number, to: number][]): void {
  if (entry.isSecret && entry.from >= 0) spans.push([entry.from, entry.to < 0 ? at : entry.to]);
}

function without(text: string, spans: [from: number, to: number][]): string {
  if (spans.length === 0) return text;
  let masked = '';
  let reached = 0;
  for (const [from, to] of spans.sort((a, b) => a[0] - b[0])) {
    if (from < reached || /^(?:true|false|null)?\s*$/.test(text.slice(from, Math.min(to, from + 8)))) continue;
    masked += text.slice(reached, from) + MASK;
    reached = to;
  }
  return masked + text.slice(reached);
}

const NAME_AND_VALUE =
  /(<(?:name|key)>\s{0,64}([^<\s]{1,256})\s{0,64}<\/(?:name|key)>\s{0,64}<(?:value|string)>)[^<]+/gi;

/** Elements of XML: `<name>DbPassword</name><value>x</value>`. */
function maskElements(text: string): string {
  return text.replace(NAME_AND_VALUE, (whole, begin: string, name: string) =>
    isSecretEntry(name) ? begin + MASK : whole,
  );
}
