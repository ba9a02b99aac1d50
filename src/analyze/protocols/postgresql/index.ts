import { i32, u8 } from '../../bytes.ts';
import { type Exchange, type Incomplete, SIDE, type Side } from '../../event.ts';
import { PENDING_PER_STREAM } from '../../limits.ts';
import { LengthFramer } from '../length-framer.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocol.ts';
import { statementRoute, statementText } from '../statement.ts';
import { tls } from '../tls/index.ts';
import {
  errorFields,
  isClientType,
  isServerType,
  MESSAGE_MAXIMUM,
  postgresqlLikeness,
  REQUEST,
  rowsOf,
  STARTUP_MAXIMUM,
  startupParameters,
  textAt,
  textEnd,
} from './messages.ts';

/** Octets kept of a message of either side: statements, errors. */
const CLIENT_KEEP = 8192;
const SERVER_KEEP = 2048;
/** Prepared statements and portals remembered of a connection. */
const NAMES_MAXIMUM = 1024;

/** What a client asked for, in the order in which the server answers. */
interface Asked {
  readonly kind: 'connect' | 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'sync';
  readonly sql: string;
  readonly time: number;
  end: number;
  bytes: number;
}

class PostgreSql implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #client: LengthFramer;
  readonly #server: LengthFramer;
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string>();
  #asked: Asked[] = [];
  #startup: boolean;
  /** An encryption request waits for its one octet. */
  #octetAwaited = false;
  #next: StreamAnalyzer | undefined;
  #opaque = false;
  #user = '';
  #database = '';
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
      const fields = { sql: { command: 'CANCEL' } };
      const said = {
        protocol: 'postgresql',
        label: 'cancel request',
        time,
        from: SIDE.client,
        bytes: length,
        fields,
      } as const;
      this.#context.emit({ kind: 'message', ...said });
      return;
    }
    this.#startup = false;
    const { user, database } = startupParameters(bytes, start + 8, end);
    this.#user = oneLine(user);
    this.#database = oneLine(database);
    this.#ask('connect', '', time, last, length);
  }

  #onClient(bytes: Uint8Array, start: number, end: number, length: number, time: number, last: number): void {
    const at = start + 5;
    switch (String.fromCharCode(u8(bytes, start))) {
      case 'Q':
        this.#ask('query', textAt(bytes, at, end), time, last, length);
        return;
      case 'P': {
        const sql = textAt(bytes, textEnd(bytes, at, end) + 1, end);
        remember(this.#statements, textAt(bytes, at, end), sql);
        this.#ask('parse', sql, time, last, length);
        return;
      }
      case 'B': {
        const sql = this.#statements.get(textAt(bytes, textEnd(bytes, at, end) + 1, end)) ?? '';
        remember(this.#portals, textAt(bytes, at, end), sql);
        this.#ask('bind', sql, time, last, length);
        return;
      }
      case 'E':
        this.#ask('execute', this.#portals.get(textAt(bytes, at, end)) ?? '', time, last, length);
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
      case 'f': {
        // COPY: the data are the statement's own.
        const copying = this.#asked[0];
        if (copying !== undefined) {
          copying.bytes += length;
          copying.end = last;
        }
        return;
      }
      default:
    }
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
      this.#notification(bytes, start + 9, end, length, last);
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

  #notification(bytes: Uint8Array, start: number, end: number, length: number, time: number): void {
    const label = oneLine(`NOTIFY ${textAt(bytes, start, end)}`);
    const fields = { sql: { command: 'NOTIFY' } };
    this.#context.emit({
      kind: 'message',
      protocol: 'postgresql',
      label,
      time,
      from: SIDE.server,
      bytes: length,
      fields,
    });
  }

  #lost(): void {
    this.#client.stop();
    this.#server.stop();
    for (const asked of this.#asked.splice(0)) if (isTold(asked)) this.#emit(asked, undefined, 'gap');
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
    const isConnect = asked.kind === 'connect';
    const statement = isConnect ? '' : statementText(asked.sql, this.#context.showSecrets);
    const error = this.#error;
    const unknown = statement === '' ? '(statement not seen)' : statement;
    const exchange: Exchange = {
      kind: 'exchange',
      protocol: 'postgresql',
      label: isConnect ? `connect ${this.#user}@${this.#database}` : unknown,
      time: asked.time,
      requestEnd: asked.end,
      responseTime: end === undefined ? undefined : this.#answerTime,
      responseEnd: end,
      requestBytes: asked.bytes,
      responseBytes: end === undefined ? 0 : this.#answerBytes,
      status: error !== undefined ? oneLine(`ERROR ${error.sqlstate} ${error.message}`) : end === undefined ? '' : 'OK',
      failed: error !== undefined || end === undefined,
      route: isConnect ? 'connect' : statement === '' ? '(statement not seen)' : statementRoute(asked.sql),
      incomplete,
      fields: {
        sql: {
          statement: isConnect ? undefined : statement || undefined,
          error: error === undefined ? undefined : oneLine(error.message),
          sqlstate: error?.sqlstate,
          rows: rowsOf(this.#tag),
          command: this.#tag === '' ? undefined : oneLine(this.#tag.split(' ')[0] ?? ''),
          user: this.#user || undefined,
          database: this.#database || undefined,
        },
      },
    };
    this.#context.emit(exchange);
  }
}

/** What is an exchange of its own; the steps before are not, unless they fail. */
function isTold({ kind }: Asked): boolean {
  return kind === 'connect' || kind === 'query' || kind === 'execute';
}

function typedLength(bytes: Uint8Array, start: number): number {
  const length = i32(bytes, start + 1);
  return length >= 4 && length <= MESSAGE_MAXIMUM ? 1 + length : 0;
}

function remember(names: Map<string, string>, name: string, sql: string): void {
  if (names.size >= NAMES_MAXIMUM && !names.has(name)) {
    const oldest = names.keys().next().value;
    if (oldest !== undefined) names.delete(oldest);
  }
  names.set(name, sql);
}

/** PostgreSQL's protocol 3 (PostgreSQL documentation, "Frontend/Backend Protocol"). */
export const postgresql: StreamProtocol = {
  name: 'postgresql',
  title: 'PostgreSQL',
  ports: [5432],
  fields: {
    'sql.statement': { type: 'string', about: 'statement in one line, bounded, passwords masked' },
    'sql.error': { type: 'string', about: "the server's error message" },
    'sql.sqlstate': { type: 'string', about: 'SQLSTATE of the error: `42P01`' },
    'sql.rows': { type: 'int', about: 'rows returned or changed, as the server says' },
    'sql.command': { type: 'string', about: "the server's command tag: `SELECT`" },
    'sql.user': { type: 'string', about: 'user of the connection, where its beginning was seen' },
    'sql.database': { type: 'string', about: 'database of the connection' },
  },
  probe: postgresqlLikeness,
  create: (context) => new PostgreSql(context),
};
