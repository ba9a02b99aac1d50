import { addressText } from '../../../wire/address-text.ts';
import { u8, u16 } from '../../bytes.ts';
import { nameAt } from './name.ts';
import { base64, quoted } from './presentation.ts';

/** SvcParamKeys by number (IANA, DNS Service Bindings). */
const KEYS: readonly string[] = [
  'mandatory',
  'alpn',
  'no-default-alpn',
  'port',
  'ipv4hint',
  'ech',
  'ipv6hint',
  'dohpath',
  'ohttp',
  'tls-supported-groups',
];

/**
 * Data of a SVCB or HTTPS record (RFC 9460, section 2): `1 . alpn=h2,h3 port=8443`.
 * @returns undefined when it is invalid
 */
export function serviceText(bytes: Uint8Array, at: number, end: number): string | undefined {
  if (at + 3 > end) return undefined;
  // The target is never compressed: a pointer would point out of the data.
  const target = nameAt(bytes, at + 2, at + 2, end);
  if (target === undefined) return undefined;
  let text = `${u16(bytes, at)} ${target}`;
  let position = at + 2;
  while (u8(bytes, position) !== 0) position += u8(bytes, position) + 1;
  position += 1;
  while (position < end) {
    if (position + 4 > end) return undefined;
    const key = u16(bytes, position);
    const from = position + 4;
    position = from + u16(bytes, position + 2);
    if (position > end) return undefined;
    const value = parameterText(bytes, key, from, position);
    if (value === undefined) return undefined;
    const name = keyName(key);
    text += value === '' ? ` ${name}` : ` ${name}=${value}`;
  }
  return text;
}

function keyName(key: number): string {
  return KEYS[key] ?? `key${key}`;
}

function parameterText(bytes: Uint8Array, key: number, at: number, end: number): string | undefined {
  const length = end - at;
  switch (KEYS[key]) {
    case 'mandatory':
      return listOf(length, 2, (index) => keyName(u16(bytes, at + index * 2)));
    case 'tls-supported-groups':
      return listOf(length, 2, (index) => String(u16(bytes, at + index * 2)));
    case 'port':
      return length === 2 ? String(u16(bytes, at)) : undefined;
    case 'ipv4hint':
      return listOf(length, 4, (index) => addressText(bytes, at + index * 4, 4));
    case 'ipv6hint':
      return listOf(length, 16, (index) => addressText(bytes, at + index * 16, 16));
    case 'alpn':
      return protocolsText(bytes, at, end);
    case 'ech':
      return base64(bytes.subarray(at, end));
    default:
      return length === 0 ? '' : quoted(bytes.subarray(at, end));
  }
}

function listOf(length: number, width: number, text: (index: number) => string): string | undefined {
  if (length === 0 || length % width !== 0) return undefined;
  return Array.from({ length: length / width }, (_, index) => text(index)).join(',');
}

/** Protocol identifiers, each behind its length. */
function protocolsText(bytes: Uint8Array, at: number, end: number): string | undefined {
  const protocols: string[] = [];
  for (let position = at; position < end; ) {
    const from = position + 1;
    position = from + u8(bytes, position);
    if (position > end) return undefined;
    protocols.push(quoted(bytes.subarray(from, position)).slice(1, -1));
  }
  return protocols.join(',');
}
