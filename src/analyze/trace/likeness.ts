import type { Exchange, Fields, FieldValue } from '../record/event.ts';
import { fieldsIn } from '../record/field-values.ts';
import { MASK } from '../record/mask.ts';

/** How much speaks for a call being made because of a request, and of which kind it is. */
export interface Likeness {
  readonly score: number;
  /** An id of the request is in the call too. */
  readonly sameId: boolean;
  /** The request was passed on: same method, and the path or an id. */
  readonly passedOn: boolean;
}

const POINTS = { id: 8, ownPath: 7, path: 4, method: 2, forwardedFor: 3, body: 3, response: 3, question: 8 } as const;

/** A path that few requests have: with a query, or an id among its segments. */
const OWN_PATH = /\?.|\/(?:\d+|[0-9a-f-]{16,})(?:\/|$)/i;

/** Names of headers with an id that stays the same from hop to hop. */
const IDS = ['x-request-id', 'x-b3-traceid', 'x-correlation-id', 'x-amzn-trace-id', 'uber-trace-id'] as const;

/**
 * Compares a request that a proxy or service took with a call that it made (design: trace, through a proxy). Only what is in
 * the packets counts.
 * @param clientAddress RFC 5952 text of the outer request's client
 */
export function likeness(outer: Exchange, inner: Exchange, clientAddress: string): Likeness {
  if (isSameQuestion(outer, inner)) return { score: POINTS.question, sameId: false, passedOn: true };
  const one = httpOf(outer);
  const other = httpOf(inner);
  if (one === undefined || other === undefined) return { score: 0, sameId: false, passedOn: false };
  const oneHeaders = fieldsIn(one.requestHeaders);
  const otherHeaders = fieldsIn(other.requestHeaders);
  const sameId =
    IDS.some((name) => isSame(oneHeaders?.[name], otherHeaders?.[name])) ||
    isSame(traceId(one.traceparent), traceId(other.traceparent));
  const sameMethod = isSame(one.method, other.method);
  const samePath = sameMethod && isSame(one.path, other.path);
  let score = sameId ? POINTS.id : 0;
  if (samePath) score += typeof one.path === 'string' && OWN_PATH.test(one.path) ? POINTS.ownPath : POINTS.path;
  else if (sameMethod && isRewritten(one.path, other.path)) score += POINTS.method;
  if (endsWith(otherHeaders?.['x-forwarded-for'], clientAddress)) score += POINTS.forwardedFor;
  if (isSame(oneHeaders?.['content-length'], otherHeaders?.['content-length'])) score += POINTS.body;
  const oneResponse = fieldsIn(one.responseHeaders);
  const otherResponse = fieldsIn(other.responseHeaders);
  const sameResponse =
    isSame(oneResponse?.['content-length'], otherResponse?.['content-length']) ||
    isSame(oneResponse?.etag, otherResponse?.etag);
  if (one.status !== undefined && one.status === other.status && sameResponse) score += POINTS.response;
  return { score, sameId, passedOn: sameMethod && (samePath || (sameId && isRewritten(one.path, other.path))) };
}

/** DNS: both ask for the same type of the same name; case has no meaning (RFC 4343). */
function isSameQuestion(one: Exchange, other: Exchange): boolean {
  if (one.protocol !== 'dns' || other.protocol !== 'dns') return false;
  const asked = fieldsIn(one.fields.dns);
  const passed = fieldsIn(other.fields.dns);
  return (
    asked?.type === passed?.type &&
    typeof asked?.name === 'string' &&
    typeof passed?.name === 'string' &&
    asked.name.toLowerCase() === passed.name.toLowerCase()
  );
}

function httpOf({ fields }: Exchange): Fields | undefined {
  return fieldsIn(fields.http);
}

/** Whether both are there and equal; what is masked equals nothing: masks of different secrets are the same. */
function isSame(one: FieldValue | undefined, other: FieldValue | undefined): boolean {
  return typeof one === 'string' && one !== '' && one === other && !one.includes(MASK);
}

/** The trace id of a traceparent (W3C Trace Context, section 3.2). */
function traceId(value: FieldValue | undefined): string | undefined {
  return typeof value === 'string' ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(value)?.[1] : undefined;
}

/** One path ends with the other: a proxy took a prefix off, or put one before it. */
function isRewritten(one: FieldValue | undefined, other: FieldValue | undefined): boolean {
  if (typeof one !== 'string' || typeof other !== 'string' || one.length < 2 || other.length < 2) return false;
  return one.endsWith(other) || other.endsWith(one);
}

function endsWith(list: FieldValue | undefined, address: string): boolean {
  return typeof list === 'string' && list.split(',').at(-1)?.trim() === address;
}
