import { u8 } from '../../bytes.ts';
import { TEXT_MAXIMUM } from '../../limits.ts';

/** A character string in quotes. @param octets its characters, a byte each */
export function quoted(octets: Uint8Array): string {
  let text = '"';
  for (const octet of octets.subarray(0, TEXT_MAXIMUM)) {
    if (octet === 0x22 || octet === 0x5c) text += `\\${String.fromCharCode(octet)}`;
    else if (octet >= 0x20 && octet < 0x7f) text += String.fromCharCode(octet);
    else text += `\\${String(octet).padStart(3, '0')}`;
  }
  return `${text}"`;
}

/** Two digits an byte, in lower case. */
export function hex(octets: Uint8Array): string {
  let text = '';
  for (let index = 0; index < octets.length; index += 1) text += u8(octets, index).toString(16).padStart(2, '0');
  return text;
}

/** RFC 4648 section 4. */
export function base64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64');
}

const BASE32_HEX = '0123456789abcdefghijklmnopqrstuv';

/** RFC 4648 section 7, without padding: hashed names. */
export function base32(octets: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const octet of octets) {
    value = ((value << 8) | octet) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32_HEX[(value >> (bits - 5)) & 31];
  }
  return bits > 0 ? text + BASE32_HEX[(value << (5 - bits)) & 31] : text;
}
