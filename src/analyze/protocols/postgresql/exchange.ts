import type { Exchange, Incomplete } from '../../record/event.ts';
import { oneLine } from '../one-line.ts';
import { errorText, statementRoute, statementText } from '../statement.ts';
import { rowsOf } from './messages.ts';

/** What a client asked for, in the order in which the server answers. */
export interface Asked {
  readonly kind: 'connect' | 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'sync';
  readonly sql: string;
  readonly time: number;
  end: number;
  bytes: number;
}

/** What the server answered so far. */
export interface Answered {
  /** First octet; undefined while nothing has come. */
  readonly time: number | undefined;
  readonly bytes: number;
  readonly error: { readonly sqlstate: string; readonly message: string } | undefined;
  /** Of the command that was completed: `INSERT 0 1`. */
  readonly tag: string;
}

export interface Login {
  readonly user: string;
  readonly database: string;
}

/** What was asked and answered, told. @param end last octet of the answer; undefined when there is none */
export function statementExchange(
  asked: Asked,
  { time, bytes, error, tag }: Answered,
  { user, database }: Login,
  end: number | undefined,
  incomplete: Incomplete | undefined,
  showSecrets: boolean,
): Exchange {
  const isConnect = asked.kind === 'connect';
  const statement = isConnect ? '' : statementText(asked.sql, showSecrets);
  const said = error === undefined ? undefined : errorText(error.message, asked.sql, showSecrets);
  const unknown = statement === '' ? '(statement not seen)' : statement;
  return {
    kind: 'exchange',
    protocol: 'postgresql',
    label: isConnect ? `connect ${user}@${database}` : unknown,
    time: asked.time,
    requestEnd: asked.end,
    responseTime: end === undefined ? undefined : time,
    responseEnd: end,
    requestBytes: asked.bytes,
    responseBytes: end === undefined ? 0 : bytes,
    status: error !== undefined ? oneLine(`ERROR ${error.sqlstate} ${said}`) : end === undefined ? '' : 'OK',
    failed: error !== undefined || end === undefined,
    route: isConnect ? 'connect' : statement === '' ? '(statement not seen)' : statementRoute(asked.sql),
    incomplete,
    fields: {
      sql: {
        statement: isConnect ? undefined : statement || undefined,
        error: said,
        sqlstate: error?.sqlstate,
        rows: rowsOf(tag),
        command: tag === '' ? undefined : oneLine(tag.split(' ')[0] ?? ''),
        user: user || undefined,
        database: database || undefined,
      },
    },
  };
}

/** What is an exchange of its own; the steps before are not, unless they fail. */
export function isTold({ kind }: Asked): boolean {
  return kind === 'connect' || kind === 'query' || kind === 'execute';
}
