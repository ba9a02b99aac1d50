import type { AnalysisEvent, Exchange, Fields, FieldValue } from './event.ts';
import { LateFields } from './late-fields.ts';
import { MASK } from './mask.ts';
import { PlainTexts } from './plain-texts.ts';
import { maskField } from './secret-headers.ts';
import { maskShapes } from './secret-shapes.ts';
import { maskTarget, maskText } from './secrets.ts';
import { CacheOfTexts } from './text-cache.ts';

/** Protocols whose texts are names, numbers and digests: nothing of them is taken for a secret. */
const NAMES_ONLY: ReadonlySet<string> = new Set([
  'dns',
  'mdns',
  'llmnr',
  'tls',
  'quic',
  'tcp',
  'udp',
  'icmp',
  'sctp',
  'proxy',
]);
/** Their statements are masked word by word (protocols/statement-secrets.ts): `token = t.token` holds none. */
const STATEMENTS: ReadonlySet<string> = new Set(['mysql', 'postgresql']);

/** Members that hold header fields by name. */
const HEADERS: ReadonlySet<string> = new Set(['requestHeaders', 'responseHeaders', 'metadata', 'trailers']);
/** Members that are ids, addresses, names and digests as they were sent. */
const SHOWN: ReadonlySet<string> = new Set(
  'host authority requestId traceparent contentType version method service mechanism protocol ip address'.split(' '),
);

type Mask = (text: string) => string;

/** Longer texts are bodies, which do not come often. */
const CACHED_CHARACTERS = 2048;

const texts = new CacheOfTexts();
const plain = new PlainTexts((text) => maskText(maskTarget(text)));
const routes = new CacheOfTexts();

/** What any text of a protocol becomes. Most texts come often. */
function anyText(text: string): string {
  if (text.length > CACHED_CHARACTERS) return maskText(maskTarget(text));
  return text.length < 8 || plain.has(text) ? text : maskedAnew(text);
}

/** A function of its own: what its closure uses is allocated wherever the function around it is entered. */
function maskedAnew(text: string): string {
  return texts.of(text, '', () => plain.masked(text));
}

function statement(text: string): string {
  return text.length < 20 ? text : texts.of(text, 'sql', () => maskShapes(text));
}

/**
 * The event as outputs and conditions may see it without `--show-secrets`: the one place through which every text of an
 * event passes. What only its protocol can know (the argument of AUTH, a statement's column) is masked before.
 * @returns the same event where nothing in it is masked
 */
export function maskEvent<Event extends AnalysisEvent>(event: Event): Event;
export function maskEvent(event: AnalysisEvent): AnalysisEvent {
  if (NAMES_ONLY.has(event.protocol)) return event;
  const mask = STATEMENTS.has(event.protocol) ? statement : anyText;
  const label = mask(event.label);
  const fields =
    event.fields instanceof LateFields
      ? LateFields.changed(event.fields, maskAnyFields)
      : maskFields(event.fields, mask);
  if (event.kind !== 'exchange') {
    return label === event.label && fields === event.fields ? event : { ...event, label, fields };
  }
  const route = event.route === event.label ? label : maskedRoute(event.route, mask);
  const status = mask(event.status);
  const same = label === event.label && fields === event.fields && route === event.route && status === event.status;
  return same ? event : { ...event, label, fields, route, status };
}

/**
 * The same for outputs that show no single event (`detail` false): what they count under, route and status, is masked. Events
 * that are no messages, and exchanges that failed or are not whole, are masked in full, for findings cite them. Of all others
 * label and fields are as the protocol made them, and must not be shown.
 * @returns the same event where nothing is masked
 */
export function maskCounted<Event extends AnalysisEvent>(event: Event): Event;
export function maskCounted(event: AnalysisEvent): AnalysisEvent {
  if (event.kind === 'message' || NAMES_ONLY.has(event.protocol)) return event;
  if (event.kind === 'event' || event.failed || event.incomplete !== undefined || isCited(event))
    return maskEvent(event);
  const mask = STATEMENTS.has(event.protocol) ? statement : anyText;
  const route = maskedRoute(event.route, mask);
  const status = mask(event.status);
  return route === event.route && status === event.status ? event : { ...event, route, status };
}

/** Whether findings cite an exchange that did not fail: one that the server refused. */
function isCited({ status }: Exchange): boolean {
  return status.charCodeAt(0) === 0x34;
}

function maskedRoute(route: string, mask: Mask): string {
  return routes.known(route) ?? routes.of(route, '', () => mask(route));
}

function maskAnyFields(fields: Fields): Fields {
  return maskFields(fields, anyText);
}

function maskFields(fields: Fields, mask: Mask): Fields {
  let masked: Record<string, FieldValue | undefined> | undefined;
  for (const name in fields) {
    const value = fields[name];
    const own = SHOWN.has(name) && typeof value === 'string' ? value : maskMember(name, value, mask);
    if (own === value) continue;
    masked ??= Object.assign(Object.create(null), fields) as Record<string, FieldValue | undefined>;
    masked[name] = own;
  }
  return masked === undefined ? fields : { ...masked };
}

function maskMember(name: string, value: FieldValue | undefined, mask: Mask): FieldValue | undefined {
  if (typeof value === 'string') return value === MASK ? value : mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) {
    const list = value.map((each) => maskMember(name, each, mask) as FieldValue);
    return list.every((each, index) => each === value[index]) ? value : list;
  }
  return HEADERS.has(name) ? maskHeaders(value) : maskFields(value, mask);
}

function isList(value: readonly FieldValue[] | Fields): value is readonly FieldValue[] {
  return Array.isArray(value);
}

/** @returns the same fields where nothing in them is masked: protocols mask most of it as they read it */
function maskHeaders(fields: Fields): Fields {
  let isSame = true;
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === 'string' && maskField(name, value) === value && anyText(name) === name) continue;
    isSame = false;
    break;
  }
  if (isSame) return fields;
  const masked: Record<string, FieldValue | undefined> = {};
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    // A name such as __proto__ is a name like others.
    Object.defineProperty(masked, anyText(name), {
      value: typeof value === 'string' ? maskField(name, value) : value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return masked;
}
