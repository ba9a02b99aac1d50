import { NAME_BYTES_MAXIMUM, NAME_RECORDS_MAXIMUM, NAMES_OF_ADDRESS_MAXIMUM } from './limits.ts';
import { NAME_RECORD, padded } from './pcapng.ts';
import type { BlockView } from './pcapng-read.ts';

/** One record of a Name Resolution Block. */
export interface AddressNames {
  /** 4 or 16 bytes, a copy. */
  readonly address: Uint8Array;
  /** All that it is called, in order; none is empty. */
  readonly names: readonly string[];
}

/**
 * The names a Name Resolution Block holds (draft-ietf-opsawg-pcapng, section 4.5); a damaged record ends them, and so do
 * NAME_RECORDS_MAXIMUM. Names that are longer than NAME_BYTES_MAXIMUM, or too many of one address, are left out.
 * @param start bytes of the block before its first record
 */
export function addressNames(block: BlockView, start = 8): AddressNames[] {
  const { bytes, view, littleEndian } = block;
  const records: AddressNames[] = [];
  const end = block.offset + block.length - 4;
  let at = block.offset + start;
  while (at + 4 <= end && records.length < NAME_RECORDS_MAXIMUM) {
    const type = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    const value = at + 4;
    if (type === NAME_RECORD.end || value + length > end) break;
    const width = type === NAME_RECORD.ipv4 ? 4 : type === NAME_RECORD.ipv6 ? 16 : 0;
    if (width > 0 && length > width) records.push(record(bytes, value, width, length));
    at = value + padded(length);
  }
  return records;
}

/** Several names of one address follow each other, each ended by a zero byte. */
function record(bytes: Uint8Array, value: number, width: number, length: number): AddressNames {
  const address = Uint8Array.from(bytes.subarray(value, value + width));
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + value + width, length - width);
  const names: string[] = [];
  for (let at = 0; at < text.length && names.length < NAMES_OF_ADDRESS_MAXIMUM; ) {
    const zero = text.indexOf(0, at);
    const end = zero < 0 ? text.length : zero;
    if (end > at && end - at <= NAME_BYTES_MAXIMUM) names.push(text.toString('utf8', at, end));
    at = end + 1;
  }
  return { address, names };
}
