import type { Fields, Incomplete } from '../../record/event.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { http2After } from '../http2/index.ts';
import { type Answer, Pairing } from '../pairing.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocol.ts';
import { protocolLost } from '../protocol-lost.ts';
import { connectTarget } from './connect-target.ts';
import { ErrorBody } from './error-body.ts';
import { exchangeOf, type Request, type Response, type ResponseEnd, requestOf } from './exchange.ts';
import { AT, AT_CHUNKED, AT_UNTIL_END } from './framing.ts';
import type { Head } from './head.ts';
import { MessageReader, type MessageSink } from './message.ts';
import { both, MessageBody } from './message-body.ts';
import { startLineLikeness } from './start-line.ts';
import { UPGRADE_HTTP2, upgradeOf } from './upgrade.ts';

/** `GET / HTTP/1.1` and an empty line. */
const SHORTEST_REQUEST = 18;

const NOT_REPORTED = [false, false] as const;
const NO_INTERIM: readonly number[] = [];
const INTERIM_MAXIMUM = 16;

/** Of a request without a response. */
const NOTHING_CAME = { bytes: 0, time: undefined, timeKnown: true, endedBy: undefined } as const;

/** How a connection ended, and by whom. */
interface Ending {
  readonly how: StreamEnd;
  readonly by: Side | undefined;
}

/** HTTP/1.x (RFC 9112) of one connection: requests and responses in order, pipelined or not. */
class Http1 implements StreamAnalyzer, MessageSink {
  readonly #context: StreamContext;
  readonly #pairing: Pairing<Request>;
  /** While a message of the direction is under way; between two of them only where the next byte lies in the stream. */
  #client: MessageReader | undefined;
  #server: MessageReader | undefined;
  #clientAt = 0;
  #serverAt = 0;
  /** The request whose bytes are coming, as long as they come. */
  #sending: Request | undefined;
  #response: Response | undefined;
  #interim: readonly number[] = NO_INTERIM;
  #next: StreamAnalyzer | undefined;
  /** After an upgrade to what is not decoded. */
  #tunnel = false;
  /** Bytes of the server were not captured, or not understood, since its last response. */
  #answersLost = false;
  #ended = false;
  /** By side: whether an event has reported that it is not understood. */
  #reported: readonly [boolean, boolean] = NOT_REPORTED;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#pairing = new Pairing(context, SHORTEST_REQUEST);
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#tunnel) return;
    if (this.#next !== undefined) {
      this.#next.data(side, bytes, start, end);
      return;
    }
    const { now, offset, acknowledged } = this.#context;
    const reader = this.#reader(side);
    const at = reader.data(bytes, start, end, now, offset, acknowledged);
    // What came behind the message that changed the protocol.
    if (at < end) this.#handOn(side, bytes, at, end);
    else if (reader.isIdle) this.#release(side, reader);
  }

  /** A direction's message has ended, and the next one has not begun. */
  #release(side: Side, reader: MessageReader): void {
    if (side === SIDE.client) {
      this.#clientAt = reader.position;
      this.#client = undefined;
    } else {
      this.#serverAt = reader.position;
      this.#server = undefined;
    }
    reader.free();
  }

  #handOn(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#next?.data(side, bytes, start, end);
  }

  #reader(side: Side): MessageReader {
    if (side === SIDE.client) {
      this.#client ??= MessageReader.at(SIDE.client, this, this.#clientAt);
      return this.#client;
    }
    this.#server ??= MessageReader.at(SIDE.server, this, this.#serverAt);
    return this.#server;
  }

  gap(side: Side, length: number): void {
    if (this.#next !== undefined) this.#next.gap(side, length);
    else if (!this.#tunnel) this.#reader(side).missing(length);
  }

  unread(side: Side): number {
    // Responses decide what becomes of a client's bytes: they may refuse a body, or change the protocol within it.
    return side === SIDE.client || this.#next !== undefined ? 0 : (this.#server?.unread ?? 0);
  }

  end(how: StreamEnd, by?: Side): void {
    if (this.#next !== undefined) {
      this.#next.end(how, by);
      return;
    }
    const ending = { how, by };
    this.#ended = true;
    if (this.#client?.inHead === true) this.#client.giveUpHead();
    const server = this.#server;
    if (server !== undefined) {
      if (this.#response === undefined && server.inHead) this.#cutResponse(server);
      const response = this.#response;
      if (response !== undefined) {
        // A body that may not come did not.
        const incomplete = server.inDoubt ? undefined : this.#cutBy(server, ending);
        const endedBy = incomplete === 'reset' || incomplete === 'closed early' ? this.#endedBy(ending) : undefined;
        this.#finishResponse(endOf(server, incomplete, endedBy));
      }
    }
    this.#giveUp(this.#pairing.doubtful(), 'unknown');
    const unanswered = this.#unanswered(ending);
    const failed = unanswered === 'no response' || unanswered === 'reset';
    this.#giveUp(this.#pairing.rest(), unanswered, failed ? this.#endedBy(ending) : undefined);
  }

  /** Why a response under way does not go on; undefined when it is complete. */
  #cutBy(server: MessageReader, { how }: Ending): Incomplete | undefined {
    const closed = how === 'closed' || this.#context.finSeen(SIDE.server);
    // A body without a length ends with the server's stream, whatever else becomes of the connection.
    if (closed) return server.at === AT.untilEnd ? (server.gap ? 'response not captured' : undefined) : 'closed early';
    if (how === 'reset') return 'reset';
    return how === 'capture ended' ? 'capture ended' : 'unknown';
  }

  /** Why requests have no response at the connection's end. */
  #unanswered({ how }: Ending): Incomplete {
    // What the server sent is not known to its end: the responses may be in it.
    if (this.#answersLost) return 'response not captured';
    if (this.#reported[SIDE.server]) return 'unknown';
    // Where requests may have been missed, what the server sent since the oldest that waits may answer one of those.
    const sent = this.#server?.position ?? this.#serverAt;
    if (!this.#pairing.inStep && sent > this.#pairing.firstAcknowledged) return 'unknown';
    if (how === 'reset') return 'reset';
    if (how === 'closed' || this.#context.finSeen(SIDE.server)) return 'no response';
    return how === 'capture ended' ? 'capture ended' : 'unknown';
  }

  #endedBy({ by }: Ending): Side | undefined {
    return by ?? (this.#context.finSeen(SIDE.server) ? SIDE.server : undefined);
  }

  get detail(): boolean {
    return this.#context.detail;
  }

  get #isLabelled(): boolean {
    return this.#context.detail || this.#context.labels === true;
  }

  get late(): boolean {
    return this.#context.late === true;
  }

  get showSecrets(): boolean {
    return this.#context.showSecrets;
  }

  get timeKnown(): boolean {
    return this.#context.timeKnown;
  }

  onHead(reader: MessageReader, head: Head): number {
    const isClient = reader.side === SIDE.client;
    if (head.isRequest !== isClient) return -1;
    return isClient ? this.#onRequest(reader, head) : this.#onResponse(reader, head);
  }

  onEnd(reader: MessageReader): boolean {
    if (reader.side === SIDE.client) {
      this.#sent(reader);
      this.#sending = undefined;
      return true;
    }
    const response = this.#response;
    if (response === undefined) return true;
    if (isInterim(response.status)) {
      if (this.#interim.length < INTERIM_MAXIMUM) this.#interim = [...this.#interim, response.status];
      this.#response = undefined;
      return true;
    }
    const next = this.#switches(response);
    // The request that upgraded to HTTP/2 is answered there.
    if (next === undefined || next.answered) {
      const incomplete = reader.gap ? 'response not captured' : undefined;
      this.#finishResponse(endOf(reader, incomplete, undefined));
    }
    if (next === undefined) return true;
    this.#response = undefined;
    // Nothing answers these any more, so that nothing else gives back what is kept of their bodies.
    if (!next.tunnel) for (const request of this.#pairing.rest()) request.body?.release();
    if (next.connect !== undefined) this.#context.annotate({ connect: next.connect });
    if (next.tunnel) this.#tunnel = true;
    else this.#next = this.#context.become(next.protocol);
    return false;
  }

  onBare(reader: MessageReader): boolean {
    if (reader.side === SIDE.client || this.#pairing.first?.version !== '0.9' || !this.#pairing.inStep) return false;
    const { firstTime: time } = reader;
    this.#response = { ...NO_HEAD, version: '0.9', time, declared: undefined, ...this.#answer(reader) };
    return true;
  }

  onLost(reader: MessageReader, why: string): void {
    if (this.#ended) return;
    const { side } = reader;
    if (why !== '') this.#tellLost(reader, why);
    if (side === SIDE.client) {
      if (this.#sending !== undefined) {
        this.#sent(reader);
        this.#sending.gap = true;
        this.#sending = undefined;
      }
      return;
    }
    if (this.#response === undefined) return;
    const incomplete = why === '' ? 'response not captured' : 'unknown';
    this.#finishResponse({ ...endOf(reader, incomplete, undefined), time: undefined });
  }

  onHole(reader: MessageReader, offset: number, length: number): void {
    if (reader.side === SIDE.client) this.#pairing.clientGap(offset, length);
    else {
      this.#answersLost = true;
      this.#pairing.serverGap(offset, length);
    }
  }

  #tellLost({ side, lostAt: position }: MessageReader, why: string): void {
    if (this.#reported[side]) return;
    this.#reported = side === SIDE.client ? [true, this.#reported[1]] : [this.#reported[0], true];
    const next = side === SIDE.client ? 'resumes at the next request' : 'resumes at the next response';
    const { now: time } = this.#context;
    this.#context.emit(protocolLost({ protocol: 'http', title: 'HTTP', side, position, time, why, next }));
  }

  #onRequest(reader: MessageReader, head: Head): number {
    const body = this.#wantedBody(head);
    const request = requestOf(head, reader.firstTime, this.showSecrets, body);
    reader.body = body;
    this.#sending = request;
    this.#sent(reader);
    const { start, headEnd: end, acknowledged } = reader;
    const isAnswering = this.#response !== undefined && !isInterim(this.#response.status);
    const dropped = this.#pairing.push(request, { start, end, acknowledged, isAnswering });
    if (dropped !== undefined) this.#giveUp([dropped], 'unknown');
    if (head.chunked) return AT_CHUNKED;
    return Math.max(0, head.contentLength);
  }

  #onResponse(reader: MessageReader, head: Head): number {
    const { status, reason, version, upgrade, contentType, fields, text } = head;
    const { firstTime: time } = reader;
    if (isInterim(status)) {
      this.#response = {
        ...NO_HEAD,
        status,
        version,
        time,
        declared: undefined,
        request: undefined,
        unpaired: undefined,
      };
      return 0;
    }
    this.#answerToCutHead(reader);
    const { request, unpaired } = this.#answer(reader);
    const body = bodyOf(head, request);
    const declared = body >= 0 && !reader.inHead ? reader.bytes + body : undefined;
    const errorBody =
      this.detail && ErrorBody.isWanted(status, contentType)
        ? new ErrorBody(contentType, fields?.['content-encoding'] ?? '')
        : undefined;
    const wanted = this.#wantedBody(head);
    reader.body = both(errorBody, wanted);
    const common = {
      status,
      reason,
      version,
      upgrade,
      contentType,
      fields,
      head: text,
      time,
      declared,
      request,
      unpaired,
    };
    this.#response = reader.body === undefined ? common : { ...common, errorBody, body: wanted };
    // To a HEAD, which may have been the request, comes no body; behind a 204 there should be none, and some servers send it.
    if ((request === undefined && body !== 0) || (status === 204 && body > 0)) reader.mayLackBody = true;
    // The client that waits for a 100 has its answer, and need not send the body.
    if (request !== undefined && request === this.#sending && request.expectsContinue) this.#client?.doubtBody();
    return body;
  }

  /** Who keeps a message's body, where bodies are wanted. */
  #wantedBody({ contentType, fields }: Head): MessageBody | undefined {
    const { bodies } = this.#context;
    if (bodies === undefined || !this.detail) return undefined;
    return new MessageBody(bodies, contentType, fields?.['content-encoding'] ?? '');
  }

  /** Nothing more comes of a response's head: it is a response all the same. */
  #cutResponse(server: MessageReader): void {
    const { firstTime: time } = server;
    server.giveUpHead();
    if (this.#response !== undefined) return;
    this.#response = { ...NO_HEAD, version: '', time, declared: undefined, ...this.#answer(server) };
  }

  /** A response that answers a request of which the head does not end: 408, 431. What came of that head is a request. */
  #answerToCutHead({ acknowledged }: MessageReader): void {
    const client = this.#client;
    if (client === undefined || !client.inHead || this.#pairing.size > 0 || !this.#pairing.inStep) return;
    if (acknowledged < 0 || acknowledged > client.start) client.giveUpHead();
  }

  #answer({ start, acknowledged }: MessageReader): Pick<Response, 'request' | 'unpaired'> {
    const answer: Answer<Request> = this.#pairing.answer({ start, acknowledged, hasNoLogin: true });
    this.#giveUp(answer.skipped, 'response not captured');
    this.#giveUp(answer.unpaired, 'unknown');
    this.#answersLost = false;
    if (answer.kind !== 'paired') return { request: undefined, unpaired: answer.kind };
    return { request: answer.request, unpaired: answer.proven ? undefined : 'unknown' };
  }

  /** Copies what has come of the request under way. */
  #sent(reader: MessageReader): void {
    const request = this.#sending;
    if (request === undefined) return;
    request.end = reader.lastTime;
    request.bytes = reader.bytes;
    request.gap ||= reader.gap;
    request.timeKnown &&= reader.timeKnown;
  }

  #finishResponse(end: ResponseEnd): void {
    const response = this.#response;
    this.#response = undefined;
    if (response === undefined) return;
    const { request } = response;
    if (request !== undefined && request === this.#sending && this.#client !== undefined) {
      this.#sent(this.#client);
      request.body?.stop();
    }
    if (end.incomplete !== undefined) response.body?.stop();
    const parts = { request, response, end, interim: this.#interim };
    this.#context.emit(exchangeOf(parts, this.detail, this.showSecrets, this.#isLabelled));
    this.#interim = NO_INTERIM;
  }

  #giveUp(requests: readonly Request[], incomplete: Incomplete, endedBy?: Side): void {
    for (const request of requests) {
      if (request === this.#sending && this.#client !== undefined) {
        this.#sent(this.#client);
        request.body?.stop();
      }
      const end = { ...NOTHING_CAME, incomplete, endedBy };
      const parts = { request, response: undefined, end, interim: NO_INTERIM };
      this.#context.emit(exchangeOf(parts, this.detail, this.showSecrets, this.#isLabelled));
    }
  }

  /** The protocol that follows this response; undefined while it stays HTTP/1. */
  #switches({ status, upgrade, request }: Response): Switch | undefined {
    if (status === 101) {
      const token = upgrade || (request?.upgrade ?? '');
      if (token === UPGRADE_HTTP2 && request !== undefined) {
        return { protocol: http2After(request), answered: false, tunnel: false };
      }
      const protocol = upgradeOf(token);
      return { protocol, answered: true, tunnel: protocol === undefined };
    }
    if (request?.method !== 'CONNECT' || status >= 300) return undefined;
    return { protocol: undefined, answered: true, tunnel: false, connect: connectTarget(request.target) };
  }
}

/** What follows HTTP/1 on a connection; `protocol` is undefined where anything may follow. */
interface Switch {
  readonly protocol: StreamProtocol | undefined;
  /** The response that switched answers the request. */
  readonly answered: boolean;
  /** What follows is not looked at. */
  readonly tunnel: boolean;
  /** Where a CONNECT leads. */
  readonly connect?: Fields | undefined;
}

/** Of a response without a head. */
const NO_HEAD = { status: 0, reason: '', upgrade: '', contentType: '', fields: undefined, head: '' } as const;

function isInterim(status: number): boolean {
  return status < 200 && status > 0 && status !== 101;
}

/** RFC 9112, section 6.3. */
function bodyOf(head: Head, request: Request | undefined): number {
  const { status } = head;
  if (request?.method === 'HEAD' || status < 200 || status === 304) return 0;
  if (status === 204) return Math.max(0, head.contentLength);
  if (request?.method === 'CONNECT' && status < 300) return 0;
  if (head.chunked) return AT_CHUNKED;
  return head.contentLength >= 0 ? head.contentLength : AT_UNTIL_END;
}

function endOf(
  { bytes, lastTime, endSeen, timeKnown }: MessageReader,
  incomplete: Incomplete | undefined,
  endedBy: Side | undefined,
): ResponseEnd {
  return { bytes, time: endSeen ? lastTime : undefined, timeKnown, incomplete, endedBy };
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
    'http.version': { type: 'string', about: '`1.1`, `2`, `3`' },
    'http.pushed': { type: 'bool', about: 'the server sent it without a request (HTTP/2 PUSH_PROMISE)' },
    'http.reason': { type: 'string', about: 'reason phrase (HTTP/1)' },
    'http.contentType': { type: 'string', about: "the response's Content-Type" },
    'connect.host': {
      type: 'string',
      about: 'host or address to which a CONNECT leads; with its port in every record of the connection behind it',
    },
    'connect.port': { type: 'int', about: 'port to which a CONNECT leads' },
    'http.interim': { type: 'list', about: 'status codes of interim (1xx) responses' },
    'http.userAgent': { type: 'string', about: "the request's User-Agent" },
    'http.requestId': { type: 'string', about: "the request's X-Request-Id" },
    'http.traceparent': { type: 'string', about: "the request's traceparent (W3C Trace Context)" },
    'http.requestHeaders': { type: 'map', about: 'header fields of the request by lower-case name, secrets masked' },
    'http.responseHeaders': { type: 'map', about: 'header fields of the response by lower-case name, secrets masked' },
    'http.error': {
      type: 'string',
      about:
        'first line of the body of a 4xx or 5xx response, its title where it is HTML; decompressed, secrets masked',
    },
    'http.requestBody': { type: 'string', about: "with --body: the request's body, decompressed, secrets masked" },
    'http.requestBodyNote': { type: 'string', about: 'with --body: why the body is not there, or not all of it' },
    'http.responseBody': { type: 'string', about: "with --body: the response's body, decompressed, secrets masked" },
    'http.responseBodyNote': { type: 'string', about: 'with --body: why the body is not there, or not all of it' },
  },
  probe: startLineLikeness,
  create: (context) => new Http1(context),
};
