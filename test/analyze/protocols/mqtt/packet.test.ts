import { describe, expect, test } from 'vitest';
import {
  bodyAt,
  mqttBegins,
  mqttLength,
  mqttLikeness,
  qosOf,
  typeOf,
} from '../../../../src/analyze/protocols/mqtt/packet.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';

/**
 * Control packets of MQTT 3.1.1 and 5.0, table 2.1 and 2.2: number, flags of the fixed header (undefined: those of PUBLISH), who
 * sends it, and the least and most that may remain.
 */
const PACKETS: readonly (readonly [
  string,
  number,
  number | undefined,
  'client' | 'server' | 'both',
  number,
  number,
])[] = [
  ['CONNECT', 1, 0, 'client', 2, Number.POSITIVE_INFINITY],
  ['CONNACK', 2, 0, 'server', 2, Number.POSITIVE_INFINITY],
  ['PUBLISH', 3, undefined, 'both', 2, Number.POSITIVE_INFINITY],
  ['PUBACK', 4, 0, 'both', 2, Number.POSITIVE_INFINITY],
  ['PUBREC', 5, 0, 'both', 2, Number.POSITIVE_INFINITY],
  ['PUBREL', 6, 2, 'both', 2, Number.POSITIVE_INFINITY],
  ['PUBCOMP', 7, 0, 'both', 2, Number.POSITIVE_INFINITY],
  ['SUBSCRIBE', 8, 2, 'client', 2, Number.POSITIVE_INFINITY],
  ['SUBACK', 9, 0, 'server', 2, Number.POSITIVE_INFINITY],
  ['UNSUBSCRIBE', 10, 2, 'client', 2, Number.POSITIVE_INFINITY],
  ['UNSUBACK', 11, 0, 'server', 2, Number.POSITIVE_INFINITY],
  ['PINGREQ', 12, 0, 'client', 0, 0],
  ['PINGRESP', 13, 0, 'server', 0, 0],
  ['DISCONNECT', 14, 0, 'both', 0, Number.POSITIVE_INFINITY],
  ['AUTH', 15, 0, 'both', 0, Number.POSITIVE_INFINITY],
];
const SIDES = [
  [SIDE.client, 'client'],
  [SIDE.server, 'server'],
] as const;

/** A remaining length (section 2.2.3). */
function lengthBytes(length: number): number[] {
  const bytes: number[] = [];
  let left = length;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return [...bytes, left];
}

/** Whether the flags of a PUBLISH may be: its quality of service is 0 to 2, and what may be a duplicate has one above 0. */
const isPublishFlags = (flags: number) => ((flags >> 1) & 3) < 3 && ((flags & 8) === 0 || ((flags >> 1) & 3) > 0);

test('every first byte, of either side, with lengths in one to four bytes: what the specification allows is a packet', () => {
  const lengths = [0, 1, 2, 3, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455];
  for (const [side, name] of SIDES) {
    for (let first = 0; first < 256; first += 1) {
      const packet = PACKETS.find(([, type]) => type === first >> 4);
      const flags = packet?.[2] === undefined ? isPublishFlags(first & 15) : (first & 15) === packet[2];
      const isSent = packet !== undefined && (packet[3] === name || packet[3] === 'both') && flags;
      const read: unknown[] = [];
      const expected: unknown[] = [];
      for (const length of lengths) {
        const coded = lengthBytes(length);
        const bytes = Buffer.from([9, first, ...coded, 0xff, 0xff]);
        const end = 2 + coded.length;
        const isOne = isSent && length >= packet[4] && length <= packet[5];
        read.push(mqttLength(side, bytes, 1, end), mqttLength(side, bytes, 1, end - 1), bodyAt(bytes, 1, end));
        expected.push(isOne ? end - 1 + length : 0, isSent ? undefined : 0, end);
      }
      expect(read, `${name} ${first}`).toEqual(expected);
      expect([typeOf(Buffer.of(9, first), 1), qosOf(Buffer.of(9, first), 1)]).toEqual([first >> 4, (first & 6) >> 1]);
    }
  }
});

test('a length is in its shortest form, and in four bytes at most', () => {
  expect(mqttLength(SIDE.client, Buffer.of(0x30, 0x85, 0x00, 0), 0, 4)).toBe(0);
  expect(mqttLength(SIDE.client, Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 1), 0, 6)).toBe(0);
  expect(mqttLength(SIDE.client, Buffer.of(0x30, 0x80, 0x80, 0x80, 0x01), 0, 5)).toBe(5 + 2 ** 21);
  expect(bodyAt(Buffer.of(0x30, 0x80, 0x80), 0, 3)).toBe(3);
});

const u16 = (value: number) => Buffer.of(value >> 8, value & 255);
const text = (value: string) => Buffer.concat([u16(value.length), Buffer.from(value, 'latin1')]);
const packet = (first: number, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first, ...lengthBytes(body.length)]), body]);
};
const connect = (name: string, version: number) => packet(0x10, text(name), Buffer.of(version, 2, 0, 60), text('id'));

/** At the end of the bytes that are there, between others. */
const begins = (side: typeof SIDE.client | typeof SIDE.server, bytes: Buffer, end = bytes.length) =>
  mqttBegins(side, Buffer.concat([Buffer.of(0), bytes.subarray(0, end), Buffer.alloc(80)]), 1, 1 + end);

describe('a beginning', () => {
  const long = 'sensors/kitchen/temperature/'.repeat(20);
  test.each([
    ['CONNECT of 3.1.1', connect('MQTT', 4), 9, true, false],
    ['CONNECT of 5', connect('MQTT', 5), 9, true, false],
    ['CONNECT of 3.1', connect('MQIsdp', 3), 11, true, false],
    ['PUBLISH', packet(0x30, text('a/b'), Buffer.from('21.5')), 7, true, true],
    ['PUBLISH of quality 2, sent again and retained', packet(0x3d, text('a/b'), u16(7)), 7, true, true],
    ['PUBLISH with nothing in it', packet(0x30, text('a/~')), 7, true, true],
    ['PUBLISH with a long topic', packet(0x30, text(long), Buffer.from('1')), 69, true, true],
    ['SUBSCRIBE', packet(0x82, u16(1), text('#'), Buffer.of(0)), 7, true, false],
    ['SUBSCRIBE of 5', packet(0x82, u16(0x100), Buffer.of(0), text('+/a'), Buffer.of(0)), 10, true, false],
    ['UNSUBSCRIBE', packet(0xa2, u16(9), text('ab')), 8, true, false],
  ])('%s is known by its first bytes, and undecided before', (_what, bytes, needed, isClient, isServer) => {
    for (let end = 2; end <= bytes.length; end += 1) {
      // The payload, and what follows the name, change nothing.
      const isThere = end >= needed;
      expect(begins(SIDE.client, bytes, end), `client ${end}`).toBe(isClient ? (isThere ? true : undefined) : false);
      if (!isServer) expect(begins(SIDE.server, bytes, end)).toBe(false);
      else expect(begins(SIDE.server, bytes, end), `server ${end}`).toBe(isThere ? true : undefined);
    }
  });

  test.each([
    ['a CONNECT of another protocol', connect('MQTS', 4)],
    ['a CONNECT of another version', connect('MQTT', 6)],
    ['a CONNECT of 3.1 with the version of 3.1.1', connect('MQIsdp', 4)],
    ['a topic of two letters', packet(0x30, text('ab'), Buffer.from('x'))],
    ['a topic with #', packet(0x30, text('a/#'), Buffer.from('x'))],
    ['a topic with +', packet(0x30, text('+/a'), Buffer.from('x'))],
    ['a topic with a control character', packet(0x30, text('a/\x1f'), Buffer.from('x'))],
    ['a topic with a byte above ASCII', packet(0x30, text('a/\x7f'), Buffer.from('x'))],
    ['a topic longer than its packet', Buffer.concat([packet(0x30, u16(4), Buffer.from('a/b')), Buffer.from('c')])],
    ['a PUBLISH of quality 3', packet(0x36, text('a/b'))],
    ['an acknowledgement', packet(0x40, u16(7))],
    ['a SUBSCRIBE with number 0', packet(0x82, u16(0), text('abc'), Buffer.of(0))],
    ['a SUBSCRIBE without flags', packet(0x80, u16(1), text('abc'), Buffer.of(0))],
    ['a SUBSCRIBE with 5 bytes', packet(0x82, u16(1), text('a'))],
    ['a SUBSCRIBE with a filter that is empty', packet(0x82, u16(1), Buffer.of(0, 0, 0, 0, 65, 0))],
    ['a SUBSCRIBE with a filter longer than it', packet(0x82, u16(1), u16(5), Buffer.from('abcd'))],
  ])('%s is none', (_what, bytes) => {
    for (const [side] of SIDES) expect(begins(side, bytes)).toBe(false);
  });
});

describe('what a connection begins with', () => {
  const publish = packet(0x30, text('a/b'), Buffer.from('21.5'));
  const like = (bytes: Buffer) => mqttLikeness(Buffer.concat([Buffer.of(0), bytes]), 1, 1 + bytes.length);
  test.each([
    ['client', connect('MQTT', 4)],
    ['more', connect('MQTT', 5).subarray(0, 6)],
    ['no', connect('MQTZ', 5)],
    ['either', publish],
    ['either', Buffer.concat([publish, publish])],
    ['either', Buffer.concat([publish, Buffer.of(0xd0, 0)])],
    ['either', Buffer.concat([publish, Buffer.of(0xc0, 0)])],
    ['either', Buffer.concat([publish, Buffer.of(0x32)])],
    ['no', Buffer.concat([publish, Buffer.of(0xc1, 0)])],
    ['no', Buffer.concat([publish, Buffer.of(0)])],
    ['client', packet(0x82, u16(1), text('abc'), Buffer.of(0))],
    ['client', packet(0xa2, u16(1), text('abc'))],
    ['no', packet(0x40, u16(1))],
    // CONNACK of 3.1.1: flags and a code; of 5: properties with their length.
    ['server', Buffer.of(0x20, 2, 0, 0)],
    ['server', Buffer.of(0x20, 2, 1, 5)],
    ['no', Buffer.of(0x20, 2, 2, 0)],
    ['no', Buffer.of(0x20, 2, 0, 6)],
    ['no', Buffer.of(0x20, 2, 0, 0, 0)],
    ['no', Buffer.of(0x20, 2, 0)],
    ['no', Buffer.of(0x21, 2, 0, 0)],
    ['no', Buffer.of(0x20, 1, 0)],
    ['server', Buffer.of(0x20, 3, 0, 0, 0)],
    ['server', Buffer.of(0x20, 3, 0, 0x80, 0)],
    ['no', Buffer.of(0x20, 3, 0, 0x7f, 0)],
    ['no', Buffer.of(0x20, 3, 0, 1, 0)],
    ['no', Buffer.of(0x20, 3, 0, 0, 1)],
    ['server', Buffer.of(0x20, 6, 0, 0, 3, 0x21, 0, 10)],
    ['server', Buffer.concat([Buffer.of(0x20, 127, 0, 0, 124), Buffer.alloc(124)])],
    ['no', Buffer.concat([Buffer.of(0x20, 0x80, 1, 0, 0, 125), Buffer.alloc(125)])],
  ])('%s', (likeness, bytes) => {
    expect(like(bytes)).toBe(likeness);
  });
});
