import { textAt, textEnd } from './messages.ts';

/** Prepared statements and portals remembered of a connection. */
const NAMES_MAXIMUM = 1024;

/** What the names of a connection's prepared statements and portals stand for: their SQL. */
export class Prepared {
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string | undefined>();

  /** A Parse message. @param at behind its length @returns the statement */
  parse(bytes: Uint8Array, at: number, end: number): string {
    const sql = textAt(bytes, textEnd(bytes, at, end) + 1, end);
    remember(this.#statements, textAt(bytes, at, end), sql);
    return sql;
  }

  /** A Bind message. @returns the statement; undefined where it was not seen */
  bind(bytes: Uint8Array, at: number, end: number): string | undefined {
    const sql = this.#statements.get(textAt(bytes, textEnd(bytes, at, end) + 1, end));
    remember(this.#portals, textAt(bytes, at, end), sql);
    return sql;
  }

  /** An Execute message. @returns the statement; undefined where it was not seen */
  execute(bytes: Uint8Array, at: number, end: number): string | undefined {
    return this.#portals.get(textAt(bytes, at, end));
  }

  /** What a Describe or Close message names. @returns the statement; undefined where it was not seen */
  named(bytes: Uint8Array, at: number, end: number): string | undefined {
    const names = bytes[at] === 0x50 ? this.#portals : this.#statements;
    return names.get(textAt(bytes, at + 1, end));
  }

  /** Bytes are missing of a Parse message (or, without `bytes`, of a Bind message): what it names is not known. */
  incomplete(bytes: Uint8Array | undefined, at: number, end: number): void {
    if (bytes === undefined) this.#portals.clear();
    else this.#statements.delete(textAt(bytes, at, end));
  }

  /** Client bytes were not captured: what can be given anew at any time may have been. */
  forgetUnnamed(): void {
    this.#statements.delete('');
    this.#portals.clear();
  }
}

function remember<Sql>(names: Map<string, Sql>, name: string, sql: Sql): void {
  if (names.size >= NAMES_MAXIMUM && !names.has(name)) {
    const oldest = names.keys().next().value;
    if (oldest !== undefined) names.delete(oldest);
  }
  names.set(name, sql);
}
