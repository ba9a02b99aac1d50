import { expect, test } from 'vitest';
import type { EventRecord, PacketRecord } from '../../../src/analyze/record/record.ts';
import { packetLines, packetsOf } from '../../../src/view/top/exchange-packets.ts';
import { PACKET_BYTES_SHOWN, PACKETS_SHOWN } from '../../../src/view/top/limits.ts';
import type { KeptPacket } from '../../../src/view/top/model.ts';
import type { LineSource } from '../../../src/view/top/pane.ts';

let decoded = 0;

function packet(time: string, length = 4, captured = length): KeptPacket {
  return {
    time,
    interface: 'shop/web-1/eth0',
    direction: 'in',
    length,
    bytes: new Uint8Array(captured).fill(0x41),
    record: () => {
      decoded += 1;
      return { protocol: 'tcp', label: '[.] \x1b[2J', stopped: 'truncated in TCP' } as PacketRecord;
    },
  };
}

const at = (second: string) => `2026-11-23T23:59:${second}Z`;
const texts = (lines: readonly LineSource[]) =>
  lines.map((each) => (typeof each === 'function' ? each() : each).spans.map(({ text }) => text).join(''));

test('packets of an exchange are those from its first byte to its last, over a second that ends', () => {
  const times = [
    at('58.999999999'),
    at('59.900000000'),
    '2026-11-24T00:00:00.100000000Z',
    '2026-11-24T00:00:00.100000001Z',
  ];
  const packets = times.map((time) => packet(time));
  const of = (latency: number | undefined) =>
    packetsOf({ time: at('59.900000000'), latency } as EventRecord, packets).map(({ time }) => times.indexOf(time));
  expect(of(200_000_000)).toEqual([1, 2]);
  // Without an answer nobody knows where it ends.
  expect(of(undefined)).toEqual([1, 2, 3]);
});

test('a packet has its headers and its bytes in rows that fit the screen', () => {
  const lines = texts(packetLines([packet(at('01.000000000'), 60, 20)], 1, 80));
  expect(lines[0]).toBe('Packets: 1 of 1 of the flow that are kept');
  expect(lines[3]).toMatch(/ shop\/web-1\/eth0 {2}in {2}60 bytes, 20 bytes captured$/);
  expect(lines[4]).toContain('TCP  [.] \x1b[2J  [truncated in TCP]');
  expect(lines.slice(5)).toEqual([
    `  0000  ${'41 '.repeat(8)} ${'41 '.repeat(8)} ${'A'.repeat(16)}`,
    `  0010  41 41 41 41 ${' '.repeat(38)}AAAA`,
  ]);
  const narrow = texts(packetLines([packet(at('01.000000000'), 20)], 1, 60)).slice(5);
  expect(narrow).toHaveLength(3);
  expect(Math.max(...narrow.map(({ length }) => length))).toBeLessThanOrEqual(60);
});

test('of many packets, and of a large one, a bounded part is shown, the rest is said, and none is decoded before it is seen', () => {
  decoded = 0;
  const many = Array.from({ length: PACKETS_SHOWN + 5 }, () => packet(at('01.000000000'), PACKET_BYTES_SHOWN + 100));
  const lines = packetLines(many, many.length, 80);
  expect(decoded).toBe(0);
  const shown = texts(lines);
  expect(decoded).toBe(PACKETS_SHOWN);
  expect(shown.at(-1)).toBe('… and 5 packets: w writes them to a file');
  expect(shown.filter((text) => text === '… and 100 bytes: w writes them to a file')).toHaveLength(PACKETS_SHOWN);
});
