import { type Exchange, type Fields, type Incomplete, type Notice, SIDE, type Side } from '../../record/event.ts';
import { oneLine } from '../one-line.ts';
import { errorText, statementNames } from '../statement.ts';
import { isFailure, REQUEST_NOT_SEEN, REQUEST_UNKNOWN } from '../unfinished.ts';
import type { MySqlAnswer } from './answer.ts';
import type { SqlError } from './packets.ts';

/** A command of the client. */
export interface Command {
  readonly name: string;
  /** Undefined where it was not seen; empty where the command has none. */
  readonly sql: string | undefined;
  /** First byte: ns; NaN where the time is not known. */
  readonly time: number;
  /** Last byte: ns; NaN where the time is not known. */
  end: number;
  bytes: number;
  /** No byte of it is missing. */
  whole: boolean;
  /** Of a change of user. */
  readonly login?: Login | undefined;
}

export interface Login {
  readonly user: string;
  readonly database: string;
}

/** A command and what answered it. */
export interface CommandParts {
  /** Undefined where the command was not seen, or which one it was is not known. */
  readonly command: Command | undefined;
  /** Undefined where nothing of it came. */
  readonly answer: MySqlAnswer | undefined;
  /** First byte of the answer: ns; undefined where it was not seen, NaN where its time is not known. */
  readonly time: number | undefined;
  /** Last byte, likewise. */
  readonly last: number | undefined;
  /** Bytes of the answer so far. */
  readonly bytes: number;
  readonly incomplete: Incomplete | undefined;
  readonly endedBy?: Side | undefined;
  readonly login: Login;
  /** A packet's time near the exchange, for where its own is not known: ns. */
  readonly near: number;
  /** Single events are looked at; without, an exchange has no fields. */
  readonly detail: boolean;
  readonly showSecrets: boolean;
}

/** A command and its answer as an exchange: as far as the packets prove it. */
export function commandExchange(parts: CommandParts): Exchange {
  const { command, answer, time, last, bytes, incomplete, endedBy, near, showSecrets } = parts;
  const error = answer?.error;
  const words = error === undefined ? undefined : errorText(error.message, command?.sql ?? '', showSecrets);
  const { label, route, statement } = namesOf(parts);
  // Which command it is of is not known, nor then when that was.
  const isTimed = command === undefined ? incomplete !== 'unknown' : !Number.isNaN(command.time + command.end);
  const first = command?.time ?? time ?? near;
  const begin = known(first) ?? known(command?.end) ?? near;
  const isAnswered = last !== undefined;
  return {
    kind: 'exchange',
    protocol: 'mysql',
    label,
    time: begin,
    requestEnd: Math.max(begin, known(command?.end) ?? begin),
    responseTime: isTimed ? known(time) : undefined,
    responseEnd: isTimed ? known(last) : undefined,
    requestBytes: command?.bytes ?? 0,
    responseBytes: bytes,
    endedBy,
    status: error !== undefined ? oneLine(`ERROR ${error.code} ${words}`) : isAnswered ? 'OK' : '',
    failed: error !== undefined || isFailure(incomplete),
    route,
    incomplete: incomplete ?? (command?.whole === false ? 'request not captured' : undefined),
    fields: parts.detail ? fieldsOf(parts, statement, words) : NO_FIELDS,
  };
}

const NO_FIELDS: Fields = Object.freeze({});

/** @param words the error's text */
function fieldsOf(parts: CommandParts, statement: string | undefined, words: string | undefined): Fields {
  const { command, answer, last } = parts;
  const { user, database } = parts.login;
  const error = answer?.error;
  return {
    sql: {
      statement,
      error: words,
      sqlstate: error?.sqlstate || undefined,
      code: error?.code,
      rows: last !== undefined && command !== undefined && !isLogin(command) ? answer?.rows : undefined,
      command: command === undefined || command.name === 'CONNECT' ? undefined : command.name,
      user: user || undefined,
      database: database || undefined,
    },
  };
}

function isLogin({ name }: Command): boolean {
  return name === 'CONNECT' || name === 'CHANGE_USER';
}

function namesOf({ command, incomplete, login, showSecrets }: CommandParts) {
  if (command === undefined) {
    const unseen = incomplete === 'unknown' ? REQUEST_UNKNOWN : REQUEST_NOT_SEEN;
    return { label: unseen, route: unseen, statement: undefined };
  }
  const { name, sql } = command;
  if (name === 'CONNECT') {
    return { label: `connect ${login.user}@${login.database}`, route: 'connect', statement: undefined };
  }
  if (sql === undefined) return { label: '(statement not seen)', route: '(statement not seen)', statement: undefined };
  const { text: statement, route } = statementNames(sql, showSecrets);
  if (statement === '') return { label: name, route: name, statement: undefined };
  const before = name === 'STMT_PREPARE' ? 'PREPARE ' : '';
  return { label: before + statement, route: before + route, statement };
}

/** A time, unless it is not known. */
function known(time: number | undefined): number | undefined {
  return time === undefined || Number.isNaN(time) ? undefined : time;
}

/** An error instead of the greeting: the server refuses the connection before any login. */
export function refusal(error: SqlError, time: number, bytes: number): Exchange {
  const { code, sqlstate, message } = error;
  const words = errorText(message, '', false);
  return {
    kind: 'exchange',
    protocol: 'mysql',
    label: 'connect',
    time,
    requestEnd: time,
    // The connection is the request: no message of the client is answered.
    responseTime: undefined,
    responseEnd: undefined,
    requestBytes: 0,
    responseBytes: bytes,
    status: oneLine(`ERROR ${code} ${words}`),
    failed: true,
    route: 'connect',
    fields: { sql: { error: words, sqlstate: sqlstate || undefined, code } },
  };
}

/** An error that answers no command: the server ends the connection. */
export function endedByServer(error: SqlError, time: number): Notice {
  const { code, sqlstate, message } = error;
  const words = errorText(message, '', false);
  return {
    kind: 'event',
    protocol: 'mysql',
    code: 'SQL_ERROR',
    label: oneLine(`ERROR ${code} ${words}`),
    time,
    from: SIDE.server,
    failed: true,
    fields: { sql: { error: words, sqlstate: sqlstate || undefined, code } },
  };
}
