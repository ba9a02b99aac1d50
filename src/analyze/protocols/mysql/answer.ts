import { u8 } from '../../bytes.ts';
import { ANSWER, errorOf, LengthEncoded, okFacts, type SqlError, u16le } from './packets.ts';

/** An error's number that is none: MariaDB says how far it has come ("ERR_Packet", progress reporting). */
const PROGRESS = 0xffff;

/** Rows and columns that nobody has. */
const COLUMNS_MAXIMUM = 65_536;

const AT = { first: 0, columns: 1, rows: 2, definitions: 3 } as const;

const count = new LengthEncoded();

/** Follows what a server answers to one command, packet by packet ("Text Resultset", "COM_STMT_PREPARE Response"). */
export class Answer {
  error: SqlError | undefined;
  /** Rows returned, or else changed. */
  rows = 0;
  /** The prepared statement's number. */
  statement = -1;
  readonly #command: string;
  #at: number = AT.first;
  #left = 0;

  constructor(command: string) {
    this.#command = command;
    // Fields and rows of these come without a count before them.
    if (command === 'FIELD_LIST' || command === 'STMT_FETCH') this.#at = AT.rows;
  }

  /**
   * The next packet's payload, or its beginning.
   * @param length of the whole payload
   * @returns whether the answer ends with it
   */
  packet(bytes: Uint8Array, start: number, end: number, length: number): boolean {
    if (end <= start) return this.#at === AT.first;
    const first = u8(bytes, start);
    if (first === ANSWER.error) {
      const error = errorOf(bytes, start, end);
      if (error.code === PROGRESS) return false;
      this.error = error;
      return true;
    }
    const isEnd = first === ANSWER.end && (length === 5 || (length >= 7 && this.#at === AT.rows));
    switch (this.#at) {
      case AT.first:
        return this.#first(bytes, start, end, length, first);
      case AT.columns:
        this.#left -= 1;
        if (this.#left === 0) this.#at = AT.rows;
        return false;
      case AT.definitions:
        // The end between parameters and columns is none of them.
        if (isEnd) return false;
        this.#left -= 1;
        return this.#left === 0;
      default:
        if (!isEnd) {
          this.rows += 1;
          return false;
        }
        // An EOF right behind the columns is theirs, where ends are not left out.
        if (length === 5 && this.#columnsEnd) {
          this.#columnsEnd = false;
          return false;
        }
        return this.#ends(bytes, start, end, length);
    }
  }

  /** An EOF may follow the columns. */
  #columnsEnd = false;

  #first(bytes: Uint8Array, start: number, end: number, length: number, first: number): boolean {
    if (this.#command === 'STATISTICS') return true;
    if (this.#command === 'STMT_PREPARE' && first === ANSWER.ok && end - start >= 9) {
      this.statement = u16le(bytes, start + 1) + u16le(bytes, start + 3) * 0x10000;
      this.#left = u16le(bytes, start + 5) + u16le(bytes, start + 7);
      this.#at = AT.definitions;
      return this.#left === 0;
    }
    if (first === ANSWER.ok || first === ANSWER.end) return this.#ends(bytes, start, end, length);
    // The client sends a file now, and an OK follows.
    if (first === ANSWER.localInfile) return false;
    if (!count.read(bytes, start, end) || count.value === 0 || count.value > COLUMNS_MAXIMUM) return true;
    this.#left = count.value;
    this.#at = AT.columns;
    this.#columnsEnd = true;
    return false;
  }

  #ends(bytes: Uint8Array, start: number, end: number, length: number): boolean {
    const { affected, more } = okFacts(bytes, start, end, length);
    this.rows += affected;
    if (more) this.#at = AT.first;
    return !more;
  }
}
