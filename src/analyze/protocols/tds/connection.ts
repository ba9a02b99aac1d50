import { type Exchange, type Fields, type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { LengthFramer } from '../length-framer.ts';
import { oneLine } from '../one-line.ts';
import { PairedStream } from '../paired-stream.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { errorText, statementNames } from '../statement.ts';
import { isFailure, REQUEST_NOT_SEEN, REQUEST_UNKNOWN, unfinished } from '../unfinished.ts';
import {
  HEADER,
  isFirst,
  isLast,
  isRecord,
  messageBegins,
  PACKET_HEADER,
  SEEK,
  TYPE,
  tdsLength,
  typeOf,
} from './packet.ts';
import { type Asked, encryptionOf, readRequest } from './request.ts';
import { DONE_BYTES, type Outcome, readResponse } from './response.ts';

/** Bytes kept of a packet, and of its end. */
const KEEP = 8192;

const NAMES = { protocol: 'tds', title: 'SQL Server', request: 'message', answer: 'response', shortest: 8 };

const ENCRYPTION: readonly string[] = ['off', 'on', 'not supported', 'required'];
const ENCRYPTION_OFF = 0;
const ENCRYPTION_NOT_SUPPORTED = 2;

/** What the packets of a message, so far, are together. */
interface Coming {
  readonly type: number;
  readonly start: number;
  readonly acknowledged: number;
  readonly time: number;
  /** The first packet's payload, as far as it is kept. */
  readonly payload: Uint8Array;
  end: number;
  lastTime: number;
  timed: boolean;
  bytes: number;
  whole: boolean;
  /** Its last bytes. */
  tail: Uint8Array;
}

interface Request {
  readonly asked: Asked;
  readonly type: number;
  readonly message: Coming;
  readonly acknowledged: number;
}

const NOTHING = new Uint8Array(0);

/** TDS of one connection: messages of packets; a client waits for the response to one before it sends the next. */
export class TdsConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #stream: PairedStream<Request>;
  readonly #framers: readonly [LengthFramer, LengthFramer];
  readonly #coming: [Coming | undefined, Coming | undefined] = [undefined, undefined];
  /** By side: the rest of a message whose beginning was not seen. */
  readonly #skips: [boolean, boolean];
  /** What the server stated of encryption; -1 before. */
  #encryption = -1;
  #tlsNamed = false;
  /** All that follows is TLS. */
  #isHidden = false;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#stream = new PairedStream<Request>(context, NAMES, (request, incomplete, endedBy) =>
      this.#emit(request, undefined, undefined, incomplete, endedBy),
    );
    this.#framers = [this.#framer(SIDE.client), this.#framer(SIDE.server)];
    this.#skips = [false, context.midstream];
    // In the middle of a connection nothing proves that the server's first bytes begin a message.
    if (context.midstream) this.#framers[SIDE.server].seek();
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#isHidden) return;
    const { now, offset, acknowledged, timeKnown } = this.#context;
    const unheard = this.#stream.unheard(side);
    if (unheard > 0) this.gap(side, unheard);
    this.#stream.delivered(side, end - start);
    this.#framers[side].data(bytes, start, end, now, offset, acknowledged, timeKnown);
  }

  gap(side: Side, length: number): void {
    if (this.#isHidden) return;
    const framer = this.#framers[side];
    const offset = this.#stream.gap(side, length);
    const within = framer.length - framer.seen;
    framer.gap(length, this.#context.now);
    if (length > within) this.#lose(side, offset, length);
  }

  end(how: StreamEnd, by?: Side): void {
    const coming = this.#coming[SIDE.server];
    this.#coming[SIDE.server] = undefined;
    if (coming !== undefined && coming.type === TYPE.response) this.#answer(coming, unfinished(how, true), by);
    this.#stream.end(how, by);
  }

  #framer(side: Side): LengthFramer {
    const framer: LengthFramer = new LengthFramer({
      header: HEADER,
      headerMaximum: PACKET_HEADER,
      keep: KEEP,
      tail: DONE_BYTES,
      holes: true,
      seeking: {
        bytes: SEEK,
        least: HEADER,
        begins: (bytes, start, end) => messageBegins(side, bytes, start, end),
      },
      lengthOf: (bytes, start, end) => tdsLength(side, bytes, start, end),
      onMessage: (bytes, start, end, length, first, last, whole, tail) => {
        const time = { first, last };
        this.#onPacket(side, framer, bytes, start, end, length, time, whole, tail);
      },
      onLost: () => undefined,
      onSkipped: (offset) => {
        this.#cutOff(side);
        this.#skips[side] = false;
        this.#stream.skipped(side, offset, 1);
      },
    });
    return framer;
  }

  /** Bytes are missing in which messages may begin and end. */
  #lose(side: Side, offset: number, length: number): void {
    if (side === SIDE.server) this.#cutOff(side);
    this.#stream.missed(side, offset, length);
    if (side === SIDE.client) this.#cutOff(side);
    this.#skips[side] = true;
  }

  /** No more of a message is known. */
  #cutOff(side: Side): void {
    const coming = this.#coming[side];
    this.#coming[side] = undefined;
    if (coming === undefined) return;
    coming.whole = false;
    if (side === SIDE.client) this.#push(coming);
    else if (coming.type === TYPE.response) this.#answer({ ...coming, timed: false }, 'response not captured');
  }

  #onPacket(
    side: Side,
    framer: LengthFramer,
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    time: { readonly first: number; readonly last: number },
    whole: boolean,
    tail: number,
  ): void {
    if (this.#isHidden) return;
    const type = typeOf(bytes, start);
    const isTls = isRecord(bytes, start);
    const last =
      tail < 0 ? bytes.subarray(Math.max(start + PACKET_HEADER, end - DONE_BYTES), end) : bytes.subarray(tail, end);
    if (isTls || (type === TYPE.prelogin && bytes[start + PACKET_HEADER] !== 0)) {
      this.#onTls(side, isTls, time.first);
      // A login may take several records.
      if (!isTls || side === SIDE.server || this.#stream.first?.type === TYPE.login) return;
    }
    const before = this.#coming[side];
    if (before === undefined && this.#skips[side] && !isTls) {
      // The rest of a message whose beginning was not captured; a later one begins with its first number.
      if (isLast(bytes, start)) this.#skips[side] = false;
      if (!isFirst(bytes, start)) return;
      this.#skips[side] = false;
    }
    const coming: Coming = before ?? {
      type: isTls ? TYPE.login : type,
      start: framer.offset,
      acknowledged: framer.firstAcknowledged,
      time: time.first,
      payload: isTls
        ? NOTHING
        : bytes.slice(start + PACKET_HEADER, Math.max(start + PACKET_HEADER, tail < 0 ? end : tail)),
      end: framer.offset,
      lastTime: time.last,
      timed: true,
      bytes: 0,
      whole: true,
      tail: NOTHING,
    };
    coming.end = framer.offset + length;
    coming.lastTime = framer.endSeen ? time.last : Number.NaN;
    coming.timed &&= framer.timed && framer.endSeen;
    coming.bytes += framer.captured;
    coming.whole &&= whole;
    coming.tail = joined(coming.tail, whole ? last : NOTHING);
    this.#stream.skippedUntil(side, framer.offset);
    this.#stream.understood(side);
    if (!isTls && !isLast(bytes, start)) {
      this.#coming[side] = coming;
      return;
    }
    this.#coming[side] = undefined;
    if (side === SIDE.client) this.#push(coming);
    else if (coming.type === TYPE.response) this.#answer(coming);
  }

  /** TLS: its handshake travels inside packets, what it protects in their place. */
  #onTls(side: Side, isRecordAlone: boolean, time: number): void {
    const onlyLogin = this.#encryption === ENCRYPTION_OFF;
    if (!this.#tlsNamed) {
      this.#tlsNamed = true;
      this.#context.emit({
        kind: 'event',
        protocol: 'tds',
        code: 'TDS_TLS',
        label: onlyLogin ? 'TLS protects the login' : 'TLS protects what follows: not decoded',
        time,
        from: side,
        failed: false,
        fields: {},
      });
    }
    if (isRecordAlone && !onlyLogin) this.#isHidden = true;
  }

  #push(message: Coming): void {
    const { type, start, end, acknowledged, payload } = message;
    if (this.#isHidden) return;
    if (type === TYPE.attention) {
      this.#context.emit({
        kind: 'message',
        protocol: 'tds',
        label: 'ATTENTION',
        time: message.time,
        from: SIDE.client,
        bytes: message.bytes,
        fields: { sql: { command: 'ATTENTION' } },
      });
      return;
    }
    const asked = readRequest(type, payload, 0, payload.length);
    this.#stream.push({ asked, type, message, acknowledged }, { start, end, acknowledged });
  }

  /** A response has come, or as much of it as will. */
  #answer(message: Coming, why?: Incomplete, by?: Side): void {
    const { payload, tail, start, acknowledged } = message;
    const outcome = readResponse(payload, 0, payload.length, why === undefined ? tail : NOTHING);
    // A canceled request had been answered before.
    if (outcome.canceled && this.#stream.size === 0) return;
    const answer = this.#stream.answer(start, acknowledged);
    if (answer.kind === 'paired') {
      const incomplete = answer.proven ? why : 'unknown';
      if (answer.request.type === TYPE.prelogin) this.#encryption = encryptionOf(payload, 0, payload.length);
      this.#emit(answer.request, message, outcome, incomplete, by);
      return;
    }
    if (answer.kind === 'unknown' && answer.unpaired.length > 0) return;
    this.#emitAlone(message, outcome, answer.kind === 'unknown' ? 'unknown' : 'request not seen');
  }

  #emit(
    { asked, type, message }: Request,
    answer: Coming | undefined,
    outcome: Outcome | undefined,
    incomplete: Incomplete | undefined,
    endedBy?: Side,
  ): void {
    const { text, route } = this.#namesOf(asked);
    const timed = answer?.timed === true && message.timed;
    const isWhole = answer === undefined || answer.whole;
    this.#context.emit({
      kind: 'exchange',
      protocol: 'tds',
      label: this.#context.detail || this.#context.labels === true ? text : route,
      time: message.time,
      requestEnd: Number.isNaN(message.lastTime) ? message.time : message.lastTime,
      responseTime: timed ? answer.time : undefined,
      responseEnd: timed ? answer.lastTime : undefined,
      requestBytes: message.bytes,
      responseBytes: answer?.bytes ?? 0,
      endedBy,
      status: type === TYPE.prelogin && answer !== undefined ? this.#encryptionText() : this.#statusOf(outcome, asked),
      failed: (type !== TYPE.prelogin && outcome?.failed === true) || isFailure(incomplete),
      route,
      incomplete:
        incomplete ?? (message.whole ? (isWhole ? undefined : 'response not captured') : 'request not captured'),
      fields: { sql: this.#fields(asked, type === TYPE.prelogin ? undefined : outcome) },
    } satisfies Exchange);
  }

  /** A response to a request that was not captured, or that is not proven. */
  #emitAlone(message: Coming, outcome: Outcome, incomplete: Incomplete): void {
    const label = incomplete === 'unknown' ? REQUEST_UNKNOWN : REQUEST_NOT_SEEN;
    const asked = { command: '', statement: '', procedure: '', database: '' };
    this.#context.emit({
      kind: 'exchange',
      protocol: 'tds',
      label,
      time: message.time,
      requestEnd: message.time,
      responseTime: message.timed ? message.time : undefined,
      responseEnd: message.timed ? message.lastTime : undefined,
      requestBytes: 0,
      responseBytes: message.bytes,
      status: this.#statusOf(outcome, asked),
      failed: outcome.failed,
      route: label,
      incomplete,
      fields: { sql: this.#fields(asked, outcome) },
    });
  }

  #encryptionText(): string {
    const known = ENCRYPTION[this.#encryption];
    return known === undefined ? 'ok' : `encryption ${this.#encryption === ENCRYPTION_NOT_SUPPORTED ? 'off' : known}`;
  }

  #namesOf({ command, statement, procedure }: Asked): { text: string; route: string } {
    if (statement !== '') return statementNames(statement, this.#context.showSecrets);
    const name = procedure === '' ? command : `EXEC ${procedure}`;
    return { text: name, route: name };
  }

  #statusOf(outcome: Outcome | undefined, asked: Asked): string {
    if (outcome === undefined) return '';
    if (outcome.code > 0) return oneLine(`ERROR ${outcome.code} ${this.#errorText(outcome, asked)}`);
    if (outcome.failed) return 'ERROR';
    if (outcome.canceled) return 'canceled';
    return outcome.ended ? 'ok' : '';
  }

  #errorText({ error }: Outcome, { statement }: Asked): string {
    return errorText(error, statement, this.#context.showSecrets);
  }

  #fields(asked: Asked, outcome: Outcome | undefined): Fields {
    const isFailed = outcome !== undefined && outcome.code > 0;
    const plain = {
      command: asked.command || undefined,
      error: isFailed ? this.#errorText(outcome, asked) || undefined : undefined,
      code: isFailed ? outcome.code : undefined,
    };
    if (!this.#context.detail) return plain;
    return {
      ...plain,
      statement: asked.statement === '' ? undefined : statementNames(asked.statement, this.#context.showSecrets).text,
      rows: outcome === undefined || outcome.rows < 0 ? undefined : outcome.rows,
      procedure: asked.procedure || undefined,
      database: asked.database || undefined,
    };
  }
}

/** The last bytes of both together. */
function joined(before: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (bytes.length >= DONE_BYTES) return bytes.slice(bytes.length - DONE_BYTES);
  const all = new Uint8Array(before.length + bytes.length);
  all.set(before);
  all.set(bytes, before.length);
  return all.subarray(Math.max(0, all.length - DONE_BYTES));
}
