import type { ColumnSource, SchemaElement } from 'hyparquet-writer';
import type { FieldTable, FieldType } from '../../analyze/protocols/protocol.ts';

/** Values of a column, of a row group at most; what has no value is undefined. */
type Values = (string | bigint | boolean | undefined)[];

/** One column of a table: a member of a record, at any depth. */
export class Column {
  readonly name: string;
  /** The record's member, and the members below it. */
  readonly member: string;
  readonly #below: readonly string[];
  readonly #type: FieldType;
  #values: Values = [];

  /** @param path of the member, as `--where` has it: `http.method`. In the file it is `http_method`. */
  constructor(path: string, type: FieldType) {
    const [member = path, ...below] = path.split('.');
    this.name = path.replaceAll('.', '_');
    this.member = member;
    this.#below = below;
    this.#type = type;
  }

  /**
   * Take the value of a row.
   * @param member the record's member @param row its number in the row group
   * @returns characters that it keeps
   */
  set(member: unknown, row: number): number {
    let value = member;
    for (const name of this.#below) value = isObject(value) ? value[name] : undefined;
    if (value === undefined || value === null) return 0;
    const kept = cellOf(value, this.#type);
    this.#fill(row);
    this.#values.push(kept);
    return typeof kept === 'string' ? kept.length : 0;
  }

  /** The rows of a row group, which it gives away. @param rows how many */
  take(rows: number): ColumnSource {
    const isEmpty = this.#values.length === 0;
    this.#fill(rows);
    const data = this.#values;
    this.#values = [];
    // Texts are compared for their statistics, which takes longer than to write them; readers skip row groups by times and numbers.
    return {
      name: this.name,
      data,
      statistics: !isEmpty && this.#type !== 'string' && this.#type !== 'map' && this.#type !== 'list',
    };
  }

  /** Rows without a value are only written down when one with a value follows. */
  #fill(rows: number): void {
    while (this.#values.length < rows) this.#values.push(undefined);
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

/** The columns of fields, by the member of the record that they are in. */
export function columnsByMember(fields: FieldTable): ReadonlyMap<string, readonly (() => Column)[]> {
  const found = new Map<string, (() => Column)[]>();
  for (const [path, { type }] of Object.entries(fields)) {
    const [member = path] = path.split('.');
    const list = found.get(member) ?? [];
    list.push(() => new Column(path, type));
    found.set(member, list);
  }
  return found;
}

/** @param value not null */
function cellOf(value: unknown, type: FieldType): string | bigint | boolean | undefined {
  switch (type) {
    case 'int':
    case 'duration':
      return typeof value === 'number' && Number.isFinite(value) ? int64(BigInt(Math.round(value))) : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'timestamp':
      return typeof value === 'string' ? nanoseconds(value) : undefined;
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value);
    default:
      return JSON.stringify(value);
  }
}

const NS_IN_S = 1_000_000_000n;
let secondText = '';
let second = 0n;

/** ns since 1970 of an RFC 3339 time in UTC with nine digits, as records have it. Times come in order: the second is kept. */
function nanoseconds(text: string): bigint | undefined {
  const whole = text.slice(0, 19);
  if (whole !== secondText) {
    const milliseconds = Date.parse(`${whole}Z`);
    if (Number.isNaN(milliseconds)) return undefined;
    secondText = whole;
    second = BigInt(milliseconds / 1000) * NS_IN_S;
  }
  const fraction = Number(text.slice(20, 29));
  return Number.isNaN(fraction) ? undefined : int64(second + BigInt(fraction));
}

/** The value where a column's 64 bits can hold it: a capture's times reach further, up to 2554, and its numbers are anybody's. */
function int64(value: bigint): bigint | undefined {
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
