import { u8 } from '../../bytes.ts';
import { ANSWER, EOF_LENGTH, errorOf, LengthEncoded, okFacts, PACKET_FULL, type SqlError, u16le } from './packets.ts';

/** An error number that does not mean an error: MariaDB reports progress with it ("ERR_Packet"). */
const PROGRESS = 0xffff;

/** More columns than a result can have. */
const COLUMNS_MAXIMUM = 65_536;

const AT = { first: 0, columns: 1, columnsEnd: 2, rows: 3, definitions: 4 } as const;

const count = new LengthEncoded();

/** What client and server have agreed on, of what changes answers; learned from answers where the login was not seen. */
export interface Dialect {
  /** No EOF stands behind columns, and an OK instead of the one behind rows; undefined where that is not known. */
  deprecateEof: boolean | undefined;
  /** MySQL's columns begin with whether they are sent at all. */
  optionalMetadata: boolean;
}

/** Follows what a server answers to one command, packet by packet ("Text Resultset", "COM_STMT_PREPARE Response"). */
export class MySqlAnswer {
  error: SqlError | undefined;
  /** Rows returned, or else changed. */
  rows = 0;
  /** The prepared statement's number. */
  statement = -1;
  readonly #command: string;
  readonly #dialect: Dialect;
  #at: number = AT.first;
  #left = 0;
  /** Of a prepared statement: EOFs that follow parameters and columns. */
  #ends = 0;

  constructor(command: string, dialect: Dialect) {
    this.#command = command;
    this.#dialect = dialect;
    // Fields and rows of these come without a count before them.
    if (command === 'FIELD_LIST' || command === 'STMT_FETCH') this.#at = AT.rows;
  }

  /** A packet of a result with a row or a column: nothing but its first byte matters. */
  get inRows(): boolean {
    return this.#at !== AT.first;
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
    const isEnd = first === ANSWER.end && length < PACKET_FULL;
    switch (this.#at) {
      case AT.first:
        return this.#first(bytes, start, end, length, first);
      case AT.columns:
        this.#left -= 1;
        if (this.#left === 0) this.#at = AT.columnsEnd;
        return false;
      case AT.columnsEnd:
        return this.#behindColumns(bytes, start, end, length, isEnd);
      case AT.definitions:
        return this.#definition(isEnd);
      default:
        if (isEnd) return this.#end(bytes, start, end, length);
        this.rows += 1;
        return false;
    }
  }

  #first(bytes: Uint8Array, start: number, end: number, length: number, first: number): boolean {
    const command = this.#command;
    // The server asks for another proof of the password, and the client gives it.
    if (command === 'CONNECT' || command === 'CHANGE_USER') return first === ANSWER.ok;
    if (command === 'STATISTICS') return true;
    if (command === 'STMT_PREPARE' && first === ANSWER.ok && end - start >= 9) return this.#prepared(bytes, start);
    const isOptional = this.#dialect.optionalMetadata && length > 1 && length <= 10 && first <= 1;
    if (isOptional && count.read(bytes, start + 1, end) && count.end === start + length) {
      return this.#columns(first === 1);
    }
    if (first === ANSWER.ok || first === ANSWER.end) return this.#end(bytes, start, end, length);
    // The client sends a file now, and an OK follows.
    if (first === ANSWER.localInfile) return false;
    if (!count.read(bytes, start, end)) return true;
    // MariaDB: a byte behind the count is 0 where the columns are not sent.
    const isSent = count.end - start >= length || bytes[count.end] !== 0;
    return this.#columns(isSent);
  }

  #columns(isSent: boolean): boolean {
    if (count.value === 0 || count.value > COLUMNS_MAXIMUM) return true;
    this.#left = count.value;
    this.#at = isSent ? AT.columns : AT.columnsEnd;
    return false;
  }

  #prepared(bytes: Uint8Array, start: number): boolean {
    this.statement = u16le(bytes, start + 1) + u16le(bytes, start + 3) * 0x10000;
    const [columns, parameters] = [u16le(bytes, start + 5), u16le(bytes, start + 7)];
    this.#left = columns + parameters;
    this.#ends = Math.min(columns, 1) + Math.min(parameters, 1);
    this.#at = AT.definitions;
    return this.#left === 0;
  }

  /** Parameters and columns of a prepared statement, each with an EOF behind them where those are not left out. */
  #definition(isEnd: boolean): boolean {
    if (isEnd) {
      this.#dialect.deprecateEof = false;
      this.#ends -= 1;
    } else this.#left -= 1;
    return this.#left <= 0 && (this.#ends <= 0 || this.#dialect.deprecateEof !== false);
  }

  #behindColumns(bytes: Uint8Array, start: number, end: number, length: number, isEnd: boolean): boolean {
    this.#at = AT.rows;
    if (!isEnd) {
      this.#dialect.deprecateEof = true;
      this.rows += 1;
      return false;
    }
    if (length !== EOF_LENGTH) return this.#end(bytes, start, end, length);
    this.#dialect.deprecateEof = false;
    // The rows come when they are fetched.
    return okFacts(bytes, start, end, length).cursor;
  }

  #end(bytes: Uint8Array, start: number, end: number, length: number): boolean {
    const { affected, more } = okFacts(bytes, start, end, length);
    this.rows += affected;
    if (more) this.#at = AT.first;
    return !more;
  }
}
