import { expect, test } from 'vitest';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { NAME_BYTES_MAXIMUM, NAME_RECORDS_MAXIMUM, NAMES_OF_ADDRESS_MAXIMUM } from '../../src/wire/limits.ts';
import type { AddressNames } from '../../src/wire/name-resolution-read.ts';
import { nameResolution } from '../../src/wire/pcapng-write.ts';
import { header } from '../support/pcapng-sample.ts';

function namesIn(block: Uint8Array): AddressNames[] {
  const names: AddressNames[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: () => {},
    names: (records) => names.push(...records),
  });
  framer.push(header());
  framer.push(block);
  return names;
}

test('all names of an address, in order', () => {
  const read = namesIn(nameResolution([{ address: '10.0.0.1', names: ['shop/web-1', 'web.shop'] }]));
  expect(read).toEqual([{ address: Uint8Array.of(10, 0, 0, 1), names: ['shop/web-1', 'web.shop'] }]);
});

test('an address has so many names, and a name so many bytes: others are left out', () => {
  const longest = 'x'.repeat(NAME_BYTES_MAXIMUM);
  const [few] = namesIn(nameResolution([{ address: '10.0.0.1', names: [`${longest}x`, longest, 'b'] }]));
  expect(few?.names).toEqual([longest, 'b']);
  const many = Array.from({ length: 20_000 }, (_, index) => String(index % 10));
  const [bounded] = namesIn(nameResolution([{ address: '10.0.0.1', names: many }]));
  expect(bounded?.names).toEqual(many.slice(0, NAMES_OF_ADDRESS_MAXIMUM));
});

test('a block of nothing but addresses does not become an object for each twelve bytes', () => {
  const count = 1_000_000;
  const block = Buffer.alloc(12 * count + 12);
  block.writeUInt32LE(4, 0);
  block.writeUInt32LE(block.length, 4);
  for (let index = 0; index < count; index += 1) {
    const at = 8 + index * 12;
    block.writeUInt16LE(1, at);
    block.writeUInt16LE(6, at + 2);
    block.writeUInt32BE(index, at + 4);
    block[at + 8] = 0x61;
  }
  block.writeUInt32LE(block.length, block.length - 4);
  expect(namesIn(block)).toHaveLength(NAME_RECORDS_MAXIMUM);
});
