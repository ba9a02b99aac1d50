import { i32, u8, u16 } from '../../bytes.ts';
import { PENDING_PER_STREAM } from '../../limits.ts';
import { type Fields, type Incomplete, otherSide, SIDE, type Side } from '../../record/event.ts';
import { FramedConnection, type FramedMessage, type SideFraming } from '../framed-connection.ts';
import { measured } from '../framed-exchange.ts';
import { mayAnswer } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { isFailure, REQUEST_NOT_SEEN, unfinished } from '../unfinished.ts';
import { Arguments } from './arguments.ts';
import { CHANNELS_MAXIMUM, Channel, countsOf, type PendingRequest } from './channel.ts';
import { type AmqpAnswer, exchangeOf, messageOf, NO_ANSWER } from './events.ts';
import {
  FRAME_HEADER,
  frameLength,
  GREETING_LENGTH,
  greetingBytes,
  HEADER,
  METHOD,
  METHOD_HEADER,
  methodBegins,
} from './frame.ts';
import {
  ACK,
  CHANNEL_CLOSE,
  CHANNEL_CLOSE_OK,
  CONNECTION_BLOCKED,
  CONNECTION_CLOSE,
  CONSUME,
  CONSUME_OK,
  DECLARE_OK,
  DELIVER,
  GET_OK,
  METHODS,
  type Method,
  methodId,
  NACK,
  PUBLISH,
  REJECT,
  REPLIES,
  RETURN,
  START_OK,
} from './methods.ts';

/** Bytes kept of a frame: of a method's arguments; bodies are passed over. */
const FRAME_KEEP = 2048;

/** What a request takes that waits, about, besides its texts; and what a consumer's tag and queue take. */
const REQUEST_BYTES = 1024;
const CONSUMER_BYTES = 512;

/** Bytes of a content header up to the body's length. */
const CONTENT_HEADER = FRAME_HEADER + 12;

/** The reply code of a close without an error. */
const REPLY_SUCCESS = 200;

const methodArguments = new Arguments();

/** AMQP of one connection: methods and their answers channel by channel, and the messages between them. */
export class AmqpConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #connection: FramedConnection;
  readonly #channels = new Map<number, Channel>();
  #pending = 0;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#connection = new FramedConnection(context, {
      protocol: 'amqp',
      title: 'AMQP',
      sides: [this.#framing(SIDE.client), this.#framing(SIDE.server)],
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#connection.data(side, bytes, start, end);
  }

  gap(side: Side, length: number): void {
    this.#connection.gap(side, length);
  }

  end(how: StreamEnd, by?: Side): void {
    for (const channel of this.#channels.values()) {
      this.#dropAll(channel, unfinished(how, false), how === 'capture ended' ? undefined : by);
    }
    this.#channels.clear();
  }

  #framing(side: Side): SideFraming {
    return {
      header: FRAME_HEADER,
      keep: FRAME_KEEP,
      seeking: { bytes: METHOD_HEADER, begins: methodBegins },
      lengthOf: frameLength,
      onMessage: (bytes, start, end, message) => {
        const type = u8(bytes, start);
        if (type === METHOD) this.#onMethod(side, bytes, start, end, message);
        else if (type === HEADER) this.#onContentHeader(side, bytes, start, end);
        else if (side === SIDE.server && message.length === GREETING_LENGTH) {
          this.#onGreeting(bytes, start, end, message.time);
        }
      },
      onLost: () => {
        for (const channel of this.#channels.values()) channel.announced[side] = undefined;
      },
    };
  }

  /** A server sends a greeting only to name the version that it supports instead. */
  #onGreeting(bytes: Uint8Array, start: number, end: number, time: number): void {
    if (greetingBytes(bytes, start, Math.min(end, start + 4)) < 4) return;
    const label = `server speaks version ${u8(bytes, start + 5)}-${u8(bytes, start + 6)}-${u8(bytes, start + 7)}`;
    this.#notice(SIDE.server, time, 'AMQP_VERSION', label, true, {});
  }

  #onMethod(side: Side, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    if (end - start < METHOD_HEADER) return;
    const method = METHODS.get(methodId(u16(bytes, start + 7), u16(bytes, start + 9)));
    if (method === undefined || method.from === otherSide(side)) return;
    const number = u16(bytes, start + 1);
    const channel = this.#channel(number);
    if (channel === undefined) return;
    const { id } = method;
    if (id === ACK) {
      channel.acks += 1;
      return;
    }
    // The frame's last byte does not belong to the arguments.
    methodArguments.read(method, bytes, start + METHOD_HEADER, Math.min(end, start + message.length - 1));
    const first = message.time;
    if (method.replies.length > 0) this.#ask(side, method, number, channel, message);
    else if (REPLIES.has(id)) this.#answer(side, method, number, channel, message);
    else if (id === PUBLISH || id === DELIVER || id === RETURN) this.#announce(side, method, number, channel, first);
    else if (id === CHANNEL_CLOSE || id === CONNECTION_CLOSE) this.#close(side, method, number, channel, message);
    else if (id === CHANNEL_CLOSE_OK) this.#forget(number, channel);
    else if (id === NACK || id === REJECT) this.#refuse(side, method, number, channel, first);
    else if (id === CONNECTION_BLOCKED) {
      const label = `${method.name} ${oneLine(methodArguments.replyText)}`;
      this.#notice(side, first, 'AMQP_BLOCKED', label, true, {
        method: method.name,
        replyText: methodArguments.replyText,
      });
    }
  }

  #channel(number: number): Channel | undefined {
    let channel = this.#channels.get(number);
    if (channel === undefined && this.#channels.size < CHANNELS_MAXIMUM) {
      channel = new Channel();
      this.#channels.set(number, channel);
    }
    return channel;
  }

  #ask(requester: Side, method: Method, number: number, channel: Channel, message: FramedMessage): void {
    const { queue, exchange, routingKey, consumerTag, virtualHost } = methodArguments;
    const request: PendingRequest = {
      method,
      requester,
      channel: number,
      queue: queue || channel.queueOf(consumerTag),
      exchange,
      routingKey,
      consumerTag,
      virtualHost,
      message,
      counted: this.#pending === 0 ? 0 : REQUEST_BYTES + Math.min(message.length, FRAME_KEEP),
    };
    if (method.id === CONSUME && consumerTag !== '') this.#consumes(channel, consumerTag, queue);
    if (methodArguments.noWait) {
      this.#emit(request, NO_ANSWER);
      return;
    }
    if (channel.requests.some((earlier) => earlier.requester === requester)) channel.waits[requester] = 'never';
    else if (channel.answered[requester] && channel.waits[requester] === 'unknown') channel.waits[requester] = 'so far';
    channel.requests.push(request);
    this.#pending += 1;
    const isWithin = request.counted === 0 || (this.#context.countPending?.(request.counted) ?? true);
    if (!isWithin || this.#pending > PENDING_PER_STREAM) this.#dropOldest(request);
  }

  /** A consumer's queue is remembered where there is room for it among what is pending. */
  #consumes(channel: Channel, consumerTag: string, queue: string): void {
    if (channel.hasConsumer(consumerTag)) {
      channel.consumes(consumerTag, queue);
      return;
    }
    if (!channel.hasRoom) return;
    if (this.#context.countPending?.(CONSUMER_BYTES) === false) this.#context.countPending(-CONSUMER_BYTES);
    else channel.consumes(consumerTag, queue);
  }

  /** So many requests are pending no longer. */
  #settled(request: PendingRequest): void {
    this.#pending -= 1;
    if (request.counted > 0) this.#context.countPending?.(-request.counted);
  }

  #answer(side: Side, method: Method, number: number, channel: Channel, message: FramedMessage): void {
    const requester = otherSide(side);
    const index = this.#answeredBy(channel, requester, method, message);
    const request = channel.requests[index];
    if (request === undefined) {
      channel.orphans[requester] = { method, acknowledged: message.acknowledgedAtMost };
      if (this.#context.midstream || this.#connection.missedSince(requester, -1))
        this.#alone(side, method, number, message);
      return;
    }
    // Answers to one side's methods on a channel come in order: those before are in what was not captured.
    for (let before = 0; before < index; before += 1) {
      const earlier = channel.requests[before];
      if (earlier?.requester === requester) this.#emitUnanswered(earlier, 'unknown');
    }
    const kept = channel.requests.filter((other, at) => at > index || (at < index && other.requester !== requester));
    for (const other of channel.requests) if (!kept.includes(other)) this.#settled(other);
    channel.requests.splice(0, channel.requests.length, ...kept);
    if (method.id === CONSUME_OK) this.#consumes(channel, methodArguments.consumerTag, request.queue);
    // The server named it: the request, all of which was captured, did not.
    const isNamed = request.queue === '' && methodArguments.queue !== '' && request.message.whole;
    const named = isNamed ? { ...request, queue: methodArguments.queue } : request;
    const status = method.name.slice(method.name.indexOf('.') + 1);
    const login = method.id === START_OK ? methodArguments : undefined;
    const incomplete = this.#isDoubtful(request, channel) ? 'unknown' : undefined;
    channel.answered[requester] = true;
    this.#emit(named, { message, status, failed: false, incomplete, login });
    if (method.id === GET_OK) {
      channel.announced[side] = {
        method,
        queue: request.queue,
        exchange: methodArguments.exchange,
        routingKey: methodArguments.routingKey,
        redelivered: methodArguments.redelivered,
        time: message.time,
      };
    }
  }

  /** @returns the index of the request that a method answers: where it names a queue, that queue's or one without a name */
  #answeredBy({ requests }: Channel, requester: Side, method: Method, message: FramedMessage): number {
    const { queue } = methodArguments;
    const isCandidate = (request: PendingRequest) =>
      request.requester === requester && isAnsweredBy(request, method, message);
    if (method.id !== DECLARE_OK) return requests.findIndex(isCandidate);
    const exact = requests.findIndex((request) => request.queue === queue && isCandidate(request));
    return exact >= 0 ? exact : requests.findIndex((request) => request.queue === '' && isCandidate(request));
  }

  /**
   * Whether another method of the same side, which was not captured, may have this answer: one before it on its channel.
   * A side that waits for each answer before it sends the next request had them all.
   */
  #isDoubtful({ requester, message }: PendingRequest, { waits }: Channel): boolean {
    if (waits[requester] === 'so far') return false;
    return this.#context.midstream || (this.#connection.missedSince(requester, -1) && message.start > 0);
  }

  /** An answer to a method that was not captured. */
  #alone(side: Side, method: Method, channel: number, message: FramedMessage): void {
    this.#context.emit({
      kind: 'exchange',
      protocol: 'amqp',
      label: REQUEST_NOT_SEEN,
      requester: side === SIDE.client ? SIDE.server : undefined,
      ...measured(undefined, message, {}),
      status: method.name,
      failed: false,
      route: REQUEST_NOT_SEEN,
      fields: { amqp: this.#context.detail ? { method: method.name, channel } : { method: method.name } },
    });
  }

  #announce(side: Side, method: Method, number: number, channel: Channel, time: number): void {
    const { exchange, routingKey, redelivered } = methodArguments;
    if (method.id === RETURN) {
      channel.announced[side] = undefined;
      const { replyCode, replyText } = methodArguments;
      const label = `${method.name} ${replyCode} ${oneLine(`${replyText} ${exchange} ${routingKey}`)}`;
      const fields = { method: method.name, channel: number, exchange, routingKey, replyCode, replyText };
      this.#notice(side, time, 'AMQP_RETURN', label, true, fields);
      return;
    }
    const queue = method.id === DELIVER ? channel.queueOf(methodArguments.consumerTag) : '';
    channel.announced[side] = { method, queue, exchange, routingKey, redelivered, time };
  }

  /** With it a message is known: how long its body is. */
  #onContentHeader(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const number = u16(bytes, start + 1);
    const channel = this.#channels.get(number);
    const announced = channel?.announced[side];
    if (channel === undefined || announced === undefined || end - start < CONTENT_HEADER) return;
    channel.announced[side] = undefined;
    const body = (i32(bytes, start + 11) >>> 0) * 2 ** 32 + (i32(bytes, start + 15) >>> 0);
    this.#context.emit(messageOf(announced, side, number, body, this.#context));
  }

  /** A close answers what it blames, and what else waits will not be answered. */
  #close(side: Side, method: Method, number: number, channel: Channel, message: FramedMessage): void {
    const { replyCode, replyText, blamed } = methodArguments;
    const failed = replyCode !== REPLY_SUCCESS;
    const status = oneLine(`${replyCode} ${replyText}`);
    const whole = method.id === CONNECTION_CLOSE;
    const { acks, nacks } = whole ? countsOf(this.#channels.values()) : channel;
    for (const other of whole ? this.#channels.values() : [channel]) {
      for (const request of other.requests.splice(0)) {
        this.#settled(request);
        if (request.requester === otherSide(side) && (request.method.id === blamed || blamed === 0)) {
          this.#emit(request, { message, status, failed, incomplete: undefined });
        } else this.#emitUnanswered(request, 'no response');
      }
    }
    const fields = {
      method: method.name,
      channel: whole ? undefined : number,
      replyCode,
      replyText,
      blamed: METHODS.get(blamed)?.name,
      acks,
      nacks,
    };
    this.#notice(side, message.time, 'AMQP_CLOSE', `${method.name} ${status}`, failed, fields);
  }

  /** A broker's nack means that it lost a message; a consumer's is not an error. */
  #refuse(side: Side, method: Method, number: number, channel: Channel, time: number): void {
    channel.nacks += 1;
    if (side === SIDE.client) return;
    this.#notice(side, time, 'AMQP_NACK', method.name, true, { method: method.name, channel: number });
  }

  #forget(number: number, channel: Channel): void {
    this.#dropAll(channel, 'no response');
    const total = this.#channel(0);
    // A close of the connection applies to all its channels.
    if (total !== undefined && total !== channel) {
      total.acks += channel.acks;
      total.nacks += channel.nacks;
    }
    if (number === 0) return;
    this.#channels.delete(number);
    if (channel.consumers > 0) this.#context.countPending?.(-channel.consumers * CONSUMER_BYTES);
  }

  #dropAll(channel: Channel, incomplete: Incomplete, endedBy?: Side): void {
    for (const request of channel.requests.splice(0)) {
      this.#settled(request);
      this.#emitUnanswered(request, incomplete, endedBy);
    }
  }

  /** @param last the request that came just now: it is not the oldest */
  #dropOldest(last: PendingRequest): void {
    for (const channel of this.#channels.values()) {
      const [oldest] = channel.requests;
      if (oldest === undefined || oldest === last) continue;
      channel.requests.shift();
      this.#settled(oldest);
      this.#emitUnanswered(oldest, 'unknown');
      return;
    }
  }

  #emitUnanswered(request: PendingRequest, why: Incomplete, endedBy?: Side): void {
    const missed = this.#connection.missedSince(otherSide(request.requester), request.message.acknowledged);
    // Of one that was captured in part it is not known whether it wanted an answer.
    const mayBeAnswered = !request.message.whole || this.#isAnsweredBefore(request);
    const silence = why === 'no response' && mayBeAnswered ? 'unknown' : why;
    const incomplete = missed ? 'response not captured' : silence;
    this.#emit(request, {
      ...NO_ANSWER,
      failed: isFailure(incomplete),
      incomplete,
      endedBy: missed ? undefined : endedBy,
    });
  }

  /** Whether the answer to a method may have been captured before it: packets of both sides can come in the wrong order. */
  #isAnsweredBefore({ method, requester, channel, message }: PendingRequest): boolean {
    const orphan = this.#channels.get(channel)?.orphans[requester];
    if (orphan === undefined || !method.replies.includes(orphan.method.id)) return false;
    // What was acknowledged before a side's first packet is not known in the middle of a connection.
    return orphan.acknowledged > message.start || (message.start === 0 && this.#context.midstream);
  }

  #emit(request: PendingRequest, answer: AmqpAnswer): void {
    this.#context.emit(exchangeOf(request, answer, this.#context));
  }

  #notice(from: Side, time: number, code: string, label: string, failed: boolean, amqp: Fields): void {
    this.#context.emit({ kind: 'event', protocol: 'amqp', label, time, from, code, failed, fields: { amqp } });
  }
}

/** Whether a method can be the answer to a request: by its kind, what it names, and what the packets prove. */
function isAnsweredBy(request: PendingRequest, method: Method, message: FramedMessage): boolean {
  if (!request.method.replies.includes(method.id) || !mayAnswer(request.message, message)) return false;
  return (
    method.id !== DECLARE_OK ||
    request.queue === '' ||
    methodArguments.queue === '' ||
    request.queue === methodArguments.queue
  );
}
