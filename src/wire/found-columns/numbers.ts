import type { ColumnBytes, ColumnReader } from './bytes.ts';

/** What a column remembers of its numbers. */
export interface NumberColumn {
  last: number;
}

/** Instead of a number: it is the one before in the column, the one before in the text, no whole one, whose bits follow, or one more than the last. */
const TOKEN = { last: 0, before: 1, double: 2, next: 3 } as const;
const FIRST = 4;

/** Larger ones are written as doubles: zigzag doubles them, and they stay exact. */
const WHOLE_MAXIMUM = 2 ** 51;

/** @param before the number before it in the same text; NaN for none */
export function writeNumber(bytes: ColumnBytes, column: NumberColumn, value: number, before: number): void {
  if (value === column.last) bytes.varint(TOKEN.last);
  else if (value === before) bytes.varint(TOKEN.before);
  else if (value === column.last + 1) bytes.varint(TOKEN.next);
  else if (Number.isInteger(value) && Math.abs(value) < WHOLE_MAXIMUM) {
    bytes.varint((value < 0 ? -2 * value - 1 : 2 * value) + FIRST);
  } else {
    bytes.varint(TOKEN.double);
    bytes.double(value);
  }
  column.last = value;
}

/** Reads what writeNumber wrote. @throws WrongColumns */
export function readNumber(reader: ColumnReader, column: NumberColumn, before: number): number {
  const token = reader.varint();
  if (token === TOKEN.before) column.last = before;
  else if (token === TOKEN.double) column.last = reader.double();
  else if (token === TOKEN.next) column.last += 1;
  else if (token >= FIRST) {
    const zigzag = token - FIRST;
    column.last = zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2;
  }
  return column.last;
}
