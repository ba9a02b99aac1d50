import { i32, u8, u16 } from '../../bytes.ts';
import { type Exchange, type Fields, SIDE, type Side } from '../../record/event.ts';
import { utf8 } from '../../record/text.ts';
import { FramedConnection, type FramedMessage } from '../framed-connection.ts';
import { type Ending, failedWithout, measured } from '../framed-exchange.ts';
import { NumberedRequests } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { REQUEST_NOT_SEEN, unfinished } from '../unfinished.ts';
import {
  API_VERSIONS,
  APIS,
  apiName,
  CREATE_TOPICS,
  DESCRIBE_TOPIC_PARTITIONS,
  FETCH,
  METADATA,
  NAMES_TOPIC,
  PRODUCE,
  SASL_HANDSHAKE,
} from './apis.ts';
import { errorName } from './errors.ts';
import { MESSAGE_MAXIMUM, REQUEST_HEADER, REQUEST_SEEK, requestBegins, requestLength } from './request.ts';
import { REQUESTS, RESPONSES } from './schemas.ts';
import { type TopicNames, Walker } from './walker.ts';

/** Bytes kept of a request and of a response: names of topics and error codes come before the records. */
const REQUEST_KEEP = 4096;
const RESPONSE_KEEP = 16_384;

/** Least bytes of a response: length, correlation id, an error code. */
const RESPONSE_MINIMUM = 10;
const RESPONSE_HEADER = 8;

interface Request {
  readonly key: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly topicCount: number;
  readonly group: string;
  readonly mechanism: string;
  readonly acks: number;
  readonly message: FramedMessage;
}

interface Response {
  readonly message: FramedMessage;
  readonly status: string;
  readonly code: number;
}

const walker = new Walker();

/** Kafka's requests and responses of one connection, paired by correlation id; a broker answers in order. */
export class KafkaConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #connection: FramedConnection;
  readonly #pending: NumberedRequests<Request>;
  readonly #topicNames: TopicNames;
  /** What the fetch session is about: later fetches of it name only what changes (KIP-227). */
  #fetched: { topics: readonly string[]; topicCount: number } = { topics: [], topicCount: 0 };
  /** How the connection ended, while what is under way is handed over. */
  #ending: Ending = {};

  constructor(context: StreamContext) {
    this.#context = context;
    this.#topicNames = context.topicNames ?? new Map();
    this.#connection = new FramedConnection(context, {
      protocol: 'kafka',
      title: 'Kafka',
      sides: [
        {
          header: REQUEST_HEADER,
          keep: REQUEST_KEEP,
          seeking: { bytes: REQUEST_SEEK, begins: requestBegins },
          lengthOf: requestLength,
          onMessage: this.#onRequest.bind(this),
        },
        {
          header: RESPONSE_HEADER,
          keep: RESPONSE_KEEP,
          seeking: {
            bytes: RESPONSE_MINIMUM,
            begins: (bytes, start, _end, offset) => this.#responseBegins(bytes, start, offset),
          },
          lengthOf: (bytes, start) =>
            this.#isUnseen || this.#isAwaited(bytes, start) ? responseLength(bytes, start) : 0,
          onMessage: this.#onResponse.bind(this),
        },
      ],
    });
    this.#pending = new NumberedRequests<Request>(this.#connection, {
      context,
      kept: REQUEST_KEEP,
      ordered: true,
      unanswered: (request, why, endedBy) => {
        // Of one that was captured in part it is not known whether it wanted an answer.
        const isUnclear = why === 'no response' && request.key === PRODUCE && !request.message.whole;
        this.#emit(request, undefined, isUnclear ? { incomplete: 'unknown' } : { incomplete: why, endedBy });
      },
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#connection.data(side, bytes, start, end);
  }

  gap(side: Side, length: number): void {
    this.#connection.gap(side, length);
  }

  end(how: StreamEnd, by?: Side): void {
    this.#ending = { incomplete: unfinished(how, true), endedBy: by };
    this.#connection.end();
    this.#pending.end(how, by);
  }

  /** Responses to requests that were not captured may come. */
  get #isUnseen(): boolean {
    return this.#context.midstream || this.#connection.missedSince(SIDE.client, -1);
  }

  #isAwaited(bytes: Uint8Array, start: number): boolean {
    return this.#pending.has(i32(bytes, start + 4));
  }

  /** Whether a response begins here, with its packet: small numbers such as these may stand anywhere. */
  #responseBegins(bytes: Uint8Array, start: number, offset: number): boolean {
    if (!this.#connection.beginsPacket(SIDE.server, offset)) return false;
    return this.#isAwaited(bytes, start) && responseLength(bytes, start) > 0;
  }

  #onRequest(bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    if (end - start < REQUEST_HEADER) return;
    const key = u16(bytes, start + 4);
    const version = u16(bytes, start + 6);
    const correlationId = i32(bytes, start + 8);
    const clientIdLength = u16(bytes, start + 12);
    const body = start + REQUEST_HEADER + (clientIdLength === 0xffff ? 0 : clientIdLength);
    this.#walkRequest(key, version, bytes, body, end);
    let { topicCount } = walker;
    let topics: readonly string[] = [...walker.topics];
    if (key === FETCH) {
      if (topicCount > 0) this.#fetched = { topics, topicCount };
      else ({ topics, topicCount } = this.#fetched);
    }
    const request: Request = {
      key,
      version,
      correlationId,
      clientId: this.#context.detail ? utf8(bytes, start + REQUEST_HEADER, Math.min(body, end)) : '',
      topics,
      topicCount,
      group: walker.group,
      mechanism: walker.mechanism,
      acks: walker.acks,
      message,
    };
    if (key === PRODUCE && request.acks === 0) {
      this.#emit(request, undefined, {});
      return;
    }
    this.#pending.wait(correlationId, request);
    // What follows are the mechanism's tokens, bare (KIP-43), until the next request.
    if (key === SASL_HANDSHAKE && version === 0) this.#connection.seek(SIDE.client);
  }

  #walkRequest(key: number, version: number, bytes: Uint8Array, start: number, end: number): void {
    const api = APIS[key];
    const parts = REQUESTS.get(key);
    walker.reset();
    if (api === undefined || parts === undefined || version > api.newest) return;
    const flexible = version >= api.flexible;
    const body = flexible ? behindTags(bytes, start, end) : start;
    walker.walk(parts, version, flexible, bytes, body, end, this.#topicNames, false, this.#context.detail);
  }

  #onResponse(bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const id = i32(bytes, start + 4);
    const request = this.#pending.answered(id, message);
    if (request === undefined) {
      if (this.#isUnseen) this.#emitAlone(id, message);
      return;
    }
    // What follows are the mechanism's tokens, bare (KIP-43), until the next response.
    if (request.key === SASL_HANDSHAKE && request.version === 0) this.#connection.seek(SIDE.server);
    const known = this.#walkResponse(request, bytes, start + RESPONSE_HEADER, end);
    const status = known ? errorName(walker.error) : '';
    const ending = message.end === undefined ? this.#ending : {};
    this.#emit(
      request,
      { message, status, code: known ? walker.error : 0 },
      this.#pending.isProven(request) ? ending : { incomplete: 'unknown' },
    );
  }

  /** @returns whether it is known how it went, as far as the response was kept */
  #walkResponse({ key, version }: Request, bytes: Uint8Array, start: number, end: number): boolean {
    const api = APIS[key];
    const parts = RESPONSES.get(key);
    walker.reset();
    if (api === undefined || parts === undefined || version > api.newest) return false;
    const flexible = version >= api.flexible;
    // ApiVersions is answered with the old header, so that it can be read before versions are known (KIP-511).
    const body = flexible && key !== API_VERSIONS ? behindTags(bytes, start, end) : start;
    const learn = key === METADATA || key === CREATE_TOPICS || key === DESCRIBE_TOPIC_PARTITIONS;
    return walker.walk(parts, version, flexible, bytes, body, end, this.#topicNames, learn, false) || walker.answered;
  }

  #emit(request: Request, response: Response | undefined, ending: Ending): void {
    const name = apiName(request.key);
    const [topic] = request.topics;
    const route = topic === undefined || !NAMES_TOPIC.has(request.key) ? name : `${name} ${oneLine(topic)}`;
    const code = response?.code ?? 0;
    this.#context.emit({
      kind: 'exchange',
      protocol: 'kafka',
      label: this.#context.detail || this.#context.labels === true ? labelOf(request, name) : route,
      ...measured(request.message, response?.message, ending),
      status: response?.status ?? '',
      failed: code !== 0 || failedWithout(response?.message, ending.incomplete),
      route,
      fields: { kafka: this.#fields(request, response, name) },
    } satisfies Exchange);
  }

  /** A response to a request that was not captured: only its number and length are known. */
  #emitAlone(correlationId: number, message: FramedMessage): void {
    this.#context.emit({
      kind: 'exchange',
      protocol: 'kafka',
      label: REQUEST_NOT_SEEN,
      ...measured(undefined, message, {}),
      status: '',
      failed: false,
      route: REQUEST_NOT_SEEN,
      fields: { kafka: { correlationId } },
    });
  }

  #fields(request: Request, response: Response | undefined, name: string): Fields {
    const plain = {
      api: name,
      version: request.version,
      error: response === undefined || response.code === 0 ? undefined : response.status,
      correlationId: request.correlationId,
    };
    if (!this.#context.detail) return plain;
    return {
      ...plain,
      clientId: request.clientId || undefined,
      topics: request.topics.length > 0 ? request.topics : undefined,
      group: request.group || undefined,
      mechanism: request.mechanism || undefined,
      acks: request.acks >= 0 || request.key === PRODUCE ? request.acks : undefined,
      errorCode: response === undefined || response.code === 0 ? undefined : response.code,
    };
  }
}

function labelOf({ topics, topicCount, group, mechanism }: Request, name: string): string {
  const [topic] = topics;
  const more = topicCount > 1 ? ` +${topicCount - 1}` : '';
  const about = group || mechanism || (topic === undefined ? '' : `${topic}${more}`);
  return about === '' ? name : `${name} ${oneLine(about)}`;
}

/** Where the body begins, behind the header's tagged fields. */
function behindTags(bytes: Uint8Array, start: number, end: number): number {
  // The usual case, and the only one so far: none.
  return start < end && u8(bytes, start) === 0 ? start + 1 : end;
}

/** A response's whole length, or 0 for what cannot be one. */
function responseLength(bytes: Uint8Array, start: number): number {
  const size = i32(bytes, start);
  return size < RESPONSE_MINIMUM - 4 || size > MESSAGE_MAXIMUM ? 0 : size + 4;
}
