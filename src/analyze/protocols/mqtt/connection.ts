import { u8, u16 } from '../../bytes.ts';
import { type Exchange, type Fields, otherSide, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { utf8 } from '../../record/text.ts';
import { CacheOfTexts } from '../../record/text-cache.ts';
import { FramedConnection, type FramedMessage, type SideFraming } from '../framed-connection.ts';
import { type Ending, failedWithout, measured } from '../framed-exchange.ts';
import { NumberedRequests } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { REQUEST_NOT_SEEN, unfinished } from '../unfinished.ts';
import { bodyAt, HEADER, HEADER_MAXIMUM, mqttBegins, mqttLength, qosOf, SEEK, TYPE, typeOf } from './packet.ts';
import { readProperties } from './properties.ts';
import { reasonText, returnCodeText } from './reasons.ts';

/** Bytes kept of a packet: topics come first. */
const KEEP = 2048;

/** Topics that a connection remembers by their aliases, and of messages that are to be released. */
const TOPICS_MAXIMUM = 1024;

/** Bytes of the shortest answer. */
const ANSWER_MINIMUM = 4;

/** CONNECT has no number; those of other packets are above 0. */
const CONNECT_NUMBER = 0;

const VERSION_5 = 5;
const VERSIONS: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5' };
const FAILURE = 0x80;

/** Levels of a topic that name one thing among many. */
const ID = /^(?:\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{12,})$/i;
const routes = new CacheOfTexts();

/** A packet that an answer with its number follows. */
interface Request {
  readonly name: string;
  readonly requester: Side;
  /** Type of its answer. */
  readonly answer: number;
  /** What it is about: topic, filters, client. */
  readonly about: string;
  readonly route: string;
  readonly fields: Fields;
  readonly number: number;
  readonly message: FramedMessage;
}

/** How it went; `code` is 0 where it did not fail. */
interface Outcome {
  readonly status: string;
  readonly code: number;
}

/** MQTT of one connection: packets of both sides with their acknowledgements, and messages without any. */
export class MqttConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #connection: FramedConnection;
  /** By side that sends them. */
  readonly #pending: readonly [NumberedRequests<Request>, NumberedRequests<Request>];
  /** By side: topics by alias (MQTT 5), and of received messages of QoS 2 that their sender releases next. */
  readonly #aliases: readonly [Map<number, string>, Map<number, string>] = [new Map(), new Map()];
  readonly #received: readonly [Map<number, string>, Map<number, string>] = [new Map(), new Map()];
  /** Of the CONNECT; 0 where that was not seen. */
  #version = 0;
  #ending: Ending = {};

  constructor(context: StreamContext) {
    this.#context = context;
    this.#connection = new FramedConnection(context, {
      protocol: 'mqtt',
      title: 'MQTT',
      sides: [this.#framing(SIDE.client), this.#framing(SIDE.server)],
    });
    this.#pending = [this.#requests(SIDE.client), this.#requests(SIDE.server)];
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
    for (const pending of this.#pending) pending.end(how, by);
  }

  #framing(side: Side): SideFraming {
    return {
      header: HEADER,
      headerMaximum: HEADER_MAXIMUM,
      keep: KEEP,
      seeking: {
        bytes: SEEK,
        least: HEADER,
        begins: (bytes, start, end, offset) => this.#begins(side, bytes, start, end, offset),
      },
      lengthOf: (bytes, start, end) => mqttLength(side, bytes, start, end),
      onMessage: (bytes, start, end, message) => this.#onPacket(side, bytes, start, end, message),
    };
  }

  #requests(requester: Side): NumberedRequests<Request> {
    return new NumberedRequests<Request>(this.#connection, {
      context: this.#context,
      kept: KEEP,
      ordered: false,
      requester,
      unanswered: (request, incomplete, endedBy) => this.#emit(request, undefined, undefined, { incomplete, endedBy }),
    });
  }

  /** Whether a packet begins here: one that its words show, or the answer to a request that waits, at a TCP packet's beginning. */
  #begins(side: Side, bytes: Uint8Array, start: number, end: number, offset: number): boolean | undefined {
    const type = typeOf(bytes, start);
    if (!ANSWERS.has(type)) return mqttBegins(side, bytes, start, end);
    if (!this.#connection.beginsPacket(side, offset)) return false;
    if (end - start < ANSWER_MINIMUM) return undefined;
    if (!((mqttLength(side, bytes, start, end) ?? 0) > 0) || u8(bytes, start + 1) > 0x7f) return false;
    const number = type === TYPE.connack ? CONNECT_NUMBER : u16(bytes, start + 2);
    return this.#pending[otherSide(side)].has(number);
  }

  #onPacket(side: Side, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const type = typeOf(bytes, start);
    const at = bodyAt(bytes, start, end);
    if (type === TYPE.publish) this.#onPublish(side, bytes, start, at, end, message);
    else if (type === TYPE.connect) this.#onConnect(bytes, at, end, message);
    else if (type === TYPE.disconnect) this.#onDisconnect(side, bytes, at, end, message);
    else if (end - at < 2) return;
    else if (type === TYPE.subscribe || type === TYPE.unsubscribe) this.#onSubscribe(type, bytes, at, end, message);
    else if (type === TYPE.pubrel) this.#onRelease(side, u16(bytes, at), message);
    else if (type === TYPE.connack) this.#onAnswer(side, type, CONNECT_NUMBER, bytes, at, end, message);
    else if (ANSWERS.has(type)) this.#onAnswer(side, type, u16(bytes, at), bytes, at, end, message);
  }

  #onConnect(bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    let at = start + 2 + u16(bytes, start);
    this.#version = at < end ? u8(bytes, at) : 0;
    at += 4;
    if (this.#version === VERSION_5) at = readProperties(bytes, at, end).next;
    const clientId = oneLine(textAt(bytes, at, end));
    this.#pending[SIDE.client].wait(CONNECT_NUMBER, {
      name: 'CONNECT',
      requester: SIDE.client,
      answer: TYPE.connack,
      about: clientId,
      route: 'CONNECT',
      fields: { clientId: clientId || undefined, version: VERSIONS[this.#version] },
      number: CONNECT_NUMBER,
      message,
    });
  }

  #onPublish(side: Side, bytes: Uint8Array, start: number, body: number, end: number, message: FramedMessage): void {
    const qos = qosOf(bytes, start);
    let topic = textAt(bytes, body, end);
    let at = Math.min(end, body + 2 + (body + 2 <= end ? u16(bytes, body) : 0));
    const number = qos > 0 && at + 2 <= end ? u16(bytes, at) : 0;
    at += qos > 0 ? 2 : 0;
    if (this.#version === VERSION_5) topic = this.#aliased(side, topic, bytes, at, end);
    const about = oneLine(topic);
    const route = topicRoute(about);
    if (qos === 0) {
      this.#context.emit({
        kind: 'message',
        protocol: 'mqtt',
        label: `PUBLISH ${about}`.trimEnd(),
        time: message.time,
        from: side,
        bytes: message.length,
        fields: { mqtt: { type: 'PUBLISH', topic: about || undefined, qos } },
      });
      return;
    }
    if (number === 0) return;
    this.#pending[side].wait(number, {
      name: 'PUBLISH',
      requester: side,
      answer: qos === 1 ? TYPE.puback : TYPE.pubrec,
      about,
      route: `PUBLISH ${route}`,
      fields: { topic: about || undefined, qos },
      number,
      message,
    });
  }

  /** The topic that an alias stands for, which is remembered. */
  #aliased(side: Side, topic: string, bytes: Uint8Array, start: number, end: number): string {
    const { topicAlias } = readProperties(bytes, start, end);
    if (topicAlias === 0) return topic;
    const aliases = this.#aliases[side];
    // What the alias stands for may have changed in what was not captured.
    if (topic === '') return this.#connection.missedSince(side, -1) ? '' : (aliases.get(topicAlias) ?? '');
    if (aliases.size < TOPICS_MAXIMUM || aliases.has(topicAlias)) aliases.set(topicAlias, oneLine(topic));
    return topic;
  }

  #onSubscribe(type: number, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const number = u16(bytes, start);
    const name = type === TYPE.subscribe ? 'SUBSCRIBE' : 'UNSUBSCRIBE';
    // A filter has a letter at least: a first 0 is the length of properties.
    const isNewer =
      this.#version === VERSION_5 || (this.#version === 0 && end - start > 4 && u16(bytes, start + 2) === 0);
    let at = isNewer ? readProperties(bytes, start + 2, end).next : start + 2;
    const about = oneLine(textAt(bytes, at, end));
    let count = 0;
    const step = type === TYPE.subscribe ? 3 : 2;
    while (at + 2 <= end) {
      count += 1;
      at += step + u16(bytes, at);
    }
    this.#pending[SIDE.client].wait(number, {
      name,
      requester: SIDE.client,
      answer: type + 1,
      about: count > 1 ? `${about} +${count - 1}` : about,
      route: `${name} ${topicRoute(about)}`,
      fields: { topic: about || undefined },
      number,
      message,
    });
  }

  /** The second half of QoS 2: the sender releases a message that the receiver has. */
  #onRelease(side: Side, number: number, message: FramedMessage): void {
    const received = this.#received[side];
    const about = received.get(number) ?? '';
    received.delete(number);
    this.#pending[side].wait(number, {
      name: 'PUBREL',
      requester: side,
      answer: TYPE.pubcomp,
      about,
      route: `PUBREL ${topicRoute(about)}`.trimEnd(),
      fields: { topic: about || undefined, qos: 2 },
      number,
      message,
    });
  }

  #onAnswer(
    side: Side,
    type: number,
    number: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    message: FramedMessage,
  ): void {
    const requester = otherSide(side);
    const pending = this.#pending[requester];
    const outcome = this.#outcomeOf(type, bytes, start, end);
    const waiting = pending.awaiting(number, message);
    if (waiting?.answer !== type) {
      if (this.#context.midstream || this.#connection.missedSince(requester, -1))
        this.#emitAlone(requester, message, outcome);
      return;
    }
    pending.answered(number, message);
    const ending = message.end === undefined ? this.#ending : {};
    this.#emit(waiting, message, outcome, pending.isProven(waiting) ? ending : { incomplete: 'unknown' });
    const received = this.#received[requester];
    if (type === TYPE.pubrec && outcome.code === 0 && received.size < TOPICS_MAXIMUM)
      received.set(number, waiting.about);
  }

  #outcomeOf(type: number, bytes: Uint8Array, start: number, end: number): Outcome {
    if (type === TYPE.connack) {
      const code = u8(bytes, start + 1);
      // Reason codes of version 5 are 0 or above 127, return codes before it below 6.
      if (code > 0 && code < FAILURE) return { status: returnCodeText(code), code };
      if (code === 0) return { status: 'accepted', code };
      return { status: this.#withReason(code, bytes, start + 2, end), code };
    }
    if (type === TYPE.suback || (type === TYPE.unsuback && end - start > 2)) {
      const isNewer = this.#version === VERSION_5 || (this.#version === 0 && !areReturnCodes(bytes, start + 2, end));
      const codes = isNewer ? readProperties(bytes, start + 2, end).next : start + 2;
      for (let at = codes; at < end; at += 1) {
        const code = u8(bytes, at);
        if (code >= FAILURE)
          return { status: isNewer ? this.#withReason(code, bytes, start + 2, end) : 'failure', code };
      }
      return { status: 'ok', code: 0 };
    }
    const code = end - start > 2 ? u8(bytes, start + 2) : 0;
    if (code < FAILURE) return { status: reasonText(code), code: 0 };
    return { status: this.#withReason(code, bytes, start + 3, end), code };
  }

  /** A reason code's words, and the server's own, which stand in the properties. */
  #withReason(code: number, bytes: Uint8Array, properties: number, end: number): string {
    const { reason } = readProperties(bytes, properties, end);
    const shown = this.#context.showSecrets ? reason : maskText(reason);
    return oneLine(reason === '' ? reasonText(code) : `${reasonText(code)}: ${shown}`);
  }

  #onDisconnect(side: Side, bytes: Uint8Array, start: number, end: number, { time }: FramedMessage): void {
    const code = start < end ? u8(bytes, start) : 0;
    if (code < FAILURE) return;
    const status = this.#withReason(code, bytes, start + 1, end);
    this.#context.emit({
      kind: 'event',
      protocol: 'mqtt',
      code: 'MQTT_DISCONNECT',
      label: `DISCONNECT ${status}`,
      time,
      from: side,
      failed: true,
      fields: { mqtt: { type: 'DISCONNECT', code, error: status } },
    });
  }

  #emit(request: Request, answer: FramedMessage | undefined, outcome: Outcome | undefined, ending: Ending): void {
    const { name, about, route, requester, number, fields } = request;
    const code = outcome?.code ?? 0;
    const isShown = this.#context.detail || this.#context.labels === true;
    this.#context.emit({
      kind: 'exchange',
      protocol: 'mqtt',
      label: isShown ? `${name} ${about}`.trimEnd() : route,
      requester: requester === SIDE.server ? requester : undefined,
      ...measured(request.message, answer, ending),
      status: outcome?.status ?? '',
      failed: code > 0 || failedWithout(answer, ending.incomplete),
      route,
      fields: {
        mqtt: {
          type: name,
          ...fields,
          packetId: number === CONNECT_NUMBER ? undefined : number,
          code: code || undefined,
          error: code > 0 ? outcome?.status : undefined,
        },
      },
    } satisfies Exchange);
  }

  #emitAlone(requester: Side, message: FramedMessage, { status, code }: Outcome): void {
    this.#context.emit({
      kind: 'exchange',
      protocol: 'mqtt',
      label: REQUEST_NOT_SEEN,
      requester: requester === SIDE.server ? requester : undefined,
      ...measured(undefined, message, {}),
      status,
      failed: code > 0,
      route: REQUEST_NOT_SEEN,
      fields: { mqtt: { code: code || undefined, error: code > 0 ? status : undefined } },
    });
  }
}

const ANSWERS: ReadonlySet<number> = new Set([
  TYPE.connack,
  TYPE.puback,
  TYPE.pubrec,
  TYPE.pubcomp,
  TYPE.suback,
  TYPE.unsuback,
]);

/** Codes of a SUBACK before version 5. */
function areReturnCodes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (u8(bytes, at) > 2 && u8(bytes, at) !== FAILURE) return false;
  return true;
}

/** A text with its length before it, as far as it is kept. */
function textAt(bytes: Uint8Array, start: number, end: number): string {
  return start + 2 > end ? '' : utf8(bytes, start + 2, Math.min(end, start + 2 + u16(bytes, start)));
}

/** What a topic is counted under: without ids. */
function topicRoute(topic: string): string {
  return routes.of(topic, '', () =>
    topic
      .split('/')
      .map((level) => (ID.test(level) ? ':id' : level))
      .join('/'),
  );
}
