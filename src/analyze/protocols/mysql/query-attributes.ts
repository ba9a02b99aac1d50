import { u8 } from '../../bytes.ts';
import { LengthEncoded, u16le } from './packets.ts';

/** Bytes of a value by its type, where all have so many; the others have a length prefix ("Binary Protocol Value"). */
const FIXED: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 6: 0, 8: 8, 9: 4, 13: 2 };

const number = new LengthEncoded();

/**
 * Where the statement of a COM_QUERY starts whose client has agreed on CLIENT_QUERY_ATTRIBUTES: behind the attributes'
 * count, types, names and values.
 * @param start behind the command's byte
 * @returns `start` where they cannot be read
 */
export function behindQueryAttributes(bytes: Uint8Array, start: number, end: number): number {
  if (!number.read(bytes, start, end)) return start;
  const count = number.value;
  // How many sets of them: always one.
  if (!number.read(bytes, number.end, end) || number.value !== 1) return start;
  if (count === 0) return number.end;
  const nulls = number.end;
  let at = nulls + ((count + 7) >> 3);
  // Types and names are bound with the statement.
  if (at >= end || u8(bytes, at) !== 1) return start;
  at += 1;
  const types: number[] = [];
  for (let index = 0; index < count; index += 1) {
    if (end - at < 2) return start;
    types.push(u16le(bytes, at) & 0xff);
    if (!number.read(bytes, at + 2, end)) return start;
    at = number.end + number.value;
  }
  for (const [index, type] of types.entries()) {
    if (u8(bytes, nulls + (index >> 3)) & (1 << (index & 7))) continue;
    const fixed = FIXED[type];
    if (fixed !== undefined) at += fixed;
    else if (number.read(bytes, at, end)) at = number.end + number.value;
    else return start;
  }
  return at <= end ? at : start;
}
