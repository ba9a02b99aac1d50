import type { Exchange, Incomplete, Notice, Side } from '../../record/event.ts';
import { SIDE } from '../../record/event.ts';
import { oneLine } from '../one-line.ts';
import { errorText, statementNames } from '../statement.ts';
import { isFailure, REQUEST_NOT_SEEN, REQUEST_UNKNOWN } from '../unfinished.ts';
import type { Answered, Step } from './cycle.ts';
import { rowsOf, type SqlError } from './messages.ts';

export interface Login {
  readonly user: string;
  readonly database: string;
}

/** A step and what answered it. */
export interface StatementParts {
  /** Undefined where the request was not seen, or which one it was is not known. */
  readonly step: Step | undefined;
  readonly answered: Answered;
  /** Last byte of the answer: ns; undefined where it was not seen, NaN where its time is not known. */
  readonly last: number | undefined;
  readonly incomplete: Incomplete | undefined;
  readonly endedBy?: Side | undefined;
  readonly login: Login;
  /** A packet's time near the exchange, for where its own is not known: ns. */
  readonly near: number;
  readonly showSecrets: boolean;
}

/** A request and its answer as an exchange: as far as the packets prove it. */
export function statementExchange(parts: StatementParts): Exchange {
  const { step, answered, last, incomplete, endedBy, near, showSecrets } = parts;
  const { error, tag } = answered;
  const { user, database } = parts.login;
  const sql = step?.sql ?? '';
  const words = error === undefined ? undefined : errorText(error.message, sql, showSecrets);
  const { label, route, statement } = namesOf(parts);
  // Which request it is of is not known, nor then when that was.
  const isTimed = step === undefined ? incomplete !== 'unknown' : !(Number.isNaN(step.time) || Number.isNaN(step.end));
  const first = step?.time ?? answered.time ?? near;
  const begin = known(first) ?? known(step?.end) ?? near;
  const isComplete = last !== undefined && incomplete !== 'response not captured';
  return {
    kind: 'exchange',
    protocol: 'postgresql',
    label,
    time: begin,
    requestEnd: Math.max(begin, known(step?.end) ?? begin),
    responseTime: isTimed ? known(answered.time) : undefined,
    responseEnd: isTimed ? known(last) : undefined,
    requestBytes: step?.bytes ?? 0,
    responseBytes: answered.bytes,
    endedBy,
    status: error !== undefined ? oneLine(`ERROR ${error.sqlstate} ${words}`) : isComplete || tag !== '' ? 'OK' : '',
    failed: error !== undefined || isFailure(incomplete),
    route,
    incomplete: incomplete ?? (step?.whole === false ? 'request not captured' : undefined),
    fields: {
      sql: {
        statement,
        error: words,
        sqlstate: error?.sqlstate || undefined,
        rows: rowsOf(tag),
        command: tag === '' ? undefined : oneLine(tag.split(' ')[0] ?? ''),
        user: user || undefined,
        database: database || undefined,
      },
    },
  };
}

function namesOf({ step, incomplete, login, showSecrets }: StatementParts) {
  if (step === undefined) {
    const unseen = incomplete === 'unknown' ? REQUEST_UNKNOWN : REQUEST_NOT_SEEN;
    return { label: unseen, route: unseen, statement: undefined };
  }
  const { kind, sql } = step;
  if (kind === 'connect') {
    return { label: `connect ${login.user}@${login.database}`, route: 'connect', statement: undefined };
  }
  if (sql !== undefined) {
    const { text: statement, route } = statementNames(sql, showSecrets);
    if (statement !== '') return { label: statement, route, statement };
  }
  const named = kind === 'sync' ? 'Sync' : kind === 'call' ? 'function call' : undefined;
  const unnamed = named ?? (sql !== undefined && step.whole ? '(empty statement)' : '(statement not seen)');
  return { label: unnamed, route: unnamed, statement: undefined };
}

/** A time, unless it is not known. */
function known(time: number | undefined): number | undefined {
  return time === undefined || Number.isNaN(time) ? undefined : time;
}

/** An error that answers no request: the server ends the connection. */
export function endedByServer(error: SqlError, time: number): Notice {
  const { sqlstate } = error;
  return {
    kind: 'event',
    protocol: 'postgresql',
    code: 'SQL_ERROR',
    label: oneLine(`ERROR ${sqlstate} ${errorText(error.message, '', false)}`),
    time,
    from: SIDE.server,
    failed: true,
    fields: { sql: { sqlstate: sqlstate || undefined, error: errorText(error.message, '', false) } },
  };
}
