import { TEXT_MAXIMUM } from '../../limits.ts';
import type { Exchange, Fields, Incomplete } from '../../record/event.ts';
import { maskField, maskTarget, maskText } from '../../record/secrets.ts';
import { routeOf } from '../http1/route.ts';
import { oneLine } from '../one-line.ts';
import { grpcMessage, grpcMethod, grpcStatus } from './grpc.ts';
import { MessageCounter } from './message-counter.ts';

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
}

/** One direction of a stream. */
export class Half {
  readonly fields: Record<string, string> | undefined;
  readonly messages = new MessageCounter();
  firstTime: number | undefined;
  lastTime = 0;
  octets = 0;
  ended = false;
  /** Its header fields have come (of a response: those of the final one). */
  begun = false;
  method = '';
  path = '';
  authority = '';
  status = '';
  contentType = '';
  grpcStatus = '';
  grpcMessage = '';
  readonly interim: number[] = [];
  readonly #secrets: boolean;
  #kept = 0;

  constructor(detail: boolean, secrets: boolean) {
    this.fields = detail ? {} : undefined;
    this.#secrets = secrets;
  }

  seen(now: number, octets: number): void {
    this.firstTime ??= now;
    this.lastTime = now;
    this.octets += octets;
  }

  field(name: string, value: string): void {
    switch (name) {
      case ':method':
        this.method = value;
        return;
      case ':path':
        this.path = value.slice(0, TEXT_MAXIMUM);
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
      case 'grpc-status':
        this.grpcStatus = value;
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
    const text = this.#secrets ? bounded : maskField(name, bounded);
    const known = Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
    const joined = known === undefined ? text : `${known}, ${text}`.slice(0, TEXT_MAXIMUM);
    Object.defineProperty(this.fields, name, { value: joined, enumerable: true, configurable: true, writable: true });
  }

  /** A request that came as HTTP/1.1, whole, with the upgrade. */
  takeUpgraded({ method, target, host, contentType, fields, time, end, bytes }: UpgradedRequest): void {
    this.seen(time, 0);
    this.seen(end, bytes);
    this.method = method;
    this.path = target;
    this.authority = host;
    this.contentType = contentType;
    if (this.fields !== undefined) Object.assign(this.fields, fields);
    this.begun = true;
    this.ended = true;
  }

  /** An interim response: its fields are not the final one's. */
  informational(): void {
    if (this.interim.length < 16) this.interim.push(Number(this.status));
    this.status = '';
  }
}

/** A stream of a connection (RFC 9113, section 5): a request and its response, or a gRPC call. */
export class Http2Stream {
  readonly request: Half;
  readonly response: Half;
  gap = false;
  /** What the server said then was not captured: there may have been an answer. */
  unheard = false;
  /** Name of the error that a RST_STREAM gave. */
  reset = '';

  constructor(detail: boolean, secrets: boolean) {
    this.request = new Half(detail, secrets);
    this.response = new Half(detail, secrets);
  }

  get isGrpc(): boolean {
    const { contentType } = this.request.contentType === '' ? this.response : this.request;
    return contentType.startsWith('application/grpc') && !contentType.startsWith('application/grpc-web');
  }

  exchange(detail: boolean, secrets: boolean, incomplete: Incomplete | undefined): Exchange {
    const { request, response } = this;
    const path = secrets ? request.path : maskTarget(request.path);
    const seen = request.method !== '';
    const http = this.#http(detail, path);
    const missing: Incomplete | undefined = this.gap ? 'response not captured' : seen ? undefined : 'request not seen';
    const common = {
      kind: 'exchange',
      time: request.firstTime ?? response.firstTime ?? 0,
      requestEnd: seen ? request.lastTime : (response.firstTime ?? 0),
      responseTime: response.firstTime,
      responseEnd: response.firstTime === undefined ? undefined : response.lastTime,
      requestBytes: request.octets,
      responseBytes: response.octets,
      incomplete: incomplete ?? missing,
    } as const;
    if (this.isGrpc) return { ...common, ...this.#grpc(path), fields: { grpc: this.#grpcFields(path), http } };
    const route = seen ? routeOf(request.method, path) : '(request not seen)';
    return {
      ...common,
      protocol: 'http',
      label: seen ? (detail ? oneLine(`${request.method} ${path}`) : route) : '(request not seen)',
      status: this.reset === '' ? response.status : `${response.status} RST ${this.reset}`.trim(),
      failed: response.status === '' || Number(response.status) >= 500 || this.reset !== '',
      route,
      fields: { http },
    };
  }

  #grpc(path: string): Pick<Exchange, 'protocol' | 'label' | 'status' | 'failed' | 'route'> {
    const { response } = this;
    const status = grpcStatus(response.grpcStatus);
    const message = response.grpcMessage;
    const told = status === undefined ? (this.reset === '' ? '' : `RST ${this.reset}`) : status;
    const name = path === '' ? '(request not seen)' : oneLine(path.replace(/^\//, ''));
    return {
      protocol: 'grpc',
      label: name,
      status: oneLine(message === '' || status === 'OK' ? told : `${told} ${message}`),
      failed: status !== 'OK',
      route: name,
    };
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
      type: requests > 1 || responses > 1 ? 'streaming' : 'unary',
    };
  }

  #http(detail: boolean, path: string): Fields {
    const { request, response } = this;
    const status = response.status === '' ? undefined : Number(response.status);
    const plain = {
      method: request.method || undefined,
      path: path || undefined,
      host: request.authority || undefined,
      status: Number.isNaN(status) ? undefined : status,
      version: '2',
    };
    if (!detail) return plain;
    return {
      ...plain,
      contentType: response.contentType || undefined,
      interim: response.interim.length > 0 ? response.interim : undefined,
      userAgent: request.fields?.['user-agent'],
      requestId: request.fields?.['x-request-id'],
      traceparent: request.fields?.traceparent,
      requestHeaders: request.fields,
      responseHeaders: response.fields,
    };
  }
}
