import { TEXT_MAXIMUM } from '../../limits.ts';

/** Prepared statements that a connection remembers. */
const STATEMENTS_MAXIMUM = 256;

/** Prepared statements as one connection knows them, by their ids in hexadecimal. */
export class Prepared {
  readonly #statements = new Map<string, string>();

  /** The statement of an id; empty where that is not known, as where another connection has prepared it. */
  statement(id: string): string {
    return this.#statements.get(id) ?? '';
  }

  /** The server has prepared a statement. */
  prepared(id: string, statement: string): void {
    if (statement.length > TEXT_MAXIMUM) return;
    if (this.#statements.size < STATEMENTS_MAXIMUM || this.#statements.has(id)) this.#statements.set(id, statement);
  }
}
