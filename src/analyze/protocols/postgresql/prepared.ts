import { textAt, textEnd } from './messages.ts';

/** Prepared statements and portals remembered of a connection. */
const NAMES_MAXIMUM = 1024;

/** What the names of a connection's prepared statements and portals stand for: their SQL. */
export class Prepared {
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string>();

  /** A Parse message. @param at behind its length @returns the statement */
  parse(bytes: Uint8Array, at: number, end: number): string {
    const sql = textAt(bytes, textEnd(bytes, at, end) + 1, end);
    remember(this.#statements, textAt(bytes, at, end), sql);
    return sql;
  }

  /** A Bind message. @returns the statement; empty where it was not seen */
  bind(bytes: Uint8Array, at: number, end: number): string {
    const sql = this.#statements.get(textAt(bytes, textEnd(bytes, at, end) + 1, end)) ?? '';
    remember(this.#portals, textAt(bytes, at, end), sql);
    return sql;
  }

  /** An Execute message. @returns the statement; empty where it was not seen */
  execute(bytes: Uint8Array, at: number, end: number): string {
    return this.#portals.get(textAt(bytes, at, end)) ?? '';
  }
}

function remember(names: Map<string, string>, name: string, sql: string): void {
  if (names.size >= NAMES_MAXIMUM && !names.has(name)) {
    const oldest = names.keys().next().value;
    if (oldest !== undefined) names.delete(oldest);
  }
  names.set(name, sql);
}
