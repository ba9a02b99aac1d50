import { isIPv4 } from 'node:net';
import { BLOCK, BYTE_ORDER_MAGIC, EPB_HEADER_BYTES, NAME_RECORD, OPTION, padded } from './pcapng.ts';
import { VERSION } from './version.ts';

/** Encoders of the blocks ksnoop writes: little-endian, nanoseconds (draft-ietf-opsawg-pcapng). */

/** The value of shb_userappl in every file that ksnoop writes. */
const USER_APPLICATION = `ksnoop ${VERSION}`;

const OPTION_MAXIMUM = 0xffff;

type OptionValue = readonly [code: number, value: Uint8Array | string];

/**
 * @param os where the capture was written, `Linux 6.1.0`
 * @param named the section is named as ksnoop's
 */
export function sectionHeader(os: string, named = true): Uint8Array {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  body.writeUInt16LE(1, 4);
  body.writeUInt16LE(0, 6);
  body.writeBigInt64LE(-1n, 8);
  return block(BLOCK.sectionHeader, body, [
    [OPTION.shbOs, os],
    ...(named ? [[OPTION.shbUserAppl, USER_APPLICATION] as const] : []),
  ]);
}

export interface InterfaceFields {
  readonly linkType: number;
  readonly snaplen: number;
  /** `namespace/pod/eth0` and the like (design: "What flows"). */
  readonly name: string;
  readonly description: string;
  readonly filter?: string | undefined;
}

export function interfaceDescription(fields: InterfaceFields): Uint8Array {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(fields.linkType, 0);
  body.writeUInt32LE(fields.snaplen, 4);
  const options: OptionValue[] = [
    [OPTION.ifName, fields.name],
    [OPTION.ifDescription, fields.description],
    [OPTION.ifTsresol, Uint8Array.of(9)],
  ];
  // The first byte of if_filter is its kind: 0, libpcap's text (section 4.2).
  if (fields.filter !== undefined) options.push([OPTION.ifFilter, `\0${fields.filter}`]);
  return block(BLOCK.interfaceDescription, body, options);
}

/** Add an `opt_comment` to a block made here that ends with options (an interface description). */
export function withComment(encoded: Uint8Array, comment: string): Uint8Array {
  const text = optionValue(comment);
  const option = Buffer.alloc(4 + padded(text.length));
  option.writeUInt16LE(OPTION.comment, 0);
  option.writeUInt16LE(text.length, 2);
  text.copy(option, 4);
  // Before opt_endofopt (4 bytes) and the closing length (4 bytes).
  const joined = Buffer.concat([encoded.subarray(0, -8), option, encoded.subarray(-8)]);
  joined.writeUInt32LE(joined.length, 4);
  joined.writeUInt32LE(joined.length, joined.length - 4);
  return joined;
}

export interface StatisticsFields {
  readonly interfaceId: number;
  /** All times are nanoseconds since 1970. */
  readonly time: bigint;
  readonly startTime: bigint;
  /** Present in an interface's last statistics only. */
  readonly endTime?: bigint | undefined;
  /** Passed the kernel's filter (isb_filteraccept). */
  readonly received: number;
  readonly droppedByKernel: number;
  /** Written to the stream (isb_usrdeliv). */
  readonly captured: number;
}

export function interfaceStatistics(fields: StatisticsFields): Uint8Array {
  const body = Buffer.alloc(12);
  body.writeUInt32LE(fields.interfaceId, 0);
  timestamp(fields.time).copy(body, 4);
  const options: OptionValue[] = [[OPTION.isbStartTime, timestamp(fields.startTime)]];
  if (fields.endTime !== undefined) options.push([OPTION.isbEndTime, timestamp(fields.endTime)]);
  options.push(
    [OPTION.isbFilterAccept, uint64(fields.received)],
    [OPTION.isbOsDrop, uint64(fields.droppedByKernel)],
    [OPTION.isbUsrDeliv, uint64(fields.captured)],
  );
  return block(BLOCK.interfaceStatistics, body, options);
}

/** What an address is called. Programs that show one name, as Wireshark does, show the last. */
export interface NamedAddress {
  /** IPv4, or IPv6 in any notation of RFC 4291. */
  readonly address: string;
  readonly names: readonly string[];
  /** The address may not occur in the capture: then a file need not name it. */
  readonly ifSeen?: true;
  /** Of a capture of several clusters: the one whose address it is. */
  readonly cluster?: string;
}

/** Names as those of one cluster's addresses; as they are where no cluster is named. */
export function namesOf(cluster: string | undefined, names: readonly NamedAddress[]): readonly NamedAddress[] {
  return cluster === undefined ? names : names.map((named) => ({ ...named, cluster }));
}

/** Names for addresses: `{address: '10.244.1.5', names: ['web.shop', 'shop/web-1']}`. */
export function nameResolution(records: Iterable<NamedAddress>): Uint8Array {
  return block(BLOCK.nameResolution, nameRecords(records), []);
}

/** The records of a Name Resolution Block, with the one that ends them. */
export function nameRecords(records: Iterable<NamedAddress>): Uint8Array {
  const parts: Buffer[] = [];
  for (const { address, names } of records) {
    const bytes = addressBytes(address);
    const value = Buffer.concat([bytes, ...names.map((name) => Buffer.from(`${name}\0`, 'utf8'))]);
    const record = Buffer.alloc(4 + padded(value.length));
    record.writeUInt16LE(bytes.length === 4 ? NAME_RECORD.ipv4 : NAME_RECORD.ipv6, 0);
    record.writeUInt16LE(value.length, 2);
    value.copy(record, 4);
    parts.push(record);
  }
  parts.push(Buffer.alloc(4));
  return Buffer.concat(parts);
}

/** A block without options. */
export function plainBlock(type: number, body: Uint8Array): Uint8Array {
  return block(type, body, []);
}

/** The bytes of an address in text (RFC 4291). */
export function addressBytes(address: string): Buffer {
  return isIPv4(address) ? ipv4Bytes(address) : ipv6Bytes(address);
}

/**
 * The first block of a stream that will end with an end marker: a reader that finds it and no end marker knows that the
 * stream was cut. Programs that write a capture anew (editcap, mergecap, tshark -w) keep neither.
 */
export function startMarker(): Uint8Array {
  return jsonBlock(BLOCK.ksnoopStart, { version: 1 });
}

/** The last block of a complete stream. */
export function endMarker(body: object): Uint8Array {
  return jsonBlock(BLOCK.ksnoopEnd, body);
}

/** A local-use block whose body is JSON, padded with spaces to 32 bits. */
function jsonBlock(type: number, body: object): Uint8Array {
  const json = Buffer.from(JSON.stringify(body), 'utf8');
  const text = Buffer.alloc(padded(json.length), ' ');
  json.copy(text);
  return block(type, text, []);
}

/** Bytes an Enhanced Packet Block takes, with or without the flags option. */
export function enhancedPacketBytes(caplen: number, withFlags: boolean): number {
  return EPB_HEADER_BYTES + padded(caplen) + (withFlags ? 12 : 0) + 4;
}

/**
 * Write an Enhanced Packet Block into `target` at `at`, where `enhancedPacketBytes` must be free. Allocates nothing.
 * @param flags epb_flags, or 0 to leave the option out
 * @returns the offset behind it
 */
export function writeEnhancedPacket(
  target: Uint8Array,
  view: DataView,
  at: number,
  interfaceId: number,
  timeHigh: number,
  timeLow: number,
  caplen: number,
  origlen: number,
  flags: number,
  data: Uint8Array,
  dataAt: number,
): number {
  const dataEnd = at + EPB_HEADER_BYTES + caplen;
  const optionsAt = at + EPB_HEADER_BYTES + padded(caplen);
  const total = optionsAt + (flags === 0 ? 0 : 12) + 4 - at;
  view.setUint32(at, BLOCK.enhancedPacket, true);
  view.setUint32(at + 4, total, true);
  view.setUint32(at + 8, interfaceId, true);
  view.setUint32(at + 12, timeHigh, true);
  view.setUint32(at + 16, timeLow, true);
  view.setUint32(at + 20, caplen, true);
  view.setUint32(at + 24, origlen, true);
  copyBytes(target, at + EPB_HEADER_BYTES, data, dataAt, caplen);
  for (let padding = dataEnd; padding < optionsAt; padding += 1) target[padding] = 0;
  if (flags !== 0) {
    view.setUint16(optionsAt, OPTION.epbFlags, true);
    view.setUint16(optionsAt + 2, 4, true);
    view.setUint32(optionsAt + 4, flags, true);
    view.setUint32(optionsAt + 8, 0, true);
  }
  view.setUint32(at + total - 4, total, true);
  return at + total;
}

/** Short packets by hand, for a subarray costs more than they do; long ones by the engine's own copy. */
function copyBytes(target: Uint8Array, at: number, source: Uint8Array, from: number, length: number): void {
  if (length > 96) {
    target.set(source.subarray(from, from + length), at);
    return;
  }
  for (let index = 0; index < length; index += 1) target[at + index] = source[from + index] ?? 0;
}

function block(type: number, body: Uint8Array, options: readonly OptionValue[]): Uint8Array {
  const values = options.map(([code, value]) => [code, optionValue(value)] as const);
  const optionBytes = values.reduce((sum, [, value]) => sum + 4 + padded(value.length), options.length > 0 ? 4 : 0);
  const total = 12 + padded(body.length) + optionBytes;
  const bytes = Buffer.alloc(total);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(total, 4);
  bytes.set(body, 8);
  let at = 8 + padded(body.length);
  for (const [code, value] of values) {
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt16LE(value.length, at + 2);
    value.copy(bytes, at + 4);
    at += 4 + padded(value.length);
  }
  bytes.writeUInt32LE(total, total - 4);
  return bytes;
}

/** An option's length has 16 bits (section 3.5): longer text, such as a filter, is cut behind a whole character. */
function optionValue(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  let end = Math.min(bytes.length, OPTION_MAXIMUM);
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** Two 32-bit words, the high one first (section 4.3), in an otherwise little-endian block. */
function timestamp(time: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(Number(time >> 32n), 0);
  bytes.writeUInt32LE(Number(time & 0xffff_ffffn), 4);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function ipv6Bytes(address: string): Buffer {
  const groups = (text: string | undefined) => {
    if (text === undefined || text === '') return [];
    return text.split(':').flatMap((group) => {
      if (!group.includes('.')) return [Number.parseInt(group, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = ipv4Bytes(group);
      return [(a << 8) | b, (c << 8) | d];
    });
  };
  const [left, right] = (address.split('%')[0] ?? address).split('::');
  const head = groups(left);
  const tail = groups(right);
  const filled = [...head, ...new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0), ...tail];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of filled.slice(0, 8).entries()) bytes.writeUInt16BE(group & 0xffff, index * 2);
  return bytes;
}
