import { createHash } from 'node:crypto';
import { TEXT_MAXIMUM } from '../../limits.ts';

/** Prepared statements that a connection remembers, and all together. */
const STATEMENTS_MAXIMUM = 256;
const SHARED_MAXIMUM = 4096;

/**
 * Statements by their ids, which are an MD5 of keyspace and statement: drivers prepare a statement on one connection and use it on
 * others. Only ids that are that are here, so an entry holds for every server.
 */
const shared = new Map<string, string>();

/** Prepared statements as one connection knows them. */
export class Prepared {
  readonly #own = new Map<string, string>();
  keyspace = '';

  /** The statement of an id, in hexadecimal; empty where that is not known. */
  statement(id: string): string {
    return this.#own.get(id) ?? shared.get(id) ?? '';
  }

  /** The server has prepared a statement. */
  prepared(id: string, statement: string): void {
    if (statement.length > TEXT_MAXIMUM) return;
    if (this.#own.size < STATEMENTS_MAXIMUM) this.#own.set(id, statement);
    if (shared.has(id) || !this.#isDigest(id, statement)) return;
    if (shared.size >= SHARED_MAXIMUM) shared.clear();
    shared.set(id, statement);
  }

  #isDigest(id: string, statement: string): boolean {
    if (id.length !== 32) return false;
    const digest = (text: string) => createHash('md5').update(text).digest('hex');
    return id === digest(this.keyspace + statement) || id === digest(statement);
  }
}
