import { utf8 } from '../../record/text.ts';
import { oneLine } from '../one-line.ts';
import { sentStatement } from '../statement.ts';
import type { Command, Login } from './exchange.ts';
import { CAPABILITY, changedUser, i32le } from './packets.ts';
import { behindQueryAttributes } from './query-attributes.ts';

/** Prepared statements remembered of a connection. */
const STATEMENTS_MAXIMUM = 1024;
/** MariaDB: the statement that was prepared last ("COM_STMT_EXECUTE"). */
const PREPARED_LAST = 0xffff_ffff;

/** What a connection's commands are about: statements by their numbers, user and database. */
export class Commands {
  capabilities = 0;
  login: Login = { user: '', database: '' };
  readonly #statements = new Map<number, string>();
  /** Of the last PREPARE; undefined where it may not have been seen. */
  #preparedLast: string | undefined;

  /**
   * The contents of a command.
   * @param at behind the command's byte
   * @returns its statement (undefined where that was not seen), and the login that it asks for
   */
  read(name: string, bytes: Uint8Array, at: number, end: number): Pick<Command, 'sql' | 'login'> {
    switch (name) {
      case 'QUERY': {
        const hasAttributes = (this.capabilities & CAPABILITY.queryAttributes) !== 0;
        return { sql: sentStatement(bytes, hasAttributes ? behindQueryAttributes(bytes, at, end) : at, end) };
      }
      case 'STMT_PREPARE':
        this.#preparedLast = sentStatement(bytes, at, end);
        return { sql: this.#preparedLast };
      case 'STMT_EXECUTE':
      case 'STMT_BULK_EXECUTE':
        return { sql: end - at >= 4 ? this.#statement(i32le(bytes, at) >>> 0) : undefined };
      case 'STMT_CLOSE':
        if (end - at >= 4) this.#statements.delete(i32le(bytes, at) >>> 0);
        return { sql: '' };
      case 'INIT_DB':
        return { sql: '', login: { user: this.login.user, database: oneLine(utf8(bytes, at, end)) } };
      case 'CHANGE_USER': {
        const { user, database } = changedUser(bytes, at, end);
        return { sql: '', login: { user: oneLine(user), database: oneLine(database) } };
      }
      default:
        return { sql: '' };
    }
  }

  #statement(number: number): string | undefined {
    return number === PREPARED_LAST ? this.#preparedLast : this.#statements.get(number);
  }

  /** A command succeeded. @param statement number of what it prepared; -1 for others */
  succeeded({ name, sql, login, whole }: Command, statement: number): void {
    if (name === 'CHANGE_USER' || name === 'RESET_CONNECTION') this.#statements.clear();
    // What is known of it in part is not known of what it prepared, or whom it let in.
    if (login !== undefined) this.login = whole ? login : { user: '', database: '' };
    if (!whole) return;
    if (statement < 0 || sql === undefined) return;
    if (this.#statements.size >= STATEMENTS_MAXIMUM) {
      const oldest = this.#statements.keys().next().value;
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    this.#statements.set(statement, sql);
  }

  /** Commands may have been missed, or parts of one. */
  missed(): void {
    this.#preparedLast = undefined;
  }
}
