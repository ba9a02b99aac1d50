import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { PairedStream } from '../paired-stream.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { tls } from '../tls/index.ts';
import { unfinished } from '../unfinished.ts';
import { isVerb, smtpCommand } from './commands.ts';
import { ContentEnd } from './content-end.ts';
import { exchangeOf, NAMES, replyAlone, type SmtpReply, type SmtpRequest, unasked } from './events.ts';
import { Line } from './lines.ts';

/** Replies after which the client sends a message, and its part of an authentication. */
const SEND_MESSAGE = 354;
const SEND_RESPONSE = 334;
const GREETING = 220;

/** Requests whose replies may ask for more. */
const ASKING: ReadonlySet<string> = new Set(['DATA', 'AUTH', 'AUTH response', '(other command)']);

/** Requests behind which a client sends nothing before it has the reply (RFC 2920, section 3.1). */
const WAITING: ReadonlySet<string> = new Set([
  'EHLO',
  'HELO',
  'DATA',
  'AUTH',
  'AUTH response',
  'STARTTLS',
  'VRFY',
  'EXPN',
  'NOOP',
  'QUIT',
]);

const REPLY = /^([2-5]\d\d)(?:([ -])([^\r\n]*))?\r?\n?$/;

/**
 * What the client sends: commands, a message up to its end, a chunk of known length, its part of an authentication. After a loss
 * that may hide which of these it is nothing is read until a reply shows it.
 */
type Mode = 'command' | 'message' | 'chunk' | 'response' | 'unsure';

/** A message or chunk that is coming. */
interface Content {
  readonly verb: string;
  readonly label: string;
  readonly start: number;
  readonly acknowledged: number;
  readonly time: number;
  timed: boolean;
  bytes: number;
  end: number;
  gap: boolean;
  /** The server has answered before its end. */
  answered: boolean;
}

/** SMTP of one connection (RFC 5321), with pipelining (RFC 2920), BDAT (RFC 3030), AUTH (RFC 4954) and STARTTLS (RFC 3207). */
export class SmtpConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #stream: PairedStream<SmtpRequest>;
  readonly #client = new Line();
  readonly #server = new Line();
  readonly #contentEnd = new ContentEnd();
  #mode: Mode = 'command';
  #content: Content | undefined;
  /** Of a chunk: bytes that are still to come. */
  #left = 0;
  #coming: SmtpReply | undefined;
  /** The code of a reply of which the end was not captured: lines with it may be the rest. */
  #cutCode = 0;
  /** Server bytes whose lines were not captured or are not read: what follows may be the end of a line. */
  #serverLost = false;
  /** Nothing more is a greeting. */
  #greeted: boolean;
  /** What the last request acknowledged of the server's bytes: a reply of this request may begin there. */
  #lastAcknowledged = -1;
  #lastVerb = '';
  /** Commands since may have been missed. */
  #clientMissed = false;
  #next: StreamAnalyzer | undefined;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#greeted = context.midstream;
    if (context.midstream) this.#mode = 'unsure';
    this.#stream = new PairedStream<SmtpRequest>(context, NAMES, (request, incomplete, endedBy) =>
      context.emit(exchangeOf(request, { incomplete, endedBy }, context.showSecrets)),
    );
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#handOn(side, bytes, start, end)) return;
    const unheard = this.#stream.unheard(side);
    if (unheard > 0) this.gap(side, unheard);
    this.#stream.delivered(side, end - start);
    const base = this.#context.offset - start;
    for (let at = start; at < end && !this.#handOn(side, bytes, at, end); ) {
      at = side === SIDE.client ? this.#fromClient(bytes, at, end, base) : this.#fromServer(bytes, at, end, base);
    }
  }

  #handOn(side: Side, bytes: Uint8Array, start: number, end: number): boolean {
    this.#next?.data(side, bytes, start, end);
    return this.#next !== undefined;
  }

  gap(side: Side, length: number): void {
    if (this.#next !== undefined) {
      this.#next.gap(side, length);
      return;
    }
    const offset = this.#stream.gap(side, length);
    if (side === SIDE.server) this.#serverGap(offset, length);
    else this.#clientGap(offset, length);
  }

  end(how: StreamEnd, by?: Side): void {
    if (this.#next !== undefined) {
      this.#next.end(how, by);
      return;
    }
    const coming = this.#coming;
    this.#coming = undefined;
    if (coming !== undefined) this.#answer({ ...coming, lastTime: undefined }, unfinished(how, true), by);
    const content = this.#content;
    this.#content = undefined;
    this.#stream.end(how, by);
    if (content === undefined || content.answered) return;
    const why = content.gap ? 'request not captured' : unfinished(how, false);
    this.#context.emit(exchangeOf(requestOf(content), { incomplete: why, endedBy: by }, this.#context.showSecrets));
  }

  #fromClient(bytes: Uint8Array, start: number, end: number, base: number): number {
    switch (this.#mode) {
      case 'message':
        return this.#message(bytes, start, end, base);
      case 'chunk':
        return this.#chunk(start, end, base);
      case 'unsure':
        this.#clientMisses(base + start, end - start);
        return end;
      default:
        return this.#line(bytes, start, end, base);
    }
  }

  #line(bytes: Uint8Array, start: number, end: number, base: number): number {
    const line = this.#client;
    const stop = line.take(bytes, start, end, base + start, this.#context);
    if (stop < 0) return end;
    const isResponse = this.#mode === 'response';
    if (isResponse) this.#mode = 'command';
    const command = isResponse ? undefined : smtpCommand(line.text, this.#context.showSecrets);
    if (!isResponse && command === undefined) {
      line.clear();
      this.#stream.skipped(SIDE.client, line.start, base + stop - line.start);
      this.#clientMissed = true;
      this.#mode = 'unsure';
      return stop;
    }
    this.#stream.understood(SIDE.client);
    const { verb, label, argument } = command ?? { verb: 'AUTH response', label: 'AUTH response', argument: undefined };
    const shown = isVerb(verb) || isResponse ? verb : '(other command)';
    const { firstTime: time, lastTime, timed, acknowledged, bytes: length, start: from } = line;
    const isChunk = verb === 'BDAT' && (command?.chunk ?? 0) > 0;
    line.clear();
    if (isChunk) {
      this.#content = {
        verb,
        label,
        start: from,
        acknowledged,
        time,
        timed,
        bytes: length,
        end: lastTime,
        gap: false,
        answered: false,
      };
      this.#left = command?.chunk ?? 0;
      this.#mode = 'chunk';
      return stop;
    }
    const isShown = this.#context.detail || this.#context.labels === true;
    const request = {
      verb: shown,
      label: isShown ? label : shown,
      argument,
      time,
      end: lastTime,
      timed,
      bytes: length,
      gap: false,
      acknowledged,
    };
    this.#push(request, from, from + length);
    return stop;
  }

  #message(bytes: Uint8Array, start: number, end: number, base: number): number {
    const content = this.#begun(base + start);
    const stop = this.#contentEnd.find(bytes, start, end);
    this.#grow(content, (stop < 0 ? end : stop) - start);
    if (stop < 0) return end;
    this.#finishContent(base + stop);
    return stop;
  }

  #chunk(start: number, end: number, base: number): number {
    const content = this.#begun(base + start);
    const length = Math.min(this.#left, end - start);
    this.#grow(content, length);
    this.#left -= length;
    if (this.#left === 0) this.#finishContent(base + start + length);
    return start + length;
  }

  /** The message under way, or one that begins here. */
  #begun(offset: number): Content {
    const { now, timeKnown, acknowledged } = this.#context;
    this.#content ??= {
      verb: 'message',
      label: 'message',
      start: offset,
      acknowledged,
      time: now,
      timed: timeKnown,
      bytes: 0,
      end: now,
      gap: false,
      answered: false,
    };
    return this.#content;
  }

  #grow(content: Content, length: number): void {
    content.bytes += length;
    content.end = this.#context.now;
    content.timed &&= this.#context.timeKnown;
  }

  /** @param end stream offset behind it */
  #finishContent(end: number): void {
    const content = this.#content;
    this.#content = undefined;
    this.#mode = 'command';
    if (content === undefined || content.answered) return;
    this.#push(requestOf(content), content.start, end);
  }

  #push(request: SmtpRequest, start: number, end: number): void {
    const hasWaited = WAITING.has(this.#lastVerb) && request.acknowledged > this.#lastAcknowledged;
    if (hasWaited && !this.#clientMissed && !this.#stream.inStep) {
      for (const earlier of this.#stream.resynchronise()) this.#emitUnanswered(earlier);
    }
    this.#clientMissed = false;
    this.#lastAcknowledged = request.acknowledged;
    this.#lastVerb = request.verb;
    this.#stream.push(request, { start, end, acknowledged: request.acknowledged });
  }

  #clientGap(offset: number, length: number): void {
    const content = this.#content;
    if (this.#mode === 'chunk' && content !== undefined && length < this.#left) {
      this.#left -= length;
      content.gap = true;
      content.bytes += length;
      return;
    }
    this.#clientMisses(offset, length);
    if (this.#mode === 'message') {
      // Its end may be in the gap; the server's reply shows it.
      if (content === undefined) this.#content = { ...this.#begun(offset), timed: false, acknowledged: -1, gap: true };
      else content.gap = true;
      this.#contentEnd.gap();
      return;
    }
    this.#client.clear();
    if (content !== undefined && !content.answered) this.#giveUp(content);
    this.#content = undefined;
    this.#mode = 'unsure';
  }

  #clientMisses(offset: number, length: number): void {
    this.#stream.missed(SIDE.client, offset, length);
    this.#clientMissed = true;
  }

  #emitUnanswered(request: SmtpRequest): void {
    const incomplete = this.#stream.missedSince(request.acknowledged) ? 'response not captured' : 'unknown';
    this.#context.emit(exchangeOf(request, { incomplete }, this.#context.showSecrets));
  }

  #giveUp(content: Content): void {
    const { showSecrets } = this.#context;
    this.#context.emit(exchangeOf(requestOf(content), { incomplete: 'request not captured' }, showSecrets));
  }

  #serverGap(offset: number, length: number): void {
    const coming = this.#coming;
    this.#coming = undefined;
    this.#greeted = true;
    if (coming !== undefined) {
      this.#cutCode = coming.code;
      this.#answer({ ...coming, lastTime: undefined, gap: true }, 'response not captured');
    }
    this.#stream.missed(SIDE.server, offset, length);
    this.#server.clear(true);
    this.#serverLost = true;
    // What was not captured may have asked for a message, or for a part of an authentication.
    const mayAsk = ASKING.has(this.#lastVerb) && (this.#stream.size > 0 || !this.#stream.inStep);
    if (this.#mode === 'response' || (this.#mode === 'command' && mayAsk)) {
      this.#client.clear();
      this.#mode = 'unsure';
    }
  }

  #fromServer(bytes: Uint8Array, start: number, end: number, base: number): number {
    const line = this.#server;
    const stop = line.take(bytes, start, end, base + start, this.#context);
    if (stop < 0) return end;
    const [, digits, separator = '', text = ''] = REPLY.exec(line.text) ?? [];
    const { start: from, bytes: length } = line;
    if (digits === undefined || (this.#coming !== undefined && this.#coming.code !== Number(digits))) {
      this.#badLine(line);
    } else if (this.#cutCode === Number(digits)) {
      // The rest of a reply that is reported already.
      this.#stream.missed(SIDE.server, from, length);
      if (separator !== '-') this.#cutCode = 0;
      this.#shows(Number(digits));
    } else {
      this.#cutCode = 0;
      this.#stream.understood(SIDE.server);
      this.#join(Number(digits), text, line);
      this.#serverLost = false;
      if (separator !== '-') this.#finishReply();
    }
    line.clear();
    return stop;
  }

  /** A line that is no reply's: after a gap the end of one. */
  #badLine(line: Line): void {
    const coming = this.#coming;
    this.#coming = undefined;
    if (coming !== undefined) this.#answer({ ...coming, lastTime: undefined, gap: true }, 'unknown');
    if (line.followsGap || this.#serverLost) this.#stream.missed(SIDE.server, line.start, line.bytes);
    else this.#stream.skipped(SIDE.server, line.start, line.bytes);
    this.#serverLost = true;
  }

  #join(code: number, text: string, line: Line): void {
    const { start, acknowledged, firstTime, lastTime, timed, bytes, followsGap } = line;
    const before = this.#coming;
    if (before !== undefined) {
      this.#coming = { ...before, lastTime, timed: before.timed && timed, bytes: before.bytes + bytes };
      return;
    }
    // Lines before it may be missing, unless the client asked when it had received all before it.
    const gap = (followsGap || this.#serverLost) && this.#lastAcknowledged !== start;
    this.#coming = { code, text, start, acknowledged, firstTime, lastTime, timed, bytes, gap };
  }

  #finishReply(): void {
    const reply = this.#coming;
    this.#coming = undefined;
    if (reply === undefined) return;
    const isGreeting = !this.#greeted && (reply.code === GREETING || this.#stream.size === 0);
    this.#greeted = true;
    if (isGreeting) {
      if (reply.code !== GREETING) this.#context.emit(replyAlone(reply, undefined, this.#context.showSecrets));
      return;
    }
    this.#endsContent(reply);
    if (this.#stream.size === 0 && this.#stream.inStep && !reply.gap && !this.#context.midstream) {
      // All commands were seen, and answered.
      this.#context.emit(unasked(reply, this.#context.showSecrets));
      this.#shows(reply.code);
      return;
    }
    const request = this.#answer(reply);
    this.#shows(reply.code);
    if (request?.verb === 'STARTTLS' && reply.code === GREETING) this.#next = this.#context.become(tls);
  }

  /** A reply while a message comes, or its end was not captured, is the reply to it. */
  #endsContent(reply: SmtpReply): void {
    const content = this.#content;
    if (content === undefined || content.answered || reply.code === SEND_MESSAGE || this.#stream.size > 0) return;
    const end = this.#stream.reached(SIDE.client);
    this.#push(requestOf(content), content.start, reply.acknowledged < 0 ? end : Math.min(end, reply.acknowledged));
    content.answered = true;
  }

  /** What the client sends next, as a reply shows it. */
  #shows(code: number): void {
    if (code === SEND_MESSAGE) {
      if (this.#mode === 'message') return;
      this.#client.clear();
      this.#content = undefined;
      this.#contentEnd.begin();
      this.#mode = 'message';
    } else if (code === SEND_RESPONSE) {
      this.#client.clear();
      this.#mode = 'response';
    } else if (this.#mode === 'unsure' || (this.#mode === 'message' && this.#content?.gap === true)) {
      this.#client.clear();
      this.#content = undefined;
      this.#mode = 'command';
    }
  }

  /** @returns the request that it answers for certain */
  #answer(reply: SmtpReply, incomplete?: Incomplete, endedBy?: Side): SmtpRequest | undefined {
    const { showSecrets } = this.#context;
    const answer = this.#stream.answer(reply.start, reply.acknowledged);
    if (answer.kind === 'paired') {
      const why = answer.proven ? incomplete : 'unknown';
      this.#context.emit(exchangeOf(answer.request, { reply, incomplete: why, endedBy }, showSecrets));
      return answer.proven ? answer.request : undefined;
    }
    if (answer.kind === 'unknown' && answer.unpaired.length > 0) return undefined;
    const why = answer.kind === 'unknown' ? answer.kind : 'request not seen';
    this.#context.emit(replyAlone(reply, why, showSecrets));
    return undefined;
  }
}

function requestOf({ verb, label, time, timed, bytes, end, gap, acknowledged }: Content): SmtpRequest {
  return { verb, label, argument: undefined, time, end, timed, bytes, gap, acknowledged };
}
