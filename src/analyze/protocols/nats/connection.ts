import { type Exchange, type Fields, type Incomplete, otherSide, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { FramedConnection, type FramedMessage, type SideFraming } from '../framed-connection.ts';
import { type Ending, failedWithout, measured } from '../framed-exchange.ts';
import { mayAnswer, NumberedRequests } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { tls } from '../tls/index.ts';
import { unfinished } from '../unfinished.ts';
import {
  isCluster,
  LINE_MAXIMUM,
  LINE_MINIMUM,
  LINE_SEEK,
  type NatsLine,
  natsBegins,
  natsLength,
  readLine,
} from './line.ts';
import { type NatsOutcome, readReply } from './reply.ts';
import { type AckSubject, ackSubject, subjectRoute, subscribes } from './subject.ts';

/** Bytes kept of a message: its line, its headers, the beginning of what it carries. */
const KEEP = 8192;

/** Subscriptions of a connection that are remembered. */
const SUBSCRIPTIONS_MAXIMUM = 4096;

/** A client's PING so soon after its CONNECT asks how that went, ns. */
const CONNECT_PING_NS = 1e9;

/** First byte of a TLS record with a ClientHello. */
const TLS_HANDSHAKE = 0x16;

/** A request for messages of a consumer: they come with subjects of their own. */
const PULL = '$JS.API.CONSUMER.MSG.NEXT.';

/** The first word of what acknowledges a message of JetStream. */
const ACKS: Readonly<Record<string, string>> = {
  '+ACK': 'ack',
  '-NAK': 'nak',
  '+TERM': 'term',
  '+WPI': 'in progress',
  '+NXT': 'ack',
  '': 'ack',
};

/** A message that names where its answer is to be sent. */
interface Request {
  readonly subject: string;
  readonly requester: Side;
  readonly message: FramedMessage;
  /** An answer must come on this connection: its sender subscribes to it. Otherwise others may have it. */
  readonly isExpected: boolean;
  /** The subject of the answer is its own by convention. */
  readonly isUnique: boolean;
}

/** NATS of one connection: requests with their replies, of both sides, and all other messages. */
export class NatsConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #connection: FramedConnection;
  /** By side: requests by the subject of their reply. */
  readonly #pending: readonly [NumberedRequests<Request, string>, NumberedRequests<Request, string>];
  /** The client's subscriptions: subjects by their ids; and whether others may exist. */
  readonly #subscriptions = new Map<string, string>();
  #subscribesMore: boolean;
  /** The client's CONNECT, until its outcome is known. */
  #connect:
    | { readonly message: FramedMessage; readonly fields: Fields; readonly isVerbose: boolean; isAsked: boolean }
    | undefined;
  #clientSeen = false;
  #isCluster = false;
  #next: StreamAnalyzer | undefined;
  #ending: Ending = {};

  constructor(context: StreamContext) {
    this.#context = context;
    this.#connection = new FramedConnection(context, {
      protocol: 'nats',
      title: 'NATS',
      sides: [this.#framing(SIDE.client), this.#framing(SIDE.server)],
    });
    this.#pending = [this.#requests(SIDE.client), this.#requests(SIDE.server)];
    this.#subscribesMore = context.midstream;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#isCluster) return;
    if (side === SIDE.client && !this.#clientSeen && this.#next === undefined) {
      this.#clientSeen = true;
      // The server has sent its INFO; the client goes on with TLS.
      if (bytes[start] === TLS_HANDSHAKE && !this.#context.midstream) this.#next = this.#context.become(tls);
    }
    if (this.#next !== undefined) this.#next.data(side, bytes, start, end);
    else this.#connection.data(side, bytes, start, end);
  }

  gap(side: Side, length: number): void {
    if (this.#isCluster) return;
    if (this.#next !== undefined) this.#next.gap(side, length);
    else this.#connection.gap(side, length);
    if (side === SIDE.client) this.#clientSeen = true;
  }

  end(how: StreamEnd, by?: Side): void {
    if (this.#next !== undefined) {
      this.#next.end(how, by);
      return;
    }
    this.#ending = { incomplete: unfinished(how, true), endedBy: by };
    this.#connection.end();
    const why = unfinished(how, false);
    if (this.#connect?.isAsked === true)
      this.#connected('', false, undefined, why, why === 'capture ended' ? undefined : by);
    for (const pending of this.#pending) pending.end(how, by);
  }

  #framing(side: Side): SideFraming {
    return {
      header: LINE_MINIMUM,
      headerMaximum: LINE_MAXIMUM,
      keep: KEEP,
      seeking: {
        bytes: LINE_SEEK,
        least: LINE_MINIMUM,
        begins: (bytes, start, end) => natsBegins(side, bytes, start, end),
      },
      lengthOf: (bytes, start, end) => natsLength(side, bytes, start, end),
      onMessage: (bytes, start, end, message) => {
        const line = readLine(bytes, start, end);
        if (line === undefined || this.#isCluster) return;
        if (side === SIDE.client) this.#onClient(line, bytes, start, end, message);
        else this.#onServer(line, bytes, start, end, message);
      },
    };
  }

  #requests(requester: Side): NumberedRequests<Request, string> {
    return new NumberedRequests<Request, string>(this.#connection, {
      context: this.#context,
      kept: KEEP,
      ordered: false,
      requester,
      unanswered: (request, incomplete, endedBy) => {
        if (request.isExpected) this.#emit(request, undefined, undefined, { incomplete, endedBy });
        else this.#emitMessage(requester === SIDE.client ? 'PUB' : 'MSG', request.subject, requester, request.message);
      },
    });
  }

  #onClient(line: NatsLine, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const { operation, words } = line;
    if (operation === 'PUB' || operation === 'HPUB') {
      const numbers = operation === 'PUB' ? 1 : 2;
      const subject = words[0] ?? '';
      const reply = words.length === numbers + 2 ? (words[1] ?? '') : '';
      const headerBytes = numbers === 2 ? Number(words.at(-2)) || 0 : 0;
      this.#onMessage(SIDE.client, { subject, reply, headerBytes }, line, bytes, start, end, message);
    } else if (operation === 'SUB') this.#subscribe(words, message);
    else if (operation === 'UNSUB' && words.length === 1) this.#subscriptions.delete(words[0] ?? '');
    else if (operation === 'CONNECT') this.#onConnect(words[0] ?? '', message);
    else if (operation === 'PING') this.#onPing(message);
    else if (operation === 'INFO' || isCluster(operation)) this.#between(message);
  }

  #onServer(line: NatsLine, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const { operation, words } = line;
    if (operation === 'MSG' || operation === 'HMSG') {
      const numbers = operation === 'MSG' ? 1 : 2;
      const subject = words[0] ?? '';
      const reply = words.length === numbers + 3 ? (words[2] ?? '') : '';
      const headerBytes = numbers === 2 ? Number(words.at(-2)) || 0 : 0;
      this.#onMessage(SIDE.server, { subject, reply, headerBytes }, line, bytes, start, end, message);
    } else if (operation === 'PONG') {
      if (this.#connect?.isAsked === true) this.#connected('ok', false, message);
    } else if (operation === '+OK') {
      if (this.#connect?.isVerbose === true) this.#connected('ok', false, message);
    } else if (operation === '-ERR') this.#onError(words[0] ?? '', message);
    else if (isCluster(operation)) this.#between(message);
  }

  /** A message with a payload: an answer, a request, or neither. */
  #onMessage(
    side: Side,
    { subject, reply, headerBytes }: { subject: string; reply: string; headerBytes: number },
    line: NatsLine,
    bytes: Uint8Array,
    start: number,
    end: number,
    message: FramedMessage,
  ): void {
    const answered = this.#pending[otherSide(side)];
    const body = Math.min(end, start + line.bytes);
    const request = answered.answered(subject, message);
    if (request !== undefined) {
      const outcome = readReply(bytes, body, end, headerBytes);
      const ending = message.end === undefined ? this.#ending : {};
      const isProven = request.isUnique || answered.isProven(request);
      this.#emit(request, message, outcome, isProven ? ending : { incomplete: 'unknown' });
      return;
    }
    const ack = ackSubject(reply);
    const acknowledges = side === SIDE.client ? ackSubject(subject) : undefined;
    if (acknowledges !== undefined) {
      const word = /^[^\s{]{0,8}/.exec(
        Buffer.from(bytes.subarray(body + headerBytes, Math.min(end, body + headerBytes + 8))).toString('latin1'),
      );
      const operation = ACKS[word?.[0] ?? ''] ?? 'ack';
      this.#emitMessage(operation, `${acknowledges.stream} ${acknowledges.consumer}`, side, message, acknowledges);
      return;
    }
    if (reply === '' || ack !== undefined) {
      this.#emitMessage(line.operation.replace(/^H/, ''), subject, side, message, ack);
      return;
    }
    const isExpected = side === SIDE.client && !subject.startsWith(PULL) && this.#isSubscribed(reply);
    if (side === SIDE.client && !isExpected && !this.#mayBeSubscribed && !subject.startsWith(PULL)) {
      // Others subscribe to its answer.
      this.#emitMessage('PUB', subject, side, message);
      return;
    }
    const isUnique = reply.startsWith('_INBOX.') && !this.#pending[side].has(reply);
    this.#pending[side].wait(reply, { subject, requester: side, message, isExpected, isUnique });
  }

  get #mayBeSubscribed(): boolean {
    return this.#subscribesMore || this.#connection.missedSince(SIDE.client, -1);
  }

  #isSubscribed(subject: string): boolean {
    for (const pattern of this.#subscriptions.values()) if (subscribes(pattern, subject)) return true;
    return false;
  }

  #subscribe(words: readonly string[], message: FramedMessage): void {
    const [subject = ''] = words;
    const id = words.at(-1) ?? '';
    if (this.#subscriptions.size < SUBSCRIPTIONS_MAXIMUM) this.#subscriptions.set(id, subject);
    else this.#subscribesMore = true;
    if (subject.startsWith('_INBOX.')) return;
    this.#emitMessage('SUB', subject, SIDE.client, message, undefined, words.length === 3 ? words[1] : undefined);
  }

  #onConnect(json: string, message: FramedMessage): void {
    const member = (name: string) => new RegExp(`"${name}"\\s?:\\s?"((?:[^"\\\\]|\\\\.){0,256})"`).exec(json)?.[1];
    const library = [member('lang'), member('version')].filter((word) => word !== undefined).join(' ');
    const client = oneLine(member('name') ?? '');
    const fields = { client: client || undefined, library: oneLine(library) || undefined };
    this.#connect = { message, fields, isVerbose: /"verbose"\s?:\s?true/.test(json), isAsked: false };
    if (this.#connect.isVerbose) this.#connect.isAsked = true;
  }

  #onPing({ time }: FramedMessage): void {
    const connect = this.#connect;
    if (connect === undefined || connect.isAsked) return;
    if (time - connect.message.time <= CONNECT_PING_NS) connect.isAsked = true;
    else this.#connect = undefined;
  }

  #onError(text: string, message: FramedMessage): void {
    const error = text.replace(/^'|'$/g, '');
    const shown = oneLine(this.#context.showSecrets ? error : maskText(error));
    if (this.#connect !== undefined) {
      this.#connected(shown, true, message);
      return;
    }
    this.#context.emit({
      kind: 'event',
      protocol: 'nats',
      code: 'NATS_ERROR',
      label: shown,
      time: message.time,
      from: SIDE.server,
      failed: true,
      fields: { nats: { error: shown } },
    });
  }

  /** How the client's CONNECT went. */
  #connected(status: string, failed: boolean, message: FramedMessage | undefined, why?: Incomplete, by?: Side): void {
    const connect = this.#connect;
    if (connect === undefined || (message !== undefined && !mayAnswer(connect.message, message))) return;
    this.#connect = undefined;
    const missed = this.#connection.missedSince(SIDE.server, connect.message.acknowledged);
    // The answer may be to a later PING.
    const incomplete = missed && !failed ? 'response not captured' : why;
    const answer = missed && !failed ? undefined : message;
    this.#context.emit({
      kind: 'exchange',
      protocol: 'nats',
      label: 'CONNECT',
      ...measured(connect.message, answer, { incomplete, endedBy: missed ? undefined : by }),
      status: answer === undefined ? '' : status,
      failed: failed || failedWithout(answer, incomplete),
      route: 'CONNECT',
      fields: { nats: { ...(this.#context.detail ? connect.fields : {}), error: failed ? status : undefined } },
    });
  }

  /** The connection is one between servers. */
  #between({ time }: FramedMessage): void {
    this.#isCluster = true;
    this.#context.emit({
      kind: 'event',
      protocol: 'nats',
      code: 'NATS_CLUSTER',
      label: 'connection between servers, not decoded',
      time,
      from: undefined,
      failed: false,
      fields: {},
    });
  }

  #emit(request: Request, answer: FramedMessage | undefined, outcome: NatsOutcome | undefined, ending: Ending): void {
    const { subject, requester } = request;
    const route = subjectRoute(subject);
    const masked = (text: string) => oneLine(this.#context.showSecrets ? text : maskText(text));
    this.#context.emit({
      kind: 'exchange',
      protocol: 'nats',
      label: this.#context.detail || this.#context.labels === true ? oneLine(subject) : route,
      requester: requester === SIDE.server ? requester : undefined,
      ...measured(request.message, answer, ending),
      status: masked(outcome?.status ?? ''),
      failed: outcome?.failed === true || failedWithout(answer, ending.incomplete),
      route,
      fields: {
        nats: {
          subject: oneLine(subject),
          code: outcome?.code || undefined,
          error: masked(outcome?.error ?? '') || undefined,
          stream: outcome?.stream || undefined,
          sequence: outcome?.sequence || undefined,
        },
      },
    } satisfies Exchange);
  }

  #emitMessage(
    operation: string,
    subject: string,
    from: Side,
    { time, length }: FramedMessage,
    ack?: AckSubject,
    queue?: string,
  ): void {
    const shown = oneLine(subject);
    const isAck = ack !== undefined && operation !== 'MSG' && operation !== 'PUB';
    this.#context.emit({
      kind: 'message',
      protocol: 'nats',
      label: `${operation} ${shown}`,
      time,
      from,
      bytes: length,
      fields: {
        nats: {
          operation,
          subject: isAck ? undefined : shown,
          queue: queue === undefined ? undefined : oneLine(queue),
          stream: ack?.stream,
          consumer: ack?.consumer,
          sequence: ack?.sequence,
        },
      },
    });
  }
}
