import type { SchemaElement } from 'hyparquet-writer';
import type { FieldType } from '../../analyze/protocols/protocol.ts';
import { BoolValues } from './bool-values.ts';
import { IntegerValues, TimeValues } from './int64-values.ts';
import { TextValues } from './text-values.ts';
import { type EncodedValues, NO_VALUE, Room, type Values } from './values.ts';

/** A column in a row group: its values, and which rows have one. */
export interface EncodedColumn extends EncodedValues {
  readonly rows: number;
  readonly nulls: number;
  /** Definition levels: 1 for each row with a value. */
  readonly levels: Uint8Array;
}

/** One column of a table. */
export class Column {
  readonly name: string;
  readonly #type: FieldType;
  readonly #values: Values;
  readonly #levels = new Room();
  /** Rows whose levels are written. */
  #rows = 0;
  #count = 0;

  /** @param path of the member, as `--where` has it: `http.method`. In the file it is `http_method`. */
  constructor(path: string, type: FieldType) {
    this.name = path.replaceAll('.', '_');
    this.#type = type;
    this.#values = valuesOf(type);
  }

  /**
   * Take the value of a row.
   * @param value not null @param row its number in the row group
   * @returns characters that it adds to what is in memory
   */
  add(value: unknown, row: number): number {
    const characters = this.#values.add(value);
    if (characters === NO_VALUE) return 0;
    this.#fill(row);
    this.#levels.fit(row + 1);
    this.#levels.bytes[row] = 1;
    this.#rows = row + 1;
    this.#count += 1;
    return characters;
  }

  /** The rows of a row group, until `clear`. @param rows how many */
  encode(rows: number): EncodedColumn {
    this.#fill(rows);
    return { ...this.#values.encode(), rows, nulls: rows - this.#count, levels: this.#levels.bytes.subarray(0, rows) };
  }

  /** Begin a row group. @param keep the memory for as many rows */
  clear(keep: boolean): void {
    this.#values.clear(keep);
    this.#rows = 0;
    this.#count = 0;
    this.#levels.rewind(keep);
  }

  /** Rows without a value are only noted when one with a value follows. */
  #fill(row: number): void {
    if (this.#rows >= row) return;
    this.#levels.fit(row);
    this.#levels.bytes.fill(0, this.#rows, row);
    this.#rows = row;
  }

  /** @see https://parquet.apache.org/docs/file-format/types/logicaltypes/ */
  get schema(): SchemaElement {
    const { name } = this;
    const repetition_type = 'OPTIONAL' as const;
    switch (this.#type) {
      case 'int':
      case 'duration':
        return { name, type: 'INT64', repetition_type };
      case 'bool':
        return { name, type: 'BOOLEAN', repetition_type };
      case 'timestamp':
        return {
          name,
          type: 'INT64',
          logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' },
          repetition_type,
        };
      default:
        return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' }, repetition_type };
    }
  }
}

function valuesOf(type: FieldType): Values {
  switch (type) {
    case 'int':
    case 'duration':
      return new IntegerValues();
    case 'bool':
      return new BoolValues();
    case 'timestamp':
      return new TimeValues();
    default:
      return new TextValues(type !== 'string');
  }
}
