import { i32, u8 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { LengthFramer } from '../length-framer.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { protocolLost } from '../protocol-lost.ts';
import { sentStatement } from '../statement.ts';
import { tls } from '../tls/index.ts';
import { Answers, type Place } from './answers.ts';
import { clientBegins, SEEK_BYTES, serverBegins } from './beginnings.ts';
import type { StepKind } from './cycle.ts';
import {
  errorFields,
  isClientType,
  isServerType,
  REQUEST,
  STARTUP_MAXIMUM,
  startupParameters,
  textAt,
  textEnd,
  typedLength,
} from './messages.ts';
import { cancelRequest, notification } from './one-way.ts';
import { Prepared } from './prepared.ts';

/** Bytes kept of a message of either side: statements, errors. */
const CLIENT_KEEP = 8192;
const SERVER_KEEP = 2048;
/** Places remembered at which the client had received all that it waited for. */
const PLACES_MAXIMUM = 8;

/** Most bytes that are skipped after a gap without an event. */
const SKIPPED_MAXIMUM = 16_384;

/** The type of a row, of which there may be many. */
const DATA_ROW = 0x44;

/** Answers to a request for encryption: TLS, GSS, an error message; anything else is a refusal. */
const ENCRYPTION = { tls: 0x53, gss: 0x47, error: 0x45 } as const;

/** A message of the client, as far as it was captured. */
interface ClientMessage {
  readonly place: Place;
  readonly bytes: Uint8Array;
  /** Where in `bytes` it and its contents begin, and what is kept of it ends. */
  readonly start: number;
  readonly at: number;
  readonly limit: number;
  readonly length: number;
  readonly time: number;
  readonly last: number;
  readonly whole: boolean;
}

/** One connection. */
export class PostgreSqlConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #client: LengthFramer;
  readonly #server: LengthFramer;
  readonly #prepared = new Prepared();
  readonly #answers: Answers;
  #startup = true;
  /** A request for encryption that waits for its one byte. */
  #encryptionRequest: { place: Place; time: number; last: number; bytes: number } | undefined;
  #next: StreamAnalyzer | undefined;
  #opaque = false;
  /** Where the client's next message begins if it waited for the answer; server offsets at which answers may begin. */
  #clientPlace = -1;
  readonly #serverPlaces: number[] = [];
  /** By side: stream offset of the next byte. */
  readonly #offsets: [number, number];
  /** By side: bytes were not captured, and no message has begun since. */
  readonly #gapBefore: [boolean, boolean] = [false, false];
  /** By side: where bytes are skipped from; -1 where they are not. */
  readonly #skippedFrom: [number, number] = [-1, -1];
  /** By side: an event for the skipped bytes was emitted. */
  readonly #announced: [boolean, boolean] = [false, false];

  constructor(context: StreamContext) {
    this.#context = context;
    this.#answers = new Answers(context);
    this.#offsets = [context.beginning(SIDE.client), context.beginning(SIDE.server)];
    this.#client = new LengthFramer({
      header: 5,
      keep: CLIENT_KEEP,
      holes: true,
      cut: true,
      seeking: {
        bytes: SEEK_BYTES,
        least: 1,
        begins: (bytes, start, end, offset) => clientBegins(bytes, start, end, offset === this.#clientPlace),
      },
      lengthOf: (bytes, start) => this.#clientLength(bytes, start),
      onMessage: (bytes, start, end, length, time, last, whole) => {
        const { offset, firstAcknowledged: acknowledged } = this.#client;
        const place = { start: offset, end: offset + length, acknowledged };
        this.#onClient({ place, bytes, start, at: start + 5, limit: end, length, time, last, whole });
      },
      onLost: () => undefined,
      onSkipped: (offset) => this.#skipped(SIDE.client, offset),
    });
    this.#server = new LengthFramer({
      header: 5,
      keep: SERVER_KEEP,
      holes: true,
      cut: true,
      seeking: {
        bytes: SEEK_BYTES,
        least: 1,
        begins: (bytes, start, end, offset) => serverBegins(bytes, start, end, this.#serverPlaces.includes(offset)),
      },
      lengthOf: (bytes, start) => (isServerType(u8(bytes, start)) ? typedLength(bytes, start) : 0),
      onMessage: (bytes, start, end, length, time, last, whole) =>
        this.#onServer(bytes, start, end, length, time, last, whole),
      onLost: () => undefined,
      onSkipped: (offset) => this.#skipped(SIDE.server, offset),
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#opaque) return;
    if (this.#next !== undefined) {
      this.#next.data(side, bytes, start, end);
      return;
    }
    const { now, timeKnown, offset, acknowledged } = this.#context;
    // What came before the protocol was recognised may have been requests and answers.
    if (offset > this.#offsets[side]) this.gap(side, offset - this.#offsets[side]);
    this.#offsets[side] = offset + (end - start);
    if (this.#skippedFrom[side] >= 0 && offset - this.#skippedFrom[side] > SKIPPED_MAXIMUM) this.#emitSkipped(side);
    // A time that is not known stays unknown in all that is computed from it.
    const time = timeKnown ? now : Number.NaN;
    if (side === SIDE.client) {
      this.#client.data(bytes, start, end, time, offset, acknowledged);
      return;
    }
    const at = this.#encryptionRequest !== undefined && this.#encryption(u8(bytes, start)) ? start + 1 : start;
    if (at < end) this.#serverData(bytes, at, end, time, offset + (at - start));
  }

  /** What the server sends behind its answer to a request for encryption, or without one. */
  #serverData(bytes: Uint8Array, start: number, end: number, time: number, offset: number): void {
    if (this.#next !== undefined) this.#next.data(SIDE.server, bytes, start, end);
    else if (!this.#opaque) this.#server.data(bytes, start, end, time, offset, this.#context.acknowledged);
  }

  gap(side: Side, length: number): void {
    if (this.#next !== undefined) {
      this.#next.gap(side, length);
      return;
    }
    if (this.#opaque) return;
    const from = this.#offsets[side];
    this.#offsets[side] += length;
    if (side === SIDE.client) {
      this.#client.gap(length, Number.NaN);
      this.#gapBefore[side] = true;
      if (!this.#client.lost) return;
      this.#startup = false;
      this.#encryptionRequest = undefined;
      this.#prepared.forgetUnnamed();
      this.#answers.clientGap(from, length);
    } else {
      this.#encryptionRequest = undefined;
      this.#server.gap(length, Number.NaN);
      this.#gapBefore[side] = true;
      if (this.#server.lost) this.#answers.serverGap(from, length);
    }
  }

  end(how: StreamEnd, by?: Side): void {
    if (this.#next !== undefined) this.#next.end(how, by);
    else this.#answers.end(how, by, this.#offsets[SIDE.server]);
  }

  /** The server's answer to a request for encryption. @returns whether the byte was it, and no message's first */
  #encryption(answer: number): boolean {
    const request = this.#encryptionRequest;
    this.#encryptionRequest = undefined;
    if (answer === ENCRYPTION.tls) this.#next = this.#context.become(tls);
    else if (answer === ENCRYPTION.gss) this.#opaque = true;
    else if (answer === ENCRYPTION.error && request !== undefined) {
      const { place, time, last, bytes } = request;
      this.#answers.ask({ kind: 'connect', sql: '', time, end: last, bytes, whole: true }, place);
      return false;
    }
    return true;
  }

  #clientLength(bytes: Uint8Array, start: number): number {
    if (this.#startup && u8(bytes, start) === 0) {
      const length = i32(bytes, start);
      return length >= 8 && length <= STARTUP_MAXIMUM ? length : 0;
    }
    // The capture began behind the startup.
    this.#startup = false;
    return isClientType(u8(bytes, start)) ? typedLength(bytes, start) : 0;
  }

  #onClient(message: ClientMessage): void {
    this.#understood(SIDE.client);
    const { bytes, start, at, limit } = message;
    this.#expect(message.place.acknowledged);
    this.#expect(this.#client.lastAcknowledged);
    if (this.#startup) {
      this.#onStartup(message);
      return;
    }
    const type = String.fromCharCode(u8(bytes, start));
    if (!message.whole && (type === 'P' || type === 'B')) {
      this.#prepared.incomplete(type === 'P' ? bytes : undefined, at, limit);
      this.#ask(type === 'P' ? 'parse' : 'bind', undefined, message);
      return;
    }
    switch (type) {
      case 'Q':
        this.#ask('query', sentStatement(bytes, at, textEnd(bytes, at, limit)), message);
        return;
      case 'P':
        this.#ask('parse', this.#prepared.parse(bytes, at, limit), message);
        return;
      case 'B':
        this.#ask('bind', this.#prepared.bind(bytes, at, limit), message);
        return;
      case 'E':
        this.#ask('execute', this.#prepared.execute(bytes, at, limit), message);
        return;
      case 'D':
        this.#ask('describe', this.#prepared.named(bytes, at, limit), message);
        return;
      case 'C':
        this.#ask('close', this.#prepared.named(bytes, at, limit), message);
        return;
      case 'F':
        this.#ask('call', undefined, message);
        return;
      case 'S':
        this.#ask('sync', undefined, message);
        return;
      case 'd':
        this.#answers.copied(message.last, message.length);
        return;
      case 'c':
      case 'f':
        this.#answers.copyEnded(message.last, message.length);
        return;
      default:
    }
  }

  #onStartup(message: ClientMessage): void {
    const { bytes, start, limit, length, time, last, place } = message;
    const request = i32(bytes, start + 4);
    if (request === REQUEST.ssl || request === REQUEST.gssEncryption) {
      this.#encryptionRequest = { place, time, last, bytes: length };
      return;
    }
    if (request === REQUEST.cancel) {
      this.#context.emit(cancelRequest(Number.isNaN(time) ? this.#context.now : time, length));
      return;
    }
    this.#startup = false;
    const { user, database } = startupParameters(bytes, start + 8, limit);
    this.#answers.login = { user: oneLine(user), database: oneLine(database) };
    this.#ask('connect', '', message);
  }

  #ask(kind: StepKind, sql: string | undefined, { time, last, length, whole, place }: ClientMessage): void {
    this.#answers.ask({ kind, sql, time, end: last, bytes: length, whole }, place);
  }

  #onServer(
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    time: number,
    last: number,
    whole: boolean,
  ): void {
    this.#understood(SIDE.server);
    const { offset, firstAcknowledged: acknowledged, lastAcknowledged } = this.#server;
    if (lastAcknowledged >= 0) this.#clientPlace = lastAcknowledged;
    if (u8(bytes, start) === DATA_ROW && this.#answers.row(length)) return;
    const type = String.fromCharCode(u8(bytes, start));
    if (type === 'N' || type === 'S' || type === 'K') return;
    if (type === 'A') {
      const known = Number.isNaN(last) ? this.#context.now : last;
      this.#context.emit(notification(textAt(bytes, start + 9, end), known, length));
      return;
    }
    const tag = type === 'C' && whole ? textAt(bytes, start + 5, end) : '';
    const error = type === 'E' ? errorFields(bytes, start + 5, end) : undefined;
    const place = { start: offset, end: offset + length, acknowledged };
    if (this.#answers.message({ type, length, time, last, tag, error, whole }, place)) return;
    this.#emitLost(SIDE.server, offset, `no message of type ${type} can come here`, 'resumes at the next answer');
  }

  #understood(side: Side): void {
    this.#gapBefore[side] = false;
    this.#skippedFrom[side] = -1;
    this.#announced[side] = false;
  }

  /** Bytes are no message. After a gap an event is emitted only if many bytes are skipped. */
  #skipped(side: Side, offset: number): void {
    this.#skippedFrom[side] = offset;
    if (this.#gapBefore[side]) return;
    if (side === SIDE.client) this.#answers.clientGap(offset, 1);
    else this.#answers.serverLost(offset, 1);
    this.#emitSkipped(side);
  }

  #emitSkipped(side: Side): void {
    const offset = this.#skippedFrom[side];
    const why = this.#gapBefore[side] ? 'bytes before it were not captured' : 'no message starts there';
    this.#emitLost(
      side,
      offset,
      why,
      side === SIDE.client ? 'resumes at the next statement' : 'resumes at the end of an answer',
    );
  }

  /** An answer may begin where the client had received all before when it asked. */
  #expect(offset: number): void {
    const places = this.#serverPlaces;
    if (offset < 0 || places.at(-1) === offset) return;
    if (places.length >= PLACES_MAXIMUM) places.shift();
    places.push(offset);
  }

  #emitLost(side: Side, position: number, why: string, next: string): void {
    if (this.#announced[side]) return;
    this.#announced[side] = true;
    const { now: time } = this.#context;
    this.#context.emit(protocolLost({ protocol: 'postgresql', title: 'PostgreSQL', side, position, time, why, next }));
  }
}
