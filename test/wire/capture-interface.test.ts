import { expect, test } from 'vitest';
import { type CaptureInterface, captureInterface } from '../../src/wire/capture-interface.ts';

const text = (code: number, value: string) => [code, Buffer.from(value)] as const;

/** An Interface Description Block of Ethernet with a snaplen of 96. */
function read(...options: (readonly [code: number, value: Buffer])[]): CaptureInterface {
  const parts = options.map(([code, value]) => {
    const option = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
    option.writeUInt16LE(code, 0);
    option.writeUInt16LE(value.length, 2);
    value.copy(option, 4);
    return option;
  });
  const head = Buffer.alloc(16);
  head.writeUInt32LE(1, 0);
  head.writeUInt16LE(1, 8);
  head.writeUInt32LE(96, 12);
  const bytes = Buffer.concat([head, ...parts, Buffer.alloc(4)]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return captureInterface({ bytes, view, offset: 0, length: bytes.length, type: 1, littleEndian: true });
}

test('microseconds and no texts where nothing is said', () => {
  expect(read()).toEqual({
    linkType: 1,
    snaplen: 96,
    name: '',
    description: '',
    filter: undefined,
    comments: [],
    ticksPerSecond: 1_000_000n,
    offsetSeconds: 0n,
  });
});

test('names, comments and the filter as text', () => {
  const described = read(text(1, 'first'), text(2, 'eth0'), text(1, 'second'), text(3, 'uplink'), text(11, '\0tcp'));
  expect(described).toMatchObject({
    name: 'eth0',
    description: 'uplink',
    filter: 'tcp',
    comments: ['first', 'second'],
  });
  expect(read(text(11, '\0p')).filter).toBe('p');
  // No text, and a compiled program.
  expect(read(text(11, '\0')).filter).toBeUndefined();
  expect(read(text(11, '\x01abc')).filter).toBeUndefined();
});

test('the resolution is of ten or of two, the offset of eight bytes', () => {
  expect(read([9, Buffer.of(9)]).ticksPerSecond).toBe(1_000_000_000n);
  expect(read([9, Buffer.of(0)]).ticksPerSecond).toBe(1n);
  expect(read([9, Buffer.of(0x80 + 10)]).ticksPerSecond).toBe(1_024n);
  expect(read([9, Buffer.of(9, 9)]).ticksPerSecond).toBe(1_000_000n);
  const offset = Buffer.alloc(8);
  offset.writeBigInt64LE(-3_600n);
  expect(read([14, offset]).offsetSeconds).toBe(-3_600n);
  expect(read([14, offset.subarray(0, 4)]).offsetSeconds).toBe(0n);
});

test('a block that is too short for its fixed part has no link type and keeps nothing of a packet', () => {
  const bytes = Buffer.alloc(12, 0xff);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const short = captureInterface({ bytes, view, offset: 0, length: bytes.length, type: 1, littleEndian: true });
  expect(short).toMatchObject({ linkType: 0, snaplen: 0, name: '', ticksPerSecond: 1_000_000n });
});
