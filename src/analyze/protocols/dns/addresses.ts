import { addressText } from '../../../wire/address-text.ts';
import { i32, u16 } from '../../bytes.ts';
import type { Fields } from '../../record/event.ts';
import { RECORD_FIXED, SECTION, skipQuestions, skipRecord } from './message.ts';
import { nameAt, skipName } from './name.ts';
import { TYPE, typeName } from './numbers.ts';

/** Addresses and aliases of an answer that are read without detail. */
const RECORDS_MAXIMUM = 64;

/** The records that lead from the name to its addresses, as fields. */
export function addressRecords(bytes: Uint8Array, start: number, at: number, end: number): Fields[] {
  const count = u16(bytes, start + SECTION.answers);
  const records: Fields[] = [];
  let position = skipQuestions(bytes, at, end, u16(bytes, start + SECTION.questions) - 1);
  for (let index = 0; index < count && position >= 0 && records.length < RECORDS_MAXIMUM; index += 1) {
    const name = nameAt(bytes, start, position, end);
    const behind = skipName(bytes, position, end);
    position = skipRecord(bytes, position, end);
    if (position < 0 || name === undefined) break;
    const type = u16(bytes, behind);
    const data = dataOf(bytes, start, behind + RECORD_FIXED, position, type);
    if (data !== undefined) records.push({ name, type: typeName(type), ttl: i32(bytes, behind + 4) >>> 0, data });
  }
  return records;
}

function dataOf(bytes: Uint8Array, start: number, at: number, end: number, type: number): string | undefined {
  if (type === TYPE.a && end - at === 4) return addressText(bytes, at, 4);
  if (type === TYPE.aaaa && end - at === 16) return addressText(bytes, at, 16);
  return type === TYPE.cname ? nameAt(bytes, start, at, end) : undefined;
}
