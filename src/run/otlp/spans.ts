import { createHash } from 'node:crypto';
import { type Fields, SIDE } from '../../analyze/record/event.ts';
import { fieldsIn, textIn } from '../../analyze/record/field-values.ts';
import type { EventRecord, PeerRecord } from '../../analyze/record/record.ts';
import { type Attributes, type KeyValue, keyValues, validText } from './attributes.ts';
import { durationOf, observedSide } from './conventions.ts';
import { resourceOf } from './resource.ts';

/** Kinds and status codes of spans (opentelemetry/proto/trace/v1/trace.proto). */
const KIND = { server: 2, client: 3 } as const;
const STATUS_ERROR = 2;

/** The sampled bit of trace-flags (W3C Trace Context, section 3.2.2.5.1). */
const SAMPLED = 1;

/** version, trace-id, parent-id, trace-flags (W3C Trace Context, section 3.2); further members of later versions follow. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** A span as OTLP/JSON has it. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** An exchange as it becomes a span. */
export interface SpanSource {
  /** With the protocol's own fields, secrets masked. */
  readonly record: EventRecord;
  /** The status' code (summary/status-code.ts). */
  readonly status: string;
  readonly probe: boolean;
  /** First byte of the request and last of the response, ns since 1970. */
  readonly start: bigint;
  readonly end: bigint;
}

/** A span and whose it is. */
export interface OwnedSpan {
  readonly resource: Attributes;
  readonly span: Span;
  /** The trace is recorded by those who made it: its traceparent says so; undefined where there is no traceparent. */
  readonly sampled: boolean | undefined;
}

/**
 * The span of an exchange: a child of the span that its traceparent names, else a trace of its own. Its id, and without a traceparent the
 * trace's id, come from the connection and the time, so that the same capture gives the same ids.
 */
export function spanOf({ record, status, probe, start, end }: SpanSource): OwnedSpan {
  const { protocol, src, dst, failed, route = '', incomplete } = record;
  const isClient = observedSide(protocol) === SIDE.client;
  const own = isClient ? src : dst;
  const [, traceId, parentSpanId, flags] = TRACEPARENT.exec(textIn(fieldsOf(record, 'http')?.traceparent)) ?? [];
  const ids = idsOf([protocol, addressOf(src), addressOf(dst), String(start), record.label].join('\n'));
  const trace = flags === undefined ? SAMPLED : Number.parseInt(flags, 16);
  const { attributes } = durationOf({ protocol, route, status, failed, probe });
  return {
    resource: resourceOf(own, own?.ip ?? 'unknown'),
    sampled: flags === undefined ? undefined : (trace & SAMPLED) !== 0,
    span: {
      traceId: traceId ?? ids.trace,
      spanId: ids.span,
      parentSpanId,
      flags: trace,
      name: validText(nameOf(protocol, route)),
      kind: isClient ? KIND.client : KIND.server,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(end),
      attributes: keyValues({
        ...attributes,
        ...peers(src, dst),
        ...protocolAttributes(record),
        'network.protocol.name': protocol,
        'ksnoop.flow': record.flow,
        'ksnoop.interface': record.interface,
        'ksnoop.time_to_first_byte': record.ttfb === undefined ? undefined : record.ttfb / 1e9,
        'ksnoop.incomplete': incomplete,
      }),
      status: failed ? { code: STATUS_ERROR, message: validText(record.status ?? incomplete ?? '') } : {},
    },
  };
}

function nameOf(protocol: string, route: string): string {
  if (protocol === 'grpc') return route.replace(/^\//, '');
  return route === '' ? protocol : route;
}

function peers(src: PeerRecord | undefined, dst: PeerRecord | undefined): Attributes {
  return {
    'server.address': nameAt(dst),
    'server.port': dst?.port,
    'client.address': nameAt(src),
    'client.port': src?.port,
    'network.peer.address': src?.ip,
    'network.local.address': dst?.ip,
  };
}

function nameAt(peer: PeerRecord | undefined): string | undefined {
  if (peer === undefined) return undefined;
  const { service, pod, namespace, name, node, ip } = peer;
  const local = service ?? pod;
  if (local === undefined) return name ?? node ?? ip;
  return namespace === undefined ? local : `${local}.${namespace}`;
}

function protocolAttributes(record: EventRecord): Attributes {
  const http = fieldsOf(record, 'http');
  const sql = fieldsOf(record, 'sql');
  const path = textIn(http?.path);
  const query = path.indexOf('?');
  return {
    'url.path': path === '' ? undefined : query < 0 ? path : path.slice(0, query),
    'url.query': query < 0 ? undefined : path.slice(query + 1),
    'network.protocol.version': textIn(http?.version) || undefined,
    'user_agent.original': textIn(http?.userAgent) || undefined,
    'db.query.text': textIn(sql?.statement) || undefined,
    'db.namespace': textIn(sql?.database) || textIn(fieldsOf(record, 'mongodb')?.database) || undefined,
    'ksnoop.request.bytes': record.requestBytes,
    'ksnoop.response.bytes': record.responseBytes,
  };
}

/** A protocol's own members of a record. */
function fieldsOf(record: EventRecord, protocol: string): Fields | undefined {
  return fieldsIn((record as unknown as Fields)[protocol]);
}

function addressOf(peer: PeerRecord | undefined): string {
  return `${peer?.ip ?? ''} ${peer?.port ?? ''}`;
}

function idsOf(text: string): { readonly trace: string; readonly span: string } {
  const hex = createHash('sha256').update(text).digest('hex');
  return { trace: hex.slice(0, 32), span: hex.slice(32, 48) };
}
