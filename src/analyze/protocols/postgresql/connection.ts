import { i32, u8 } from '../../bytes.ts';
import { PENDING_PER_STREAM } from '../../limits.ts';
import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { LengthFramer } from '../length-framer.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { tls } from '../tls/index.ts';
import { type Asked, isTold, type Login, statementExchange } from './exchange.ts';
import {
  errorFields,
  isClientType,
  isServerType,
  postgresqlLikeness,
  REQUEST,
  STARTUP_MAXIMUM,
  startupParameters,
  textAt,
  typedLength,
} from './messages.ts';
import { cancelRequest, notification } from './one-way.ts';
import { Prepared } from './prepared.ts';

/** Octets kept of a message of either side: statements, errors. */
const CLIENT_KEEP = 8192;
const SERVER_KEEP = 2048;

/** One connection. */
export class PostgreSqlConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #client: LengthFramer;
  readonly #server: LengthFramer;
  readonly #prepared = new Prepared();
  #asked: Asked[] = [];
  #startup: boolean;
  /** An encryption request waits for its one octet. */
  #octetAwaited = false;
  #next: StreamAnalyzer | undefined;
  #opaque = false;
  #login: Login = { user: '', database: '' };
  /** Of the answer under way. */
  #answerTime: number | undefined;
  #answerBytes = 0;
  #error: { readonly sqlstate: string; readonly message: string } | undefined;
  #tag = '';

  constructor(context: StreamContext) {
    this.#context = context;
    this.#startup = true;
    this.#client = new LengthFramer({
      header: 5,
      keep: CLIENT_KEEP,
      lengthOf: (bytes, start) => this.#clientLength(bytes, start),
      onMessage: (bytes, start, end, length, firstTime, lastTime) => {
        if (this.#startup) this.#first(bytes, start, end, length, firstTime, lastTime);
        else this.#onClient(bytes, start, end, length, firstTime, lastTime);
      },
      onLost: () => this.#lost(),
    });
    this.#server = new LengthFramer({
      header: 5,
      keep: SERVER_KEEP,
      lengthOf: (bytes, start) => (isServerType(u8(bytes, start)) ? typedLength(bytes, start) : 0),
      onMessage: (bytes, start, end, length, firstTime, lastTime) =>
        this.#onServer(bytes, start, end, length, firstTime, lastTime),
      onLost: () => this.#lost(),
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#opaque) return;
    if (this.#next !== undefined) {
      this.#next.data(side, bytes, start, end);
      return;
    }
    const { now } = this.#context;
    if (side === SIDE.client) {
      if (this.#client.lost && !this.#resumeClient(bytes, start, end)) return;
      this.#client.data(bytes, start, end, now);
      return;
    }
    let at = start;
    if (this.#octetAwaited && at < end) {
      this.#octetAwaited = false;
      this.#encryption(u8(bytes, at));
      at += 1;
      this.#rest(bytes, at, end);
      return;
    }
    if (this.#server.lost && !this.#resumeServer(bytes, start)) return;
    this.#server.data(bytes, at, end, now);
  }

  gap(side: Side, length: number): void {
    if (this.#next !== undefined) this.#next.gap(side, length);
    else if (!this.#opaque) (side === SIDE.client ? this.#client : this.#server).gap(length, this.#context.now);
  }

  end(how: StreamEnd): void {
    if (this.#next !== undefined) {
      this.#next.end(how);
      return;
    }
    for (const asked of this.#asked.splice(0)) {
      if (isTold(asked)) this.#emit(asked, undefined, how === 'reset' ? 'reset' : 'no response');
    }
  }

  #rest(bytes: Uint8Array, start: number, end: number): void {
    if (start < end) this.data(SIDE.server, bytes, start, end);
  }

  /** What the server says to a request for encryption: S, G or N. */
  #encryption(answer: number): void {
    if (answer === 0x53) this.#next = this.#context.become(tls);
    else if (answer === 0x47) this.#opaque = true;
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

  #first(bytes: Uint8Array, start: number, end: number, length: number, time: number, last: number): void {
    const request = i32(bytes, start + 4);
    if (request === REQUEST.ssl || request === REQUEST.gssEncryption) {
      this.#octetAwaited = true;
      return;
    }
    if (request === REQUEST.cancel) {
      this.#context.emit(cancelRequest(time, length));
      return;
    }
    this.#startup = false;
    const { user, database } = startupParameters(bytes, start + 8, end);
    this.#login = { user: oneLine(user), database: oneLine(database) };
    this.#ask('connect', '', time, last, length);
  }

  #onClient(bytes: Uint8Array, start: number, end: number, length: number, time: number, last: number): void {
    const at = start + 5;
    switch (String.fromCharCode(u8(bytes, start))) {
      case 'Q':
        this.#ask('query', textAt(bytes, at, end), time, last, length);
        return;
      case 'P':
        this.#ask('parse', this.#prepared.parse(bytes, at, end), time, last, length);
        return;
      case 'B':
        this.#ask('bind', this.#prepared.bind(bytes, at, end), time, last, length);
        return;
      case 'E':
        this.#ask('execute', this.#prepared.execute(bytes, at, end), time, last, length);
        return;
      case 'D':
        this.#ask('describe', '', time, last, length);
        return;
      case 'C':
        this.#ask('close', '', time, last, length);
        return;
      case 'S':
        this.#ask('sync', '', time, last, length);
        return;
      case 'd':
      case 'c':
      case 'f':
        this.#copied(last, length);
        return;
      default:
    }
  }

  /** COPY: the data are the statement's own. */
  #copied(last: number, length: number): void {
    const copying = this.#asked[0];
    if (copying === undefined) return;
    copying.bytes += length;
    copying.end = last;
  }

  #ask(kind: Asked['kind'], sql: string, time: number, end: number, bytes: number): void {
    if (this.#asked.length >= PENDING_PER_STREAM) {
      const oldest = this.#asked.shift();
      if (oldest !== undefined && isTold(oldest)) this.#emit(oldest, undefined, 'no response');
    }
    this.#asked.push({ kind, sql, time, end, bytes });
  }

  #onServer(bytes: Uint8Array, start: number, end: number, length: number, time: number, last: number): void {
    const type = String.fromCharCode(u8(bytes, start));
    if (type === 'N' || type === 'S' || type === 'K') return;
    if (type === 'A') {
      this.#context.emit(notification(textAt(bytes, start + 9, end), last, length));
      return;
    }
    this.#answerTime ??= time;
    this.#answerBytes += length;
    const [first] = this.#asked;
    switch (type) {
      case '1':
        this.#done('parse');
        return;
      case '2':
        this.#done('bind');
        return;
      case '3':
        this.#done('close');
        return;
      case 'n':
      case 'T':
        if (first?.kind === 'describe') this.#done('describe');
        return;
      case 'C':
        this.#tag = textAt(bytes, start + 5, end);
        if (first?.kind === 'execute') this.#finish(last);
        return;
      case 'I':
      case 's':
        if (first?.kind === 'execute') this.#finish(last);
        return;
      case 'E':
        this.#error = errorFields(bytes, start + 5, end);
        this.#failed(last);
        return;
      case 'Z':
        this.#ready(last);
        return;
      default:
    }
  }

  /** A step that is no exchange of its own is done. */
  #done(kind: Asked['kind']): void {
    if (this.#asked[0]?.kind !== kind) return;
    this.#asked.shift();
    this.#forgetAnswer();
  }

  /** After an error the server passes over all until Sync; the startup and a query end with it. */
  #failed(last: number): void {
    const [first] = this.#asked;
    if (first === undefined || first.kind === 'query') return;
    this.#finish(last);
    if (first.kind === 'connect') return;
    while (this.#asked.length > 0 && this.#asked[0]?.kind !== 'sync') this.#asked.shift();
  }

  #ready(last: number): void {
    const [first] = this.#asked;
    if (first?.kind === 'sync') this.#done('sync');
    else if (first?.kind === 'query' || first?.kind === 'connect') this.#finish(last);
    else this.#forgetAnswer();
  }

  #finish(last: number): void {
    const asked = this.#asked.shift();
    if (asked !== undefined) this.#emit(asked, last, undefined);
    this.#forgetAnswer();
  }

  #forgetAnswer(): void {
    this.#answerTime = undefined;
    this.#answerBytes = 0;
    this.#error = undefined;
    this.#tag = '';
  }

  #lost(): void {
    this.#client.stop();
    this.#server.stop();
    for (const asked of this.#asked.splice(0)) if (isTold(asked)) this.#emit(asked, undefined, 'response not captured');
    this.#forgetAnswer();
  }

  #resumeClient(bytes: Uint8Array, start: number, end: number): boolean {
    if (postgresqlLikeness(bytes, start, end) !== 'client') return false;
    this.#startup = u8(bytes, start) === 0;
    this.#client.restart();
    return true;
  }

  #resumeServer(bytes: Uint8Array, start: number): boolean {
    if (this.#client.lost || this.#asked.length === 0 || !isServerType(u8(bytes, start))) return false;
    this.#server.restart();
    return true;
  }

  #emit(asked: Asked, end: number | undefined, incomplete: Incomplete | undefined): void {
    const answered = { time: this.#answerTime, bytes: this.#answerBytes, error: this.#error, tag: this.#tag };
    const { showSecrets } = this.#context;
    this.#context.emit(statementExchange(asked, answered, this.#login, end, incomplete, showSecrets));
  }
}
