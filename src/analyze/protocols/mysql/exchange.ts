import type { Exchange, Incomplete } from '../../record/event.ts';
import { oneLine } from '../one-line.ts';
import { errorText, statementRoute, statementText } from '../statement.ts';
import type { Answer } from './answer.ts';

/** A command, and its answer as far as it has come. */
export interface Asked {
  readonly command: string;
  readonly sql: string;
  readonly time: number;
  end: number;
  bytes: number;
  readonly answer: Answer;
}

export interface Login {
  readonly user: string;
  readonly database: string;
}

/**
 * What was asked and answered, told.
 * @param time first octet of the answer, `answerBytes` its octets so far
 * @param end last octet of the answer; undefined when there is none
 */
export function commandExchange(
  asked: Asked,
  { user, database }: Login,
  time: number | undefined,
  answerBytes: number,
  end: number | undefined,
  incomplete: Incomplete | undefined,
  showSecrets: boolean,
): Exchange {
  const { command, sql, answer } = asked;
  const { error } = answer;
  const isConnect = command === 'CONNECT';
  const statement = sql === '' ? '' : statementText(sql, showSecrets);
  const said = error === undefined ? undefined : errorText(error.message, sql, showSecrets);
  const named = command === 'STMT_PREPARE' ? `PREPARE ${statement}` : statement;
  const route = command === 'STMT_PREPARE' ? `PREPARE ${statementRoute(sql)}` : statementRoute(sql);
  const plain = command === 'STMT_EXECUTE' ? '(statement not seen)' : command;
  return {
    kind: 'exchange',
    protocol: 'mysql',
    label: isConnect ? `connect ${user}@${database}` : statement === '' ? plain : named,
    time: asked.time,
    requestEnd: asked.end,
    responseTime: end === undefined ? undefined : time,
    responseEnd: end,
    requestBytes: asked.bytes,
    responseBytes: end === undefined ? 0 : answerBytes,
    status: end === undefined ? '' : error === undefined ? 'OK' : oneLine(`ERROR ${error.code} ${said}`),
    failed: error !== undefined || end === undefined,
    route: isConnect ? 'connect' : sql === '' ? plain : route,
    incomplete,
    fields: {
      sql: {
        statement: statement || undefined,
        error: said,
        sqlstate: error === undefined || error.sqlstate === '' ? undefined : error.sqlstate,
        code: error?.code,
        rows: end === undefined || isConnect ? undefined : answer.rows,
        command: isConnect ? undefined : command,
        user: user || undefined,
        database: database || undefined,
      },
    },
  };
}
