import { u8 } from '../../bytes.ts';
import { TEXT_MAXIMUM } from '../../limits.ts';

/** A character string in quotes. @param bytes its characters, a byte each */
export function quoted(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes.subarray(0, TEXT_MAXIMUM)) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, '0')}`;
  }
  return `${text}"`;
}

/** Two digits an byte, in lower case. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 1) text += u8(bytes, index).toString(16).padStart(2, '0');
  return text;
}

/** RFC 4648 section 4. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

const BASE32_HEX = '0123456789abcdefghijklmnopqrstuv';

/** RFC 4648 section 7, without padding: hashed names. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32_HEX[(value >> (bits - 5)) & 31];
  }
  return bits > 0 ? text + BASE32_HEX[(value << (5 - bits)) & 31] : text;
}
