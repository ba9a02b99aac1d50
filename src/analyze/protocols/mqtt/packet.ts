import { u8, u16 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import type { Likeness } from '../protocol.ts';

/** Types of control packets (MQTT 3.1.1 and 5.0, section 2.1.2). */
export const TYPE = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

/** Types that a side sends. */
const SENT: readonly (readonly number[])[] = [
  [1, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15],
  [2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15],
];

/** Bytes of a fixed header: a type, and up to four of the length. */
export const HEADER = 2;
export const HEADER_MAXIMUM = 5;

/** Bytes of a packet that are looked at to find where packets go on: its header, and the beginning of a topic. */
const TOPIC_LOOK = 64;
export const SEEK = HEADER_MAXIMUM + 4 + TOPIC_LOOK;

/** Least of a topic that shows that it is one. */
const TOPIC_LEAST = 3;

const RESERVED_FLAGS = new Set<number>([TYPE.pubrel, TYPE.subscribe, TYPE.unsubscribe]);

/** Where the fixed header ends, and how many bytes follow it; of the last call of readHeader. */
export const header = { end: 0, remaining: 0 };

/** Reads a fixed header into `header`. @returns whether it is one; undefined where bytes of it are missing */
function readHeader(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  let remaining = 0;
  for (let at = start + 1; at < start + HEADER_MAXIMUM; at += 1) {
    if (at >= end) return undefined;
    const byte = u8(bytes, at);
    remaining += (byte & 0x7f) * 128 ** (at - start - 1);
    if (byte < 0x80) {
      header.end = at + 1;
      header.remaining = remaining;
      // The shortest form is the only one.
      return byte > 0 || at === start + 1;
    }
  }
  return false;
}

export function typeOf(bytes: Uint8Array, start: number): number {
  return u8(bytes, start) >> 4;
}

export function qosOf(bytes: Uint8Array, start: number): number {
  return (u8(bytes, start) >> 1) & 3;
}

/** Where the variable header begins, of a packet that mqttLength has measured. */
export function bodyAt(bytes: Uint8Array, start: number, end: number): number {
  return readHeader(bytes, start, end) === true ? header.end : end;
}

/** A packet's whole length; 0 for what is none of this side's, undefined where its header is not whole. */
export function mqttLength(side: Side, bytes: Uint8Array, start: number, end: number): number | undefined {
  const type = typeOf(bytes, start);
  if (!(SENT[side] as readonly number[]).includes(type) || !hasFlags(bytes, start)) return 0;
  const isHeader = readHeader(bytes, start, end);
  if (isHeader !== true) return isHeader === undefined ? undefined : 0;
  const { remaining } = header;
  const isPing = type === TYPE.pingreq || type === TYPE.pingresp;
  const least = isPing || type >= TYPE.disconnect ? 0 : 2;
  return remaining < least || (isPing && remaining > 0) ? 0 : header.end - start + remaining;
}

/**
 * Whether a packet begins here that its topic, or the protocol's name, tells from other bytes. Acknowledgements are too short for
 * that. Undefined where that takes more bytes.
 */
export function mqttBegins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const type = typeOf(bytes, start);
  const isClient = side === SIDE.client;
  const isTold =
    type === TYPE.publish ||
    (isClient && (type === TYPE.subscribe || type === TYPE.unsubscribe || type === TYPE.connect));
  if (!isTold || !hasFlags(bytes, start)) return false;
  const isHeader = readHeader(bytes, start, end);
  if (isHeader !== true) return isHeader;
  if (type === TYPE.connect) return isConnect(bytes, header.end, end);
  if (type === TYPE.publish) return isTopic(bytes, header.end, end, header.remaining, false);
  const { end: body, remaining } = header;
  if (remaining < 6) return false;
  if (end - body < 3) return undefined;
  // Behind the packet's number; MQTT 5 has properties between, mostly none.
  const at = body + (u8(bytes, body + 2) === 0 && end > body + 3 && u8(bytes, body + 3) === 0 ? 3 : 2);
  return u16(bytes, body) > 0 && isTopic(bytes, at, end, remaining - (at - body), true);
}

/** What a connection's first bytes, or those of a packet, look like. */
export function mqttLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const type = typeOf(bytes, start);
  if (type === TYPE.connack) return isConnack(bytes, start, end) ? 'server' : 'no';
  const begins = mqttBegins(SIDE.client, bytes, start, end);
  if (begins !== true) return begins === undefined ? 'more' : 'no';
  if (type === TYPE.connect) return 'client';
  readHeader(bytes, start, end);
  // What follows a packet is a packet.
  const next = header.end + header.remaining;
  if (next < end && !isNext(bytes, next, end)) return 'no';
  return type === TYPE.publish ? 'either' : 'client';
}

function isNext(bytes: Uint8Array, start: number, end: number): boolean {
  return mqttLength(SIDE.client, bytes, start, end) !== 0 || mqttLength(SIDE.server, bytes, start, end) !== 0;
}

function hasFlags(bytes: Uint8Array, start: number): boolean {
  const type = typeOf(bytes, start);
  const flags = u8(bytes, start) & 15;
  if (type === TYPE.publish) return qosOf(bytes, start) < 3 && (flags & 8) <= (qosOf(bytes, start) > 0 ? 8 : 0);
  return flags === (RESERVED_FLAGS.has(type) ? 2 : 0);
}

/** `MQTT` of version 3.1.1 or 5, `MQIsdp` of 3.1. */
function isConnect(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const names = ['\x00\x04MQTT\x04', '\x00\x04MQTT\x05', '\x00\x06MQIsdp\x03'];
  let result: boolean | undefined = false;
  for (const name of names) {
    let at = 0;
    while (at < name.length && start + at < end && u8(bytes, start + at) === name.charCodeAt(at)) at += 1;
    if (at === name.length) return true;
    if (start + at === end) result = undefined;
  }
  return result;
}

/** A whole CONNACK and nothing else: 4 bytes, or those of version 5, whose properties take the rest. */
function isConnack(bytes: Uint8Array, start: number, end: number): boolean {
  if (u8(bytes, start) !== TYPE.connack << 4 || readHeader(bytes, start, end) !== true) return false;
  const { end: body, remaining } = header;
  if (body + remaining !== end || remaining < 2 || u8(bytes, body) > 1) return false;
  const code = u8(bytes, body + 1);
  if (remaining === 2) return code <= 5;
  return (code === 0 || code >= 0x80) && remaining < 128 && u8(bytes, body + 2) === remaining - 3;
}

/** A topic with its length, within so many bytes. @param isFilter wildcards are allowed, which a message's topic has not */
function isTopic(bytes: Uint8Array, start: number, end: number, room: number, isFilter: boolean): boolean | undefined {
  if (end - start < 2) return undefined;
  const length = u16(bytes, start);
  if (length + 2 > room || length < (isFilter ? 1 : TOPIC_LEAST)) return false;
  const limit = start + 2 + Math.min(length, TOPIC_LOOK);
  for (let at = start + 2; at < Math.min(limit, end); at += 1) {
    const byte = u8(bytes, at);
    if (byte < 0x20 || byte > 0x7e || (!isFilter && (byte === 0x23 || byte === 0x2b))) return false;
  }
  return end < limit ? undefined : true;
}
