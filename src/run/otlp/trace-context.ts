import type { Fields } from '../../analyze/record/event.ts';
import { fieldsIn, textIn } from '../../analyze/record/field-values.ts';

/** The trace that a request says it belongs to. */
export interface TraceContext {
  /** 32 hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** The sender's span, 16 hexadecimal digits. */
  readonly parentSpanId: string;
  /** Whether those who made the trace record it; undefined where they leave that open. */
  readonly sampled: boolean | undefined;
  /** trace-flags of W3C Trace Context, 8 bits. */
  readonly flags: number;
}

/** The sampled bit of trace-flags (W3C Trace Context, section 3.2.2.5.1). */
export const SAMPLED = 1;

const TRACE = '(?!0+(?![0-9a-f]))([0-9a-f]{16}|[0-9a-f]{32})';
const SPAN = '(?!0{16})([0-9a-f]{16})';

/** version, trace-id, parent-id, trace-flags (W3C Trace Context, section 3.2); further members of later versions follow. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
/** trace, span, sampling state, parent (github.com/openzipkin/b3-propagation, single header). */
const B3 = new RegExp(`^${TRACE}-${SPAN}(?:-([01d])(?:-[0-9a-f]{16})?)?$`);
const B3_TRACE = new RegExp(`^${TRACE}$`);
const B3_SPAN = new RegExp(`^${SPAN}$`);

/** @param http the protocol's member of an exchange or a record; undefined for other protocols */
export function traceContextOf(http: Fields | undefined): TraceContext | undefined {
  if (http === undefined) return undefined;
  const headers = fieldsIn(http.requestHeaders);
  const header = (name: string) => textIn(headers?.[name]);
  return w3c(textIn(http.traceparent)) ?? b3(header('b3')) ?? b3Parts(header);
}

function w3c(text: string): TraceContext | undefined {
  const [, traceId, parentSpanId, digits = ''] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || parentSpanId === undefined) return undefined;
  const flags = Number.parseInt(digits, 16);
  return { traceId, parentSpanId, sampled: (flags & SAMPLED) !== 0, flags };
}

function b3(text: string): TraceContext | undefined {
  const [, trace, parentSpanId, state] = B3.exec(text) ?? [];
  return trace === undefined || parentSpanId === undefined ? undefined : b3Context(trace, parentSpanId, state);
}

/** B3 in one header per part. */
function b3Parts(header: (name: string) => string): TraceContext | undefined {
  const [, trace] = B3_TRACE.exec(header('x-b3-traceid')) ?? [];
  const [, parentSpanId] = B3_SPAN.exec(header('x-b3-spanid')) ?? [];
  if (trace === undefined || parentSpanId === undefined) return undefined;
  const state = header('x-b3-flags') === '1' ? 'd' : header('x-b3-sampled');
  return b3Context(trace, parentSpanId, state);
}

/** Ids of 64 bits get zeros before them, as OpenTelemetry's B3 propagator does it. @param state empty or undefined: left open */
function b3Context(trace: string, parentSpanId: string, state: string | undefined): TraceContext {
  const isOpen = state === undefined || state === '';
  const sampled = isOpen ? undefined : state !== '0' && state !== 'false';
  return { traceId: trace.padStart(32, '0'), parentSpanId, sampled, flags: sampled === false ? 0 : SAMPLED };
}
