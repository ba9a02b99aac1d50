import { PENDING_PER_STREAM } from '../../limits.ts';
import type { Exchange, Incomplete } from '../../record/event.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { maskTarget } from '../../record/secrets.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocol.ts';
import { AT, AT_CHUNKED, AT_UNTIL_END } from './framing.ts';
import type { Head } from './head.ts';
import { MessageReader, type MessageSink } from './message.ts';
import { routeOf } from './route.ts';
import { startLineLikeness } from './start-line.ts';
import { upgradeOf } from './upgrade.ts';

/** A request that waits for its response, or is being answered. */
interface Request {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly version: string;
  readonly upgrade: string;
  readonly fields: Record<string, string> | undefined;
  readonly time: number;
  end: number;
  bytes: number;
  gap: boolean;
}

interface Response {
  readonly status: number;
  readonly reason: string;
  readonly version: string;
  readonly upgrade: string;
  readonly contentType: string;
  readonly fields: Record<string, string> | undefined;
  readonly time: number;
}

/** Of connections without any so far; never written to. */
const NO_REQUESTS: Request[] = [];
const NO_INTERIM: readonly number[] = [];

/** HTTP/1.x (RFC 9112) of one connection: requests and responses in order, pipelined or not. */
class Http1 implements StreamAnalyzer, MessageSink {
  readonly #context: StreamContext;
  /** Made when a direction first says something: of many connections only one side is seen. */
  #client: MessageReader | undefined;
  #server: MessageReader | undefined;
  #requests: Request[] = NO_REQUESTS;
  /** The request whose octets are coming, as long as they come. */
  #sending: Request | undefined;
  #response: Response | undefined;
  #interim: readonly number[] = NO_INTERIM;
  #next: StreamAnalyzer | undefined;
  /** After an upgrade to what is not decoded. */
  #tunnel = false;

  constructor(context: StreamContext) {
    this.#context = context;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#tunnel) return;
    if (this.#next !== undefined) {
      this.#next.data(side, bytes, start, end);
      return;
    }
    const at = this.#reader(side).data(bytes, start, end, this.#context.now);
    if (at < end) this.#rest(side, bytes, at, end);
  }

  #reader(side: Side): MessageReader {
    if (side === SIDE.client) {
      this.#client ??= new MessageReader(SIDE.client, this);
      return this.#client;
    }
    this.#server ??= new MessageReader(SIDE.server, this);
    return this.#server;
  }

  /** What came behind the message that changed the protocol. */
  #rest(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#next?.data(side, bytes, start, end);
  }

  gap(side: Side, length: number): void {
    if (this.#next !== undefined) this.#next.gap(side, length);
    else if (!this.#tunnel) this.#reader(side).gap(length, this.#context.now);
  }

  end(how: StreamEnd): void {
    if (this.#next !== undefined) {
      this.#next.end(how);
      return;
    }
    if (this.#response !== undefined) {
      const reader = this.#reader(SIDE.server);
      // Only a body without a length ends with the connection.
      const whole = reader.at === AT.untilEnd && how === 'closed';
      this.#finishResponse(
        reader.lastTime,
        reader.octets,
        whole ? undefined : how === 'reset' ? 'reset' : 'response not captured',
      );
    }
    const requests = this.#requests;
    this.#requests = NO_REQUESTS;
    for (const request of requests) {
      this.#emit(request, undefined, 0, 0, how === 'reset' ? 'reset' : 'no response');
    }
  }

  get detail(): boolean {
    return this.#context.detail;
  }

  get showSecrets(): boolean {
    return this.#context.showSecrets;
  }

  onHead(side: Side, head: Head, firstTime: number): number {
    if (head.isRequest !== (side === SIDE.client)) return -1;
    return side === SIDE.client ? this.#onRequest(head, firstTime) : this.#onResponse(head, firstTime);
  }

  onEnd(side: Side, octets: number, time: number, gap: boolean): boolean {
    if (side === SIDE.client) {
      const request = this.#sending;
      if (request !== undefined) {
        request.end = time;
        request.bytes = octets;
        request.gap = gap;
      }
      this.#sending = undefined;
      return true;
    }
    const response = this.#response;
    if (response === undefined) return true;
    if (response.status < 200 && response.status !== 101) {
      if (this.#interim.length < 16) this.#interim = [...this.#interim, response.status];
      this.#response = undefined;
      return true;
    }
    const [request] = this.#requests;
    this.#finishResponse(time, octets, gap ? 'response not captured' : undefined);
    return !this.#switches(response, request);
  }

  onLost(side: Side): void {
    if (side === SIDE.client) {
      this.#sending = undefined;
      return;
    }
    const reader = this.#reader(SIDE.server);
    if (this.#response !== undefined) this.#finishResponse(reader.lastTime, reader.octets, 'response not captured');
    // Which of them were answered in what is missing is not known; without pipelining, all but the last.
    while (this.#requests.length > 1) {
      const request = this.#requests.shift();
      if (request !== undefined) this.#emit(request, undefined, 0, 0, 'response not captured');
    }
  }

  #onRequest(head: Head, time: number): number {
    const request: Request = {
      method: head.method,
      target: head.target,
      host: this.#context.showSecrets ? head.host : maskTarget(head.host),
      version: head.version,
      upgrade: head.upgrade,
      fields: head.fields,
      time,
      end: time,
      bytes: 0,
      gap: false,
    };
    if (this.#requests.length >= PENDING_PER_STREAM) {
      const oldest = this.#requests.shift();
      if (oldest !== undefined) this.#emit(oldest, undefined, 0, 0, 'no response');
    }
    // An array's first push makes room for 17, and most connections have one request at a time.
    if (this.#requests === NO_REQUESTS) this.#requests = [request];
    else this.#requests.push(request);
    this.#sending = request;
    if (head.chunked) return AT_CHUNKED;
    return Math.max(0, head.contentLength);
  }

  #onResponse(head: Head, time: number): number {
    const { status, reason, version, upgrade, contentType, fields } = head;
    this.#response = { status, reason, version, upgrade, contentType, fields, time };
    // RFC 9112, section 6.3.
    const method = this.#requests[0]?.method;
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0;
    if (method === 'CONNECT' && status < 300) return 0;
    if (head.chunked) return AT_CHUNKED;
    return head.contentLength >= 0 ? head.contentLength : AT_UNTIL_END;
  }

  #finishResponse(end: number, octets: number, incomplete: Incomplete | undefined): void {
    const response = this.#response;
    this.#response = undefined;
    if (response === undefined) return;
    const request = this.#requests.shift();
    this.#emit(request, response, end, octets, incomplete);
    this.#interim = NO_INTERIM;
  }

  /** Whether the connection goes on as something else. */
  #switches({ status, upgrade }: Response, request: Request | undefined): boolean {
    if (status === 101) {
      const protocol = upgradeOf(upgrade || (request?.upgrade ?? ''));
      if (protocol === undefined) this.#tunnel = true;
      else this.#next = this.#context.become(protocol);
      return true;
    }
    if (request?.method !== 'CONNECT' || status >= 300) return false;
    this.#next = this.#context.become(undefined);
    return true;
  }

  #emit(
    request: Request | undefined,
    response: Response | undefined,
    responseEnd: number,
    octets: number,
    incomplete: Incomplete | undefined,
  ): void {
    const method = request?.method ?? '';
    const { showSecrets } = this.#context;
    const path = request === undefined ? '' : showSecrets ? request.target : maskTarget(request.target);
    const sent = request === this.#sending && request !== undefined ? this.#client : undefined;
    const route = request === undefined ? '(request not seen)' : routeOf(method, path);
    const exchange: Exchange = {
      kind: 'exchange',
      protocol: 'http',
      label: request === undefined ? '(request not seen)' : this.detail ? `${method} ${path}` : route,
      time: request?.time ?? response?.time ?? 0,
      requestEnd: sent?.lastTime ?? request?.end ?? response?.time ?? 0,
      responseTime: response?.time,
      responseEnd: response === undefined ? undefined : responseEnd,
      requestBytes: sent?.octets ?? request?.bytes ?? 0,
      responseBytes: octets,
      status: response === undefined ? '' : String(response.status),
      failed: response === undefined || response.status >= 500 || incomplete === 'reset',
      route,
      incomplete:
        incomplete ?? (request === undefined ? 'request not seen' : request.gap ? 'response not captured' : undefined),
      fields: { http: this.#fields(request, response, path) },
    };
    this.#context.emit(exchange);
  }

  #fields(request: Request | undefined, response: Response | undefined, path: string) {
    const plain = {
      method: request?.method,
      path: request === undefined ? undefined : path,
      host: request?.host || undefined,
      status: response?.status,
    };
    if (!this.#context.detail) return plain;
    return {
      ...plain,
      version: (request?.version ?? response?.version) || undefined,
      reason: response?.reason,
      contentType: response?.contentType || undefined,
      interim: this.#interim.length > 0 ? this.#interim : undefined,
      userAgent: request?.fields?.['user-agent'],
      requestId: request?.fields?.['x-request-id'],
      traceparent: request?.fields?.traceparent,
      requestHeaders: request?.fields,
      responseHeaders: response?.fields,
    };
  }
}

export const http1: StreamProtocol = {
  name: 'http',
  title: 'HTTP',
  ports: [80, 8080, 8000, 3000, 9090],
  fields: {
    'http.method': { type: 'string', about: 'request method, `GET`' },
    'http.path': { type: 'string', about: 'request target as sent, secrets in its query masked' },
    'http.host': { type: 'string', about: 'the Host field, or :authority' },
    'http.status': { type: 'int', about: 'status code of the final response' },
    'http.version': { type: 'string', about: '`1.1`, `2`' },
    'http.reason': { type: 'string', about: 'reason phrase (HTTP/1)' },
    'http.contentType': { type: 'string', about: "the response's Content-Type" },
    'http.interim': { type: 'list', about: 'status codes of interim (1xx) responses' },
    'http.userAgent': { type: 'string', about: "the request's User-Agent" },
    'http.requestId': { type: 'string', about: "the request's X-Request-Id" },
    'http.traceparent': { type: 'string', about: "the request's traceparent (W3C Trace Context)" },
    'http.requestHeaders': { type: 'map', about: 'header fields of the request by lower-case name, secrets masked' },
    'http.responseHeaders': { type: 'map', about: 'header fields of the response by lower-case name, secrets masked' },
  },
  probe: startLineLikeness,
  create: (context) => new Http1(context),
};
