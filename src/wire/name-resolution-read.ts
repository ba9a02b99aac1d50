import { NAME_RECORD, padded } from './pcapng.ts';
import type { BlockView } from './pcapng-read.ts';

/** One name of a Name Resolution Block. */
export interface AddressName {
  /** 4 or 16 octets, a copy. */
  readonly address: Uint8Array;
  readonly name: string;
}

/** The names a Name Resolution Block holds (draft-ietf-opsawg-pcapng, section 4.5); a damaged record ends them. */
export function addressNames(block: BlockView): AddressName[] {
  const { bytes, view, littleEndian } = block;
  const names: AddressName[] = [];
  const end = block.offset + block.length - 4;
  let at = block.offset + 8;
  while (at + 4 <= end) {
    const type = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    const value = at + 4;
    if (type === NAME_RECORD.end || value + length > end) break;
    const width = type === NAME_RECORD.ipv4 ? 4 : type === NAME_RECORD.ipv6 ? 16 : 0;
    if (width > 0 && length > width) addNames(names, bytes, value, width, length);
    at = value + padded(length);
  }
  return names;
}

/** Several names of one address follow each other, each ended by a zero octet. */
function addNames(names: AddressName[], bytes: Uint8Array, value: number, width: number, length: number): void {
  const address = Uint8Array.from(bytes.subarray(value, value + width));
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + value + width, length - width).toString('utf8');
  for (const name of text.split('\0')) if (name !== '') names.push({ address, name });
}
