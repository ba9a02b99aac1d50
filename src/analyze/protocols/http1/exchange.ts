import type { Exchange, Fields, Incomplete, Side } from '../../record/event.ts';
import { LateFields } from '../../record/late-fields.ts';
import { PlainTexts } from '../../record/plain-texts.ts';
import { maskField } from '../../record/secret-headers.ts';
import { maskTarget } from '../../record/secrets.ts';
import { CacheOfTexts } from '../../record/text-cache.ts';
import type { ErrorBody } from './error-body.ts';
import type { Head } from './head.ts';
import { lateHead } from './late-head.ts';
import type { MessageBody } from './message-body.ts';
import { routeOf } from './route.ts';

/** A request that waits for its response, or is being answered. */
export interface Request {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly version: string;
  readonly upgrade: string;
  readonly probe: boolean;
  readonly contentType: string;
  readonly expectsContinue: boolean;
  readonly fields: Record<string, string> | undefined;
  /** Its head as it came, where `fields` is read late; else empty. */
  readonly head: string;
  /** Its X-Request-Id, where `fields` is undefined; may be empty. */
  readonly requestId: string;
  readonly time: number;
  /** Time of its last byte so far, and its bytes so far. */
  end: number;
  bytes: number;
  /** Some of its bytes were not captured. */
  gap: boolean;
  timeKnown: boolean;
  /** Where bodies are wanted. */
  readonly body?: MessageBody | undefined;
}

/** A response under way. */
export interface Response {
  /** 0 without one: HTTP/0.9, or a head that was cut in its first line. */
  readonly status: number;
  readonly reason: string;
  readonly version: string;
  readonly upgrade: string;
  readonly contentType: string;
  readonly fields: Record<string, string> | undefined;
  /** As Request.head; `reason` and `contentType` are read late too. */
  readonly head: string;
  readonly time: number;
  /** Its bytes by its own head; undefined where the head does not give them. */
  readonly declared: number | undefined;
  /** What it answers; undefined where that was not captured or is not certain. `unpaired` has the reason, also where it is only likely. */
  readonly request: Request | undefined;
  readonly unpaired: Incomplete | undefined;
  /** The beginning of an error's body, where it is a text. */
  readonly errorBody?: ErrorBody | undefined;
  /** Where bodies are wanted. */
  readonly body?: MessageBody | undefined;
}

/** How much of a response came, and why not all of it. */
export interface ResponseEnd {
  readonly bytes: number;
  /** Time of its last byte; undefined where that was not seen. */
  readonly time: number | undefined;
  readonly timeKnown: boolean;
  readonly incomplete: Incomplete | undefined;
  readonly endedBy: Side | undefined;
}

/** What an exchange is made of. */
export interface Parts {
  readonly request: Request | undefined;
  readonly response: Response | undefined;
  readonly end: ResponseEnd;
  /** Status codes of interim responses. */
  readonly interim: readonly number[];
}

/** Why these count as failed, besides a status of 500 and more: the response will not come, or not to its end. */
const FAILURES: ReadonlySet<Incomplete> = new Set(['reset', 'closed early', 'no response', 'timed out']);

export function requestOf(head: Head, time: number, showSecrets: boolean, body: MessageBody | undefined): Request {
  return {
    method: head.method,
    target: head.target,
    host: showSecrets || head.host === '' ? head.host : maskedHost(head.host),
    version: head.version,
    upgrade: head.upgrade,
    probe: head.probe,
    contentType: head.contentType,
    expectsContinue: head.expectsContinue,
    fields: head.fields,
    head: head.text,
    requestId: showSecrets || head.requestId === '' ? head.requestId : maskField('x-request-id', head.requestId),
    time,
    end: time,
    bytes: 0,
    gap: false,
    timeKnown: true,
    body,
  };
}

/** An exchange as far as it came. @param detail with what only those look at who see single events @param isLabelled with its path in its label, not its route alone */
export function exchangeOf(parts: Parts, detail: boolean, showSecrets: boolean, isLabelled: boolean): Exchange {
  const { request, response, end } = parts;
  const method = request?.method ?? '';
  const path = request === undefined ? '' : showSecrets ? request.target : maskedTarget(request.target);
  const unseen = response?.unpaired === 'unknown' ? '(request unknown)' : '(request not seen)';
  const route = request === undefined ? unseen : routeOf(method, path);
  const status = response === undefined || response.status === 0 ? undefined : response.status;
  // Of a pair that is not proven nothing else is certain either.
  const unproven = response?.unpaired === 'unknown' ? response.unpaired : undefined;
  const missing = request?.gap === true ? 'request not captured' : undefined;
  const incomplete = unproven ?? end.incomplete ?? response?.unpaired ?? missing;
  // Without a request there are no durations; 'request not seen' marks that.
  const timed = (request === undefined ? incomplete === 'request not seen' : request.timeKnown) && end.timeKnown;
  return {
    kind: 'exchange',
    protocol: 'http',
    label: request === undefined ? unseen : isLabelled ? `${method} ${path}` : route,
    time: request?.time ?? response?.time ?? 0,
    requestEnd: request?.end ?? response?.time ?? 0,
    responseTime: timed ? response?.time : undefined,
    responseEnd: timed && response !== undefined ? end.time : undefined,
    requestBytes: request?.bytes ?? 0,
    responseBytes: end.bytes,
    declaredBytes: response?.declared,
    endedBy: end.endedBy,
    status: status === undefined ? '' : String(status),
    failed: (status !== undefined && status >= 500) || (incomplete !== undefined && FAILURES.has(incomplete)),
    route,
    probe: request?.probe === true ? true : undefined,
    incomplete,
    fields: !detail
      ? countedFields(request)
      : (request !== undefined && request.head !== '') || (response !== undefined && response.head !== '')
        ? lateFields(path, status, parts, showSecrets)
        : { http: fieldsOf(path, status, parts) },
  };
}

type ShownParts = Pick<Parts, 'request' | 'response' | 'interim'>;

/** A function of its own, as those with a closure below: what a closure uses is allocated wherever the function around it is entered. */
function lateFields(path: string, status: number | undefined, parts: ShownParts, showSecrets: boolean): LateFields {
  return new LateFields(() => ({ http: fieldsOf(path, status, lateParts(parts, showSecrets)) }));
}

/** What was kept of heads, read. */
function lateParts({ request, response, interim }: ShownParts, showSecrets: boolean): ShownParts {
  return {
    request:
      request === undefined || request.head === '' ? request : { ...request, ...lateHead(request.head, showSecrets) },
    response:
      response === undefined || response.head === ''
        ? response
        : { ...response, ...lateHead(response.head, showSecrets) },
    interim,
  };
}

const NO_FIELDS: Fields = Object.freeze({});

/** What findings need of an exchange whose fields are not shown. */
function countedFields(request: Request | undefined): Fields {
  const requestId = request?.requestId ?? '';
  return requestId === '' ? NO_FIELDS : { http: { requestId } };
}

/** Each has a cache of its own: hosts come again where targets do not, and a cache of such targets costs more than masking them. */
const targets = new CacheOfTexts();
const plainTargets = new PlainTexts(maskTarget);
const hosts = new CacheOfTexts();

function maskedTarget(target: string): string {
  return plainTargets.has(target) ? target : targetMaskedAnew(target);
}

function targetMaskedAnew(target: string): string {
  return targets.of(target, '', () => plainTargets.masked(target));
}

function maskedHost(host: string): string {
  return hosts.of(host, '', () => maskTarget(host));
}

function fieldsOf(path: string, status: number | undefined, { request, response, interim }: ShownParts): Fields {
  return {
    method: request?.method,
    path: request === undefined ? undefined : path,
    host: request?.host || undefined,
    status,
    ...detailOf(request, response, interim),
  };
}

function detailOf(request: Request | undefined, response: Response | undefined, interim: readonly number[]) {
  return {
    version: (request?.version ?? response?.version) || undefined,
    reason: response?.reason,
    contentType: response?.contentType || undefined,
    interim: interim.length > 0 ? interim : undefined,
    userAgent: request?.fields?.['user-agent'],
    requestId: request?.fields?.['x-request-id'],
    traceparent: request?.fields?.traceparent,
    requestHeaders: request?.fields,
    responseHeaders: response?.fields,
    error: response?.errorBody?.text(),
    ...bodiesOf(request?.body, response?.body, request?.target),
  };
}

/** The members for bodies, where they are wanted. @param target of the request, where it is known */
export function bodiesOf(
  request: MessageBody | undefined,
  response: MessageBody | undefined,
  target: string | undefined,
): Fields {
  if (request === undefined && response === undefined) return NO_FIELDS;
  const sent = request?.end(target);
  const received = response?.end(target);
  return {
    requestBody: sent?.text,
    requestBodyNote: sent?.note,
    responseBody: received?.text,
    responseBodyNote: received?.note,
  };
}
