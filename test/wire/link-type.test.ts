import { expect, test } from 'vitest';
import { LINK_TYPE, normalLinkType, packetTypeOffset } from '../../src/wire/link-type.ts';

test('of all link types the two numbers that platforms write for raw IP become the one of files', () => {
  const changed = Array.from({ length: 512 }, (_, type) => type).filter((type) => normalLinkType(type) !== type);
  expect(changed).toEqual([12, 14]);
  expect(changed.map(normalLinkType)).toEqual([LINK_TYPE.raw, LINK_TYPE.raw]);
  expect(LINK_TYPE.raw).toBe(101);
});

test('the packet type lies in both cooked headers and in no other', () => {
  const offsets = Array.from({ length: 512 }, (_, type) => [type, packetTypeOffset(type)]);
  expect(offsets.filter(([, offset]) => offset !== -1)).toEqual([
    [113, 1],
    [276, 10],
  ]);
});
