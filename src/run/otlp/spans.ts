import { createHash } from 'node:crypto';
import { type Fields, SIDE } from '../../analyze/record/event.ts';
import { fieldsIn, textIn } from '../../analyze/record/field-values.ts';
import type { EventRecord, PeerRecord } from '../../analyze/record/record.ts';
import type { Confidence } from '../../analyze/trace/call.ts';
import { type Attributes, type KeyValue, keyValues, validText } from './attributes.ts';
import { durationOf, observedSide } from './conventions.ts';
import { resourceOf } from './resource.ts';
import { SAMPLED, type TraceContext, traceContextOf } from './trace-context.ts';

/** Kinds and status codes of spans (opentelemetry/proto/trace/v1/trace.proto). */
const KIND = { server: 2, client: 3 } as const;
const STATUS_ERROR = 2;

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
  readonly links?: readonly SpanLink[] | undefined;
}

interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly KeyValue[];
}

/** What spans below another one need of it. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Those who made the trace record it; undefined where no header names the trace, or they leave that open. */
  readonly sampled: boolean | undefined;
}

/** The request because of which another one was made, and how sure that is. */
export interface Above {
  readonly context: SpanContext;
  readonly confidence: Confidence;
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
  readonly above?: Above | undefined;
  /** An id that names the trace where no header does, and no request that this one is proven to belong to. */
  readonly carriedId?: string | undefined;
}

/** A span and whose it is. */
export interface OwnedSpan {
  readonly resource: Attributes;
  readonly span: Span;
  readonly context: SpanContext;
}

/**
 * The span of an exchange. Its trace and parent are those that its headers name; else those of the request that it was proven to be made
 * because of; else it begins a trace. A request that is likely its reason is a link. Ids come from the connection and the time, so that the
 * same capture gives the same ids; the trace's from an id that was carried through, where there is one, so that others who see it agree.
 */
export function spanOf({ record, status, probe, start, end, above, carriedId }: SpanSource): OwnedSpan {
  const { protocol, src, dst, failed, route = '', incomplete } = record;
  const isClient = observedSide(protocol) === SIDE.client;
  const own = isClient ? src : dst;
  const ids = idsOf([protocol, addressOf(src), addressOf(dst), String(start), record.label].join('\n'));
  const { traceId, parentSpanId, sampled, flags, isBelow } = placeOf(
    traceContextOf(fieldsOf(record, 'http')),
    above,
    carriedId === undefined ? ids.trace : idsOf(`x-request-id\n${carriedId}`).trace,
  );
  const { attributes } = durationOf({ protocol, route, status, failed, probe });
  return {
    resource: resourceOf(own, own?.ip ?? 'unknown'),
    context: { traceId, spanId: ids.span, sampled },
    span: {
      traceId,
      spanId: ids.span,
      parentSpanId,
      flags,
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
        'ksnoop.joined': isBelow ? 'proven' : undefined,
      }),
      status: failed ? { code: STATUS_ERROR, message: validText(record.status ?? incomplete ?? '') } : {},
      links: above === undefined || above.context.traceId === traceId ? undefined : [linkTo(above)],
    },
  };
}

/** Which trace and parent a span has. @param named what its headers say @param ownTrace where nothing says which it is */
function placeOf(named: TraceContext | undefined, above: Above | undefined, ownTrace: string) {
  const outer = above?.confidence === 'proven' ? above.context : undefined;
  if (named !== undefined) return { ...named, isBelow: false };
  if (outer === undefined) {
    return { traceId: ownTrace, parentSpanId: undefined, sampled: undefined, flags: SAMPLED, isBelow: false };
  }
  const { traceId, spanId, sampled } = outer;
  return { traceId, parentSpanId: spanId, sampled, flags: sampled === false ? 0 : SAMPLED, isBelow: true };
}

function linkTo({ context: { traceId, spanId }, confidence }: Above): SpanLink {
  return { traceId, spanId, attributes: keyValues({ 'ksnoop.joined': confidence }) };
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
