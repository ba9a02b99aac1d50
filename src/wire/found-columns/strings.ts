import { type ColumnBytes, type ColumnReader, WrongColumns } from './bytes.ts';
import { STRING_REMEMBERED_CHARACTERS, STRINGS_REMEMBERED } from './limits.ts';

/** What a column remembers of its strings; undefined where the one before was long. */
export interface StringColumn {
  last: string | undefined;
}

/** Instead of a string: it is the one before in the column, or it follows. Larger ones: which of those remembered. */
const TOKEN = { last: 0, literal: 1 } as const;
const FIRST = 2;

/** ASCII that JSON does not escape. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** The strings of all columns that were seen last. The place of the oldest is taken. */
export class WrittenStrings {
  readonly #places = new Map<string, number>();
  readonly #strings: string[] = [];
  #next = 0;

  /** @param literals takes the strings that follow: their lengths stand in the column */
  write(bytes: ColumnBytes, literals: string[], column: StringColumn, value: string): void {
    if (value === column.last) {
      bytes.varint(TOKEN.last);
      return;
    }
    const place = this.#places.get(value);
    if (place !== undefined) {
      bytes.varint(place + FIRST);
      column.last = this.#strings[place];
      return;
    }
    // Most are as they are.
    const isPlain = PLAIN.test(value);
    const escaped = isPlain ? value : JSON.stringify(value).slice(1, -1);
    bytes.varint(TOKEN.literal);
    bytes.varint(isPlain ? value.length : Buffer.byteLength(escaped));
    literals.push(escaped);
    column.last = isRemembered(escaped) ? this.#remember(value, isPlain) : undefined;
  }

  /** @returns the value as it is kept: a copy, for one that is a part of a longer text would keep all of that */
  #remember(value: string, isPlain: boolean): string {
    const old = this.#strings[this.#next];
    if (old !== undefined) this.#places.delete(old);
    const encoding = isPlain ? 'latin1' : 'utf16le';
    const kept = Buffer.from(value, encoding).toString(encoding);
    this.#strings[this.#next] = kept;
    this.#places.set(kept, this.#next);
    this.#next = (this.#next + 1) % STRINGS_REMEMBERED;
    return kept;
  }
}

/** The other side of WrittenStrings. Its strings are as JSON has them between the quotes. */
export class ReadStrings {
  readonly #strings: string[] = [];
  #next = 0;

  /** @param literals where the strings are that follow @throws WrongColumns */
  read(reader: ColumnReader, literals: ColumnReader, column: StringColumn, maximum: number): string {
    const token = reader.varint();
    if (token === TOKEN.literal) {
      const value = literals.text(reader.varint(maximum));
      const isKept = isRemembered(value);
      if (isKept) {
        this.#strings[this.#next] = value;
        this.#next = (this.#next + 1) % STRINGS_REMEMBERED;
      }
      column.last = isKept ? value : undefined;
      return value;
    }
    const value = token === TOKEN.last ? column.last : this.#strings[token - FIRST];
    if (value === undefined) throw new WrongColumns('a string is not remembered');
    column.last = value;
    return value;
  }
}

function isRemembered(escaped: string): boolean {
  return escaped.length <= STRING_REMEMBERED_CHARACTERS;
}
