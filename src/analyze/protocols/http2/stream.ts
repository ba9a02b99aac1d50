import { TEXT_MAXIMUM } from '../../limits.ts';
import type { Exchange, Fields, Incomplete, Side } from '../../record/event.ts';
import { maskField } from '../../record/secret-headers.ts';
import { maskTarget, maskText } from '../../record/secrets.ts';
import { ErrorBody } from '../http1/error-body.ts';
import { bodiesOf } from '../http1/exchange.ts';
import type { BodyTaker } from '../http1/framing.ts';
import { type Bodies, both, MessageBody } from '../http1/message-body.ts';
import { routeOf } from '../http1/route.ts';
import { oneLine } from '../one-line.ts';
import type { StreamContext } from '../protocol.ts';
import type { FrameClock, FrameReader } from './frame-reader.ts';
import { grpcMessage, grpcMethod, grpcStatus, grpcTimeout } from './grpc.ts';
import { UNKNOWN } from './hpack.ts';
import { MessageCounter } from './message-counter.ts';

/** Why these count as failed whatever the status: the response will not come, or not to its end. */
const FAILURES: ReadonlySet<Incomplete | undefined> = new Set(['reset', 'closed early', 'no response']);

/** Header fields kept of one message for those who look. */
const FIELDS_MAXIMUM = 100;

/** The request of HTTP/1.1 that a connection was upgraded with. */
export interface UpgradedRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly contentType: string;
  /** Its header fields, of those who look. */
  readonly fields: Record<string, string> | undefined;
  /** Times of its first and last byte: ns since the analysis' first packet. */
  readonly time: number;
  readonly end: number;
  readonly bytes: number;
  /** Where bodies are wanted. */
  readonly body?: MessageBody | undefined;
}

type FrameStart = Pick<FrameReader, 'began' | 'beganKnown'>;

/** One direction of a stream. */
export class Half {
  readonly fields: Record<string, string> | undefined;
  readonly messages = new MessageCounter();
  firstTime: number | undefined;
  lastTime = 0;
  bytes = 0;
  ended = false;
  /** Bytes of it were not captured; its first bytes were, its last bytes were; all its times are known. */
  gap = false;
  startSeen = true;
  endSeen = true;
  timeKnown = true;
  /** Header fields of it stand in a table whose beginning was not seen. */
  unknown = false;
  /** Its header fields have come (of a response: those of the final one). */
  begun = false;
  method = '';
  path = '';
  authority = '';
  status = '';
  contentType = '';
  requestId = '';
  grpcStatus = '';
  grpcMessage = '';
  /** The deadline that the client set, ns from the request's start; undefined where it set none. */
  grpcTimeout: number | undefined;
  readonly interim: number[] = [];
  /** What came last of it was an interim response, or ends with one. */
  #isInterim = false;
  /** Of an error's response, its beginning; where bodies are wanted, the body. */
  errorBody: ErrorBody | undefined;
  body: MessageBody | undefined;
  #taker: BodyTaker | undefined;
  #hasBody = false;
  readonly #secrets: boolean;
  #kept = 0;
  /** Characters of its fields that are kept. */
  kept = 0;

  constructor(detail: boolean, secrets: boolean) {
    this.fields = detail ? {} : undefined;
    this.#secrets = secrets;
  }

  /** Bytes of it came. @param frame when the frame they are of began */
  seen({ now, timeKnown }: FrameClock, bytes: number, frame: FrameStart = { began: now, beganKnown: timeKnown }): void {
    if (this.firstTime === undefined || (this.#isInterim && !this.begun)) {
      this.#isInterim = false;
      this.firstTime = frame.began;
      if (!frame.beganKnown) this.timeKnown = false;
    }
    this.lastTime = now;
    this.bytes += bytes;
    this.endSeen = true;
    if (!timeKnown) this.timeKnown = false;
  }

  /** Bytes of it were not captured. */
  missed(): void {
    this.gap = true;
    this.endSeen = false;
    this.#taker?.cut();
  }

  /** Bytes of its body, without padding. @param bodies where bodies are wanted */
  data(bytes: Uint8Array, start: number, end: number, bodies: Bodies | undefined): void {
    if (this.fields === undefined) return;
    if (!this.#hasBody) {
      this.#hasBody = true;
      const encoding = this.fields['content-encoding'] ?? '';
      if (ErrorBody.isWanted(Number(this.status), this.contentType))
        this.errorBody = new ErrorBody(this.contentType, encoding);
      if (bodies !== undefined) this.body = new MessageBody(bodies, this.contentType, encoding);
      this.#taker = both(this.errorBody, this.body);
      if (this.gap) this.#taker?.cut();
    }
    this.#taker?.take(bytes, start, end);
  }

  /** Its header fields are those of a request or response, not trailers alone, as far as they are known. */
  get isHead(): boolean {
    return this.method !== '' || this.status !== '' || this.unknown;
  }

  field(name: string, value: string): void {
    if (name === UNKNOWN) this.unknown = true;
    switch (name) {
      case ':method':
        this.method = value;
        return;
      case ':path':
        this.path = value.slice(0, TEXT_MAXIMUM);
        this.kept += this.path.length;
        return;
      case ':authority':
        this.authority = this.#secrets ? value.slice(0, TEXT_MAXIMUM) : maskTarget(value.slice(0, TEXT_MAXIMUM));
        return;
      case ':status':
        this.status = value;
        return;
      case 'content-type':
        this.contentType = value.slice(0, TEXT_MAXIMUM);
        break;
      case 'x-request-id':
        this.requestId = value.slice(0, TEXT_MAXIMUM);
        if (!this.#secrets) this.requestId = maskField(name, this.requestId);
        break;
      case 'grpc-status':
        this.grpcStatus = value;
        break;
      case 'grpc-timeout':
        this.grpcTimeout = grpcTimeout(value);
        break;
      case 'grpc-message':
        this.grpcMessage = grpcMessage(value.slice(0, TEXT_MAXIMUM));
        if (!this.#secrets) this.grpcMessage = maskText(this.grpcMessage);
        break;
      default:
    }
    if (this.fields === undefined || name.startsWith(':') || this.#kept >= FIELDS_MAXIMUM) return;
    this.#kept += 1;
    const bounded = value.slice(0, TEXT_MAXIMUM);
    this.kept += name.length + bounded.length;
    const text = this.#secrets ? bounded : maskField(name, bounded);
    const known = Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
    const joined = known === undefined ? text : `${known}, ${text}`.slice(0, TEXT_MAXIMUM);
    Object.defineProperty(this.fields, name, { value: joined, enumerable: true, configurable: true, writable: true });
  }

  /** A request that came as HTTP/1.1, whole, with the upgrade. */
  takeUpgraded({ method, target, host, contentType, fields, time, end, bytes, body }: UpgradedRequest): void {
    this.seen({ now: time, timeKnown: true }, 0);
    this.seen({ now: end, timeKnown: true }, bytes);
    this.method = method;
    this.path = target;
    this.authority = host;
    this.contentType = contentType;
    if (this.fields !== undefined) Object.assign(this.fields, fields);
    this.body = body;
    // What may come on the stream is none of this body.
    this.#hasBody = true;
    this.begun = true;
    this.ended = true;
  }

  /** An interim response: neither its fields nor its time are the final one's, which may begin in the same bytes. */
  informational(): void {
    this.firstTime = this.lastTime;
    this.#isInterim = true;
    if (this.interim.length < 16) this.interim.push(Number(this.status));
    this.status = '';
  }
}

/** What decides how an exchange is shown. */
type ExchangeContext = Pick<StreamContext, 'detail' | 'labels' | 'showSecrets'>;

/** A stream of a connection (RFC 9113, section 5; RFC 9114, section 4): a request and its response, or a gRPC call. */
export class Http2Stream {
  readonly request: Half;
  readonly response: Half;
  /** Bytes that it counts for among what is pending; 0 for one that waited behind none. */
  counted = 0;
  /** The server promised it (push): there was no request from the client. */
  pushed = false;
  /** What the server sent then was not captured: there may have been a response. */
  unheard = false;
  /** Name of the error that a RST_STREAM gave, and when it came, ns. */
  reset = '';
  resetTime: number | undefined;

  readonly #version: '2' | '3';

  constructor(detail: boolean, secrets: boolean, version: '2' | '3' = '2') {
    this.#version = version;
    this.request = new Half(detail, secrets);
    this.response = new Half(detail, secrets);
  }

  get isGrpc(): boolean {
    const { contentType } = this.request.contentType === '' ? this.response : this.request;
    if (contentType === '') return this.response.grpcStatus !== '';
    return contentType.startsWith('application/grpc') && !contentType.startsWith('application/grpc-web');
  }

  /** @param incomplete why the response did not come to its end; undefined where it did @param endedBy who saw to that */
  exchange(
    { detail, labels, showSecrets: secrets }: ExchangeContext,
    incomplete: Incomplete | undefined,
    endedBy: Side | undefined,
  ): Exchange {
    const { request, response } = this;
    const path = secrets ? request.path : maskTarget(request.path);
    const http = this.#http(detail, path);
    const missing = request.begun ? (request.gap ? 'request not captured' : undefined) : 'request not seen';
    const why = incomplete ?? missing;
    // Without a request there are no durations; 'request not seen' marks that.
    const timed =
      request.timeKnown && response.timeKnown && (request.firstTime !== undefined || why === 'request not seen');
    const answered = response.firstTime !== undefined && timed;
    const common = {
      kind: 'exchange',
      time: request.firstTime ?? response.firstTime ?? 0,
      requestEnd: request.firstTime === undefined ? (response.firstTime ?? 0) : request.lastTime,
      responseTime: answered && response.startSeen ? response.firstTime : undefined,
      responseEnd: answered && response.endSeen ? response.lastTime : undefined,
      requestBytes: request.bytes,
      responseBytes: response.bytes,
      endedBy,
      incomplete: why,
    } as const;
    const name = this.#name();
    if (this.isGrpc)
      return { ...common, ...this.#grpc(path, name, incomplete), fields: { grpc: this.#grpcFields(path), http } };
    const route = name ?? routeOf(request.method, path);
    return {
      ...common,
      protocol: 'http',
      label: name ?? (detail || labels === true ? oneLine(`${request.method} ${path}`) : route),
      status: this.reset === '' ? response.status : `${response.status} RST ${this.reset}`.trim(),
      failed: Number(response.status) >= 500 || FAILURES.has(incomplete),
      route,
      fields: { http },
    };
  }

  /** What stands for a request whose method or path is not known. */
  #name(): string | undefined {
    const { begun, method, path } = this.request;
    if (!begun) return '(request not seen)';
    return method === '' || path === '' ? '(request unknown)' : undefined;
  }

  #grpc(
    path: string,
    name: string | undefined,
    incomplete: Incomplete | undefined,
  ): Pick<Exchange, 'protocol' | 'label' | 'status' | 'failed' | 'route'> {
    const { response } = this;
    const status = grpcStatus(response.grpcStatus);
    const message = response.grpcMessage;
    const label = name ?? oneLine(path.replace(/^\//, ''));
    return {
      protocol: 'grpc',
      label,
      status: oneLine(message === '' || status === 'OK' ? this.#grpcCode() : `${this.#grpcCode()} ${message}`),
      failed: status === undefined ? FAILURES.has(incomplete) || this.#refused(incomplete) : status !== 'OK',
      route: label,
    };
  }

  /** The status by its code, or what came in its place. */
  #grpcCode(): string {
    const { response, reset } = this;
    const status = grpcStatus(response.grpcStatus);
    if (status !== undefined) return status;
    if (reset !== '') return `RST ${reset}`;
    return response.status === '' || response.status === '200' ? '' : `HTTP ${response.status}`;
  }

  /** A response in full without a gRPC status: a proxy's, or of a server that broke off. */
  #refused(incomplete: Incomplete | undefined): boolean {
    const { response } = this;
    if (response.status !== '' && response.status !== '200') return true;
    return incomplete === undefined && response.status === '200' && !response.unknown;
  }

  #grpcFields(path: string): Fields {
    const { request, response } = this;
    const { service, method } = grpcMethod(path);
    const requests = request.messages.messages;
    const responses = response.messages.messages;
    return {
      service: service || undefined,
      method: method || undefined,
      status: grpcStatus(response.grpcStatus),
      message: response.grpcMessage === '' ? undefined : oneLine(response.grpcMessage),
      requests,
      responses,
      timeout: request.grpcTimeout,
      resetAfter: this.#resetAfter(),
      type: requests > 1 || responses > 1 ? 'streaming' : 'unary',
    };
  }

  /** How long after the request's start a stream with a deadline was reset, ns. */
  #resetAfter(): number | undefined {
    const { firstTime, grpcTimeout: timeout, timeKnown } = this.request;
    if (this.resetTime === undefined || timeout === undefined || firstTime === undefined || !timeKnown)
      return undefined;
    const after = this.resetTime - firstTime;
    return after >= 0 ? after : undefined;
  }

  #http(detail: boolean, path: string): Fields {
    const { request, response } = this;
    const status = response.status === '' ? undefined : Number(response.status);
    const plain = {
      method: request.method || undefined,
      path: path || undefined,
      host: request.authority || undefined,
      status: Number.isNaN(status) ? undefined : status,
      version: this.#version,
      pushed: this.pushed ? true : undefined,
    };
    if (!request.ended) request.body?.stop();
    if (!response.ended) response.body?.stop();
    if (!detail) return request.requestId === '' ? plain : { ...plain, requestId: request.requestId };
    return {
      ...plain,
      contentType: response.contentType || undefined,
      interim: response.interim.length > 0 ? response.interim : undefined,
      userAgent: request.fields?.['user-agent'],
      requestId: request.fields?.['x-request-id'],
      traceparent: request.fields?.traceparent,
      requestHeaders: request.fields,
      responseHeaders: response.fields,
      error: response.errorBody?.text(),
      ...bodiesOf(request.body, response.body, request.path),
    };
  }
}
