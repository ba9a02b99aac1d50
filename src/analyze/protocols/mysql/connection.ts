import { u8 } from '../../bytes.ts';
import { PENDING_PER_STREAM } from '../../limits.ts';
import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { utf8 } from '../../record/text.ts';
import { LengthFramer } from '../length-framer.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { tls } from '../tls/index.ts';
import { Answer } from './answer.ts';
import { type Asked, commandExchange } from './exchange.ts';
import {
  ANSWER,
  CAPABILITY,
  COMMAND,
  i32le,
  loginOf,
  mysqlLikeness,
  okFacts,
  PACKET_FULL,
  PACKET_HEADER,
  u24le,
} from './packets.ts';
import { behindQueryAttributes } from './query-attributes.ts';

/** Octets kept of a packet of either side: statements, errors. */
const CLIENT_KEEP = 8192;
const SERVER_KEEP = 1024;
/** Prepared statements remembered of a connection. */
const STATEMENTS_MAXIMUM = 1024;

/** Commands that no server answers. */
const UNANSWERED = new Set(['QUIT', 'STMT_CLOSE', 'STMT_SEND_LONG_DATA']);

/** One connection. */
export class MySqlConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #client: LengthFramer;
  readonly #server: LengthFramer;
  readonly #statements = new Map<number, string>();
  readonly #asked: Asked[] = [];
  /** The greeting came, and nobody is let in yet. */
  #login = false;
  #capabilities = 0;
  #user = '';
  #database = '';
  #next: StreamAnalyzer | undefined;
  #opaque = false;
  /** Of the answer under way. */
  #answerTime: number | undefined;
  #answerBytes = 0;
  /** The last packet goes on in the next. */
  #clientGoesOn = false;
  #serverGoesOn = false;
  #begun = false;

  constructor(context: StreamContext) {
    this.#context = context;
    const lengthOf = (bytes: Uint8Array, start: number) => PACKET_HEADER + u24le(bytes, start);
    const onLost = () => this.#lost();
    this.#client = new LengthFramer({
      header: PACKET_HEADER,
      keep: CLIENT_KEEP,
      lengthOf,
      onMessage: (bytes, start, end, length, first, last) => this.#onClient(bytes, start, end, length, first, last),
      onLost,
    });
    this.#server = new LengthFramer({
      header: PACKET_HEADER,
      keep: SERVER_KEEP,
      lengthOf,
      onMessage: (bytes, start, end, length, first, last) => this.#onServer(bytes, start, end, length, first, last),
      onLost,
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#opaque) return;
    if (this.#next !== undefined) {
      this.#next.data(side, bytes, start, end);
      return;
    }
    const framer = side === SIDE.client ? this.#client : this.#server;
    if (framer.lost && !this.#resume(side, bytes, start, end)) return;
    const at = framer.data(bytes, start, end, this.#context.now);
    if (at < end) this.#rest(side, bytes, at, end);
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
    for (const asked of this.#asked.splice(0)) this.#emit(asked, undefined, how === 'reset' ? 'reset' : 'no response');
  }

  /** What came behind the request for encryption. */
  #rest(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#next?.data(side, bytes, start, end);
  }

  #onClient(bytes: Uint8Array, start: number, end: number, length: number, time: number, last: number): void {
    const goesOn = this.#clientGoesOn;
    this.#clientGoesOn = length === PACKET_FULL + PACKET_HEADER;
    const [first] = this.#asked;
    if (this.#login) {
      if (first === undefined) this.#onLogin(bytes, start + PACKET_HEADER, end, length, time, last);
      else {
        first.bytes += length;
        first.end = last;
      }
      return;
    }
    // What is not numbered 0 goes on with the command: a file, a long statement.
    if (goesOn || u8(bytes, start + 3) !== 0 || end - start <= PACKET_HEADER) {
      if (first !== undefined) {
        first.bytes += length;
        first.end = last;
      }
      return;
    }
    this.#begun = true;
    const at = start + PACKET_HEADER;
    const command = COMMAND[u8(bytes, at)];
    if (command === undefined) {
      this.#client.stop();
      this.#lost();
    } else this.#ask(command, bytes, at + 1, end, length, time, last);
  }

  #ask(command: string, bytes: Uint8Array, at: number, end: number, length: number, time: number, last: number): void {
    if (command === 'STMT_CLOSE' && end - at >= 4) this.#statements.delete(i32le(bytes, at) >>> 0);
    if (UNANSWERED.has(command)) return;
    if (this.#asked.length >= PENDING_PER_STREAM) {
      const oldest = this.#asked.shift();
      if (oldest !== undefined) this.#emit(oldest, undefined, 'no response');
    }
    this.#asked.push({
      command,
      sql: this.#sql(command, bytes, at, end),
      time,
      end: last,
      bytes: length,
      answer: new Answer(command),
    });
  }

  #sql(command: string, bytes: Uint8Array, at: number, end: number): string {
    switch (command) {
      case 'QUERY':
        return utf8(
          bytes,
          this.#capabilities & CAPABILITY.queryAttributes ? behindQueryAttributes(bytes, at, end) : at,
          end,
        );
      case 'STMT_PREPARE':
        return utf8(bytes, at, end);
      case 'STMT_EXECUTE':
      case 'STMT_BULK_EXECUTE':
        return end - at >= 4 ? (this.#statements.get(i32le(bytes, at) >>> 0) ?? '') : '';
      case 'INIT_DB':
        this.#database = oneLine(utf8(bytes, at, end));
        return '';
      default:
        return '';
    }
  }

  #onLogin(bytes: Uint8Array, at: number, end: number, length: number, time: number, last: number): void {
    const { capabilities, user, database } = loginOf(bytes, at, end);
    this.#capabilities = capabilities;
    if (capabilities & CAPABILITY.ssl && length === 32 + PACKET_HEADER) {
      this.#client.stop();
      this.#next = this.#context.become(tls);
      return;
    }
    this.#user = oneLine(user);
    this.#database = oneLine(database);
    this.#asked.push({ command: 'CONNECT', sql: '', time, end: last, bytes: length, answer: new Answer('CONNECT') });
  }

  #onServer(bytes: Uint8Array, start: number, end: number, length: number, time: number, last: number): void {
    const goesOn = this.#serverGoesOn;
    this.#serverGoesOn = length === PACKET_FULL + PACKET_HEADER;
    const at = start + PACKET_HEADER;
    const payload = length - PACKET_HEADER;
    if (!this.#begun && !this.#login && this.#asked.length === 0) {
      this.#begun = true;
      this.#login = payload > 0 && u8(bytes, at) === 10;
      return;
    }
    const [first] = this.#asked;
    if (first === undefined) return;
    this.#answerTime ??= time;
    this.#answerBytes += length;
    if (goesOn) return;
    if (this.#login) this.#onLetIn(first, bytes, at, end, payload, last);
    else if (first.answer.packet(bytes, at, end, payload)) this.#finish(first, last);
  }

  /** While nobody is let in: OK, an error, or more words between the two. */
  #onLetIn(asked: Asked, bytes: Uint8Array, at: number, end: number, length: number, last: number): void {
    const answer = end > at ? u8(bytes, at) : ANSWER.moreData;
    if (answer === ANSWER.error) asked.answer.packet(bytes, at, end, length);
    else if (answer !== ANSWER.ok) return;
    else okFacts(bytes, at, end, length);
    this.#login = false;
    this.#finish(asked, last);
    if (answer !== ANSWER.ok || !(this.#capabilities & (CAPABILITY.compress | CAPABILITY.zstd))) return;
    this.#opaque = true;
    const said = { kind: 'event', protocol: 'mysql', code: 'SQL_COMPRESSED', time: last, from: SIDE.server } as const;
    this.#context.emit({
      ...said,
      label: 'the connection goes on compressed, and is not decoded',
      failed: false,
      fields: {},
    });
  }

  #finish(asked: Asked, last: number): void {
    this.#asked.shift();
    const { statement } = asked.answer;
    if (statement >= 0) {
      if (this.#statements.size >= STATEMENTS_MAXIMUM) {
        const oldest = this.#statements.keys().next().value;
        if (oldest !== undefined) this.#statements.delete(oldest);
      }
      this.#statements.set(statement, asked.sql);
    }
    this.#emit(asked, last, undefined);
    this.#answerTime = undefined;
    this.#answerBytes = 0;
  }

  #lost(): void {
    this.#client.stop();
    this.#server.stop();
    this.#begun = true;
    this.#login = false;
    for (const asked of this.#asked.splice(0)) this.#emit(asked, undefined, 'response not captured');
    this.#answerTime = undefined;
    this.#answerBytes = 0;
  }

  /** A statement alone in a segment is where both sides begin anew. */
  #resume(side: Side, bytes: Uint8Array, start: number, end: number): boolean {
    if (side === SIDE.client) {
      if (mysqlLikeness(bytes, start, end) !== 'client') return false;
      this.#client.restart();
      return true;
    }
    if (this.#client.lost || this.#asked.length === 0) return false;
    this.#server.restart();
    return true;
  }

  #emit(asked: Asked, end: number | undefined, incomplete: Incomplete | undefined): void {
    const { showSecrets } = this.#context;
    const login = { user: this.#user, database: this.#database };
    this.#context.emit(
      commandExchange(asked, login, this.#answerTime, this.#answerBytes, end, incomplete, showSecrets),
    );
  }
}
