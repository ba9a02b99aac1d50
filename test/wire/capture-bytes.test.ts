import { expect, test } from 'vitest';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { tlsSecretsBlock } from '../../src/wire/decryption-secrets.ts';
import { foundBlockBytes, writeFound } from '../../src/wire/found-block.ts';
import { stateBlock } from '../../src/wire/network-state.ts';
import { startMarker } from '../../src/wire/pcapng-write.ts';
import { digestOf, expectLines, neighbours } from '../support/by-byte.ts';
import { describe, end, header, names, packet, statistics } from '../support/pcapng-sample.ts';

/**
 * What is read of capture files, of each with every byte changed to several values and cut after every byte, is as in
 * test/golden/bytes/capture-files.txt: a bound, an offset or a byte order that changes shows there. A line has a byte and its value, how many changes of it are refused, a digest of what is read with each, and one of
 * what is read of the file up to it. What files with options
 * of all kinds mean is written in the tests of each reader and judged by tshark in the host tests.
 */
function readOf(bytes: Buffer, cutAt = bytes.length): string {
  const read: string[] = [];
  const note = (...what: unknown[]) => void read.push(JSON.stringify(what, (_, value) => plain(value)));
  const framer = new CaptureFramer({
    interface: (id, described) => note('interface', id, described),
    packet: (own, offset, caplen, ...rest) =>
      note('packet', hex(own.subarray(offset, offset + caplen)), caplen, ...rest),
    names: (all, cluster) => note('names', all, cluster),
    statistics: (id, counted) => note('statistics', id, counted),
    state: (state) => note('state', state),
    secrets: (lines) => note('secrets', lines),
    found: (...what) => note('found', ...what),
    block: ({ type, length }) => note('block', type, length),
  });
  try {
    framer.push(Uint8Array.from(bytes.subarray(0, cutAt)));
    framer.push(Uint8Array.from(bytes.subarray(cutAt)));
  } catch (thrown) {
    note('refused', String(thrown));
  }
  note(framer.format, framer.packets, framer.cut, framer.consumed, framer.pending, framer.lastTime);
  return read.join('\n');
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? hex(value) : value;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Blocks as other programs write them, in one byte order: `u16` and `u32` are numbers, text is padded. */
class Blocks {
  readonly #big: boolean;
  constructor(big: boolean) {
    this.#big = big;
  }

  u16 = (value: number): Buffer => this.#number(2, value);
  u32 = (value: number): Buffer => this.#number(4, value);

  option(code: number, value: Uint8Array): Buffer {
    return Buffer.concat([this.u16(code), this.u16(value.length), padded(value)]);
  }

  block(type: number, ...body: readonly Uint8Array[]): Buffer {
    const content = padded(Buffer.concat(body));
    const length = this.u32(content.length + 12);
    return Buffer.concat([this.u32(type), length, content, length]);
  }

  #number(size: number, value: number): Buffer {
    const bytes = Buffer.alloc(size);
    if (this.#big) bytes.writeUIntBE(value, 0, size);
    else bytes.writeUIntLE(value, 0, size);
    return bytes;
  }
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** A file of another program: times in 1/8 s behind an offset, packet blocks of all three kinds, names, secrets. */
function otherPrograms(big: boolean): Buffer {
  const write = new Blocks(big);
  const { u16, u32 } = write;
  const offset = big ? [u32(0), u32(1000)] : [u32(1000), u32(0)];
  const data = Buffer.from('abcdef');
  const secrets = Buffer.from('CLIENT_RANDOM a b\n');
  return Buffer.concat([
    write.block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)),
    write.block(
      1,
      ...[u16(1), u16(0), u32(5)],
      write.option(2, Buffer.from('eth0')),
      write.option(3, Buffer.from('of a host')),
      write.option(9, Buffer.of(0x83)),
      write.option(11, Buffer.from('\0tcp')),
      write.option(14, Buffer.concat(offset)),
      write.option(0, Buffer.alloc(0)),
    ),
    write.block(3, u32(6), data.subarray(0, 5)),
    write.block(2, ...[u16(0), u16(0xffff), u32(0), u32(9), u32(6), u32(60)], data),
    write.block(6, ...[u32(0), u32(1), u32(9), u32(6), u32(60)], padded(data), write.option(2, u32(2))),
    write.block(
      4,
      write.option(1, Buffer.from('\x0a\0\0\x01web\0w2\0', 'latin1')),
      write.option(2, Buffer.from(`\xfd${'\0'.repeat(14)}\x01six\0`, 'latin1')),
      write.option(0, Buffer.alloc(0)),
    ),
    write.block(0x0a, u32(0x544c534b), u32(secrets.length), padded(secrets)),
  ]);
}

/** @param magic as the bytes come @param big byte order of the rest */
function pcap(magic: number, big: boolean, extra = 0): Buffer {
  const { u16, u32 } = new Blocks(big);
  const record = (length: number) =>
    Buffer.concat([u32(7), u32(9), u32(length), u32(60), Buffer.alloc(extra, 1), Buffer.alloc(length, 0x61)]);
  const first = Buffer.alloc(4);
  first.writeUInt32BE(magic);
  return Buffer.concat([first, u16(2), u16(4), u32(0), u32(0), u32(65_535), u32(0x2400_0001), record(3), record(0)]);
}

function ksnoops(): Buffer {
  const state = { counters: { 'Tcp RetransSegs': 3 } };
  const found = Buffer.alloc(foundBlockBytes(2));
  writeFound(found, 0, { interfaceId: 0, time: 0x2_0000_0003n, stream: 4 }, '{}');
  return Buffer.concat([
    ...[header(), startMarker(), describe('a/b/any'), names()],
    packet(0, 0x1_0000_0002n, Buffer.from('first'), 60),
    statistics(0, 3n, 3n),
    stateBlock({ interfaceId: 0, time: 5n, state }) ?? new Uint8Array(0),
    found,
    ...[tlsSecretsBlock('a b\n'), end()],
  ]);
}

const FILES: readonly (readonly [name: string, bytes: Buffer])[] = [
  ["ksnoop's", ksnoops()],
  ["another program's, little-endian", otherPrograms(false)],
  ["another program's, big-endian", otherPrograms(true)],
  ['pcap, µs', pcap(0xd4c3b2a1, false)],
  ['pcap, ns, big-endian', pcap(0xa1b23c4d, true)],
  ['pcap of Kuznetzov', pcap(0x34cdb2a1, false, 8)],
];

function linesOf(name: string, bytes: Buffer): string[] {
  const whole = readOf(bytes);
  const lines = [...bytes.keys()].map((at) => {
    const value = bytes[at] as number;
    const answers = neighbours(value).map((other) => {
      const changed = Buffer.from(bytes);
      changed[at] = other;
      return readOf(changed);
    });
    const refused = answers.filter((answer) => answer.includes('["refused"')).length;
    const cut = digestOf([readOf(bytes.subarray(0, at))]);
    return `byte ${at} ${value}: ${refused}/${answers.length} ${digestOf(answers)} ${cut}`;
  });
  return [`# ${name}`, ...whole.split('\n'), ...lines];
}

test('what is read of capture files with a byte changed or cut is as recorded', async () => {
  await expectLines(
    'capture-files',
    FILES.flatMap(([name, bytes]) => linesOf(name, bytes)),
  );
});

test.each(FILES)('the file of %s is read the same when it comes in two pieces', (_, bytes) => {
  const whole = readOf(bytes);
  for (const at of bytes.keys()) expect(readOf(bytes, at)).toBe(whole);
});
