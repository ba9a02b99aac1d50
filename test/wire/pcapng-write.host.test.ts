// What ksnoop writes, read by tshark.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pcapFileHeader, writePcapRecordHeader } from '../../src/wire/pcap-write.ts';
import { describe, end, header, names, packet, statistics } from '../support/pcapng-sample.ts';

/** Ethernet, IPv4 10.0.0.1 to 10.0.0.2, UDP 1000 to 2000, four bytes. */
const FRAME = Buffer.from(
  '0200000000020200000000010800450000200000400040110000' + '0a0000010a000002' + '03e807d0000c0000' + '61626364',
  'hex',
);
const TIME = 1_700_000_000_123_456_789n;

function tshark(bytes: Uint8Array, ...fields: string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-write-'));
  try {
    const file = join(directory, 'sample');
    writeFileSync(file, bytes);
    const words = ['-r', file, '-N', 'n', '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
    const text = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('tshark reads interfaces, names, times to the nanosecond, directions and lengths', () => {
  const file = Buffer.concat([
    ...[header(), describe('shop/web-1/eth0'), names(), describe('shop/web-2/eth0')],
    ...[packet(0, TIME, FRAME), packet(1, TIME + 1n, FRAME.subarray(0, 38), FRAME.length)],
    ...[statistics(0, TIME, TIME), end()],
  ]);
  const fields = [
    'frame.interface_name',
    'frame.time_epoch',
    'frame.len',
    'frame.cap_len',
    'ip.src_host',
    'udp.dstport',
  ];
  expect(tshark(file, ...fields)).toEqual([
    'shop/web-1/eth0\t1700000000.123456789\t46\t46\tshop/web-1\t2000',
    'shop/web-2/eth0\t1700000000.123456790\t46\t38\tshop/web-1\t2000',
  ]);
});

test('and the classic form, with nanoseconds', () => {
  const record = Buffer.alloc(16);
  writePcapRecordHeader(
    new DataView(record.buffer, record.byteOffset),
    Number(TIME >> 32n),
    Number(TIME & 0xffff_ffffn),
    46,
    60,
  );
  const file = Buffer.concat([pcapFileHeader(1, 65_535), record, FRAME]);
  expect(tshark(file, 'frame.time_epoch', 'frame.len')).toEqual(['1700000000.123456789\t60']);
});
