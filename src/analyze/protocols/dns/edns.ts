import { addressText } from '../../../wire/address-text.ts';
import { u8, u16 } from '../../bytes.ts';
import { TEXT_MAXIMUM } from '../../limits.ts';
import type { Fields, FieldValue } from '../../record/event.ts';
import { utf8 } from '../../record/text.ts';
import { hex } from './presentation.ts';

const OPTION = { nsid: 3, clientSubnet: 8, cookie: 10, extendedError: 15 } as const;

/** Unknown options that are listed by number; further ones are left out. */
const OPTIONS_MAXIMUM = 32;

/** Bytes shown of a cookie: all that RFC 7873 allows; and of a server's identifier. */
const COOKIE_MAXIMUM = 40;
const IDENTIFIER_MAXIMUM = 256;

/**
 * Fields of an OPT record (RFC 6891, section 6.1.2).
 * @param at behind its name, where its class stands for the UDP payload size, its TTL for the rest
 * @param end of its data
 */
export function ednsFields(bytes: Uint8Array, at: number, end: number): Fields {
  const options: number[] = [];
  const errors: FieldValue[] = [];
  let clientSubnet: string | undefined;
  let cookie: string | undefined;
  let nsid: string | undefined;
  let malformed: true | undefined;
  for (let position = at + 10; position < end && options.length < OPTIONS_MAXIMUM; ) {
    const from = position + 4;
    if (from > end || from + u16(bytes, position + 2) > end) {
      malformed = true;
      break;
    }
    const code = u16(bytes, position);
    position = from + u16(bytes, position + 2);
    options.push(code);
    if (code === OPTION.clientSubnet) clientSubnet = subnetText(bytes, from, position);
    else if (code === OPTION.cookie) cookie = hex(bytes.subarray(from, Math.min(position, from + COOKIE_MAXIMUM)));
    else if (code === OPTION.nsid) nsid = utf8(bytes, from, Math.min(position, from + IDENTIFIER_MAXIMUM));
    else if (code === OPTION.extendedError && position - from >= 2) errors.push(errorFields(bytes, from, position));
  }
  return {
    version: u8(bytes, at + 5),
    udpSize: u16(bytes, at + 2),
    dnssecOk: (u8(bytes, at + 6) & 0x80) !== 0,
    options: options.length > 0 ? options : undefined,
    clientSubnet,
    cookie,
    nsid,
    errors: errors.length > 0 ? errors : undefined,
    malformed,
  };
}

/** RFC 7871, section 6: `192.0.2.0/24`, with the answer's scope `192.0.2.0/24/16`. */
function subnetText(bytes: Uint8Array, at: number, end: number): string | undefined {
  const width = at + 4 > end ? 0 : u16(bytes, at) === 1 ? 4 : u16(bytes, at) === 2 ? 16 : 0;
  if (width === 0 || end - at - 4 > width) return undefined;
  const address = new Uint8Array(width);
  address.set(bytes.subarray(at + 4, end));
  const scope = u8(bytes, at + 3);
  return `${addressText(address, 0, width)}/${u8(bytes, at + 2)}${scope > 0 ? `/${scope}` : ''}`;
}

/** RFC 8914: why it failed, in the server's words. */
function errorFields(bytes: Uint8Array, at: number, end: number): Fields {
  const text = utf8(bytes, at + 2, Math.min(end, at + 2 + TEXT_MAXIMUM)).replace(/\0$/, '');
  return { code: u16(bytes, at), text: text || undefined };
}
