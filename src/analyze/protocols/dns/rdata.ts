import dnsPacket from 'dns-packet';
import { addressText } from '../../../wire/address-text.ts';
import { i32, u16 } from '../../bytes.ts';
import { TEXT_MAXIMUM } from '../../limits.ts';
import { nameAt, nameText, readName } from './name.ts';
import { TYPE, typeName } from './numbers.ts';
import { base32, base64, hex, quoted } from './presentation.ts';
import { serviceText } from './service-binding.ts';

declare module 'dns-packet' {
  /** The decoder of a type's data; `offset` is that of the data's length. Throws for invalid data. */
  export function record(type: string): { decode(message: Buffer, offset: number): unknown };
}

/** Types whose data the library decodes right, with how the presentation format puts it. */
const BY_LIBRARY: Readonly<Record<string, (data: Decoded) => string>> = {
  TXT: (strings) => (strings as unknown as readonly Buffer[]).map(quoted).join(' '),
  SPF: (strings) => (strings as unknown as readonly Buffer[]).map(quoted).join(' '),
  HINFO: ({ cpu, os }) => `${quotedText(cpu)} ${quotedText(os)}`,
  CAA: ({ flags, tag, value }) => `${flags} ${tag} ${quotedText(value)}`,
  NAPTR: ({ order, preference, flags, services, regexp, replacement }) =>
    `${order} ${preference} ${quotedText(flags)} ${quotedText(services)} ${quotedText(regexp)} ${replacement}`,
  SSHFP: ({ algorithm, hash, fingerprint }) => `${algorithm} ${hash} ${fingerprint}`,
  TLSA: ({ usage, selector, matchingType, certificate }) =>
    `${usage} ${selector} ${matchingType} ${hex(certificate as Buffer)}`,
  DS: ({ keyTag, algorithm, digestType, digest }) => `${keyTag} ${algorithm} ${digestType} ${hex(digest as Buffer)}`,
  DNSKEY: ({ flags, algorithm, key }) => `${flags} 3 ${algorithm} ${base64(key as Buffer)}`,
  RRSIG: ({ typeCovered, algorithm, labels, originalTTL, expiration, inception, keyTag, signersName, signature }) =>
    `${typeText(typeCovered)} ${algorithm} ${labels} ${originalTTL} ${expiration} ${inception} ${keyTag} ` +
    `${signersName} ${base64(signature as Buffer)}`,
  RP: ({ mbox, txt }) => `${mbox} ${txt}`,
  NSEC: ({ nextDomain, rrtypes }) => `${nextDomain} ${typeTexts(rrtypes)}`,
  NSEC3: ({ algorithm, flags, iterations, salt, nextDomain, rrtypes }) =>
    `${algorithm} ${flags} ${iterations} ${hex(salt as Buffer) || '-'} ${base32(nextDomain as Buffer)} ` +
    typeTexts(rrtypes),
};

type Decoded = Readonly<Record<string, unknown>>;

/** Data that is so many 16-bit numbers and a name behind them. */
const NUMBERS_AND_NAME: Readonly<Record<number, number>> = {
  [TYPE.ns]: 0,
  [TYPE.cname]: 0,
  [TYPE.ptr]: 0,
  [TYPE.dname]: 0,
  // MB, MG, MR
  7: 0,
  8: 0,
  9: 0,
  [TYPE.mx]: 1,
  // AFSDB, RT, KX, LP
  18: 1,
  21: 1,
  36: 1,
  107: 1,
  [TYPE.srv]: 3,
};

/**
 * A record's data as zone files put it (RFC 1035, section 5), names without the root's dot.
 * @param start of the message
 * @param at of the data, `length` bytes that are there
 * @returns undefined when it is not what its type has
 */
export function dataText(
  bytes: Uint8Array,
  start: number,
  at: number,
  length: number,
  type: number,
): string | undefined {
  const end = at + length;
  const numbers = NUMBERS_AND_NAME[type];
  if (numbers !== undefined) return numbersAndName(bytes, start, at, end, numbers);
  if (type === TYPE.a) return length === 4 ? addressText(bytes, at, 4) : undefined;
  if (type === TYPE.aaaa) return length === 16 ? addressText(bytes, at, 16) : undefined;
  if (type === TYPE.soa) return authorityText(bytes, start, at, end);
  if (type === TYPE.svcb || type === TYPE.https) return serviceText(bytes, at, end)?.slice(0, TEXT_MAXIMUM);
  const name = typeName(type);
  const text = BY_LIBRARY[name];
  if (text === undefined) return genericText(bytes, at, length);
  try {
    // Nothing follows the data: a length that exceeds it fails.
    const message = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    return text(dnsPacket.record(name === 'SPF' ? 'TXT' : name).decode(message, at - 2 - start) as Decoded).slice(
      0,
      TEXT_MAXIMUM,
    );
  } catch {
    return undefined;
  }
}

/** Of any type: `\# 4 0A000001` (RFC 3597, section 5). */
export function genericText(bytes: Uint8Array, at: number, length: number): string {
  const shown = Math.min(length, TEXT_MAXIMUM / 2);
  return length === 0 ? '\\# 0' : `\\# ${length} ${hex(bytes.subarray(at, at + shown))}`;
}

function numbersAndName(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
  numbers: number,
): string | undefined {
  const name = nameAt(bytes, start, at + numbers * 2, end);
  if (name === undefined) return undefined;
  let text = '';
  for (let index = 0; index < numbers; index += 1) text += `${u16(bytes, at + index * 2)} `;
  return text + name;
}

/** SOA: primary server, mailbox, serial, refresh, retry, expire, minimum. */
function authorityText(bytes: Uint8Array, start: number, at: number, end: number): string | undefined {
  const server = readName(bytes, start, at, end);
  if (server === undefined) return undefined;
  const behind = server.end;
  let text = nameText(server.wire, 0, server.length);
  const mailbox = readName(bytes, start, behind, end);
  if (mailbox === undefined || mailbox.end + 20 > end) return undefined;
  text += ` ${nameText(mailbox.wire, 0, mailbox.length)}`;
  for (let position = mailbox.end; position < mailbox.end + 20; position += 4) text += ` ${i32(bytes, position) >>> 0}`;
  return text;
}

function quotedText(text: unknown): string {
  return quoted(Buffer.from(String(text)));
}

/** The library returns UNKNOWN_65 for types it does not have. */
function typeText(type: unknown): string {
  const [, number] = /^UNKNOWN_(\d+)$/.exec(String(type)) ?? [];
  return number === undefined ? String(type) : typeName(Number(number));
}

function typeTexts(types: unknown): string {
  return (types as readonly string[]).map(typeText).join(' ');
}
