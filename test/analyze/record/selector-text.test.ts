import { expect, test } from 'vitest';
import { SPACE } from '../../../src/analyze/layers/layer.ts';
import { llcText, selectorText } from '../../../src/analyze/record/selector-text.ts';

test.each([
  ['424203', 'STP'],
  ['fefe03', 'IS-IS'],
  ['aaaa03 00000c 2000', 'CDP'],
  ['aaaa03 00000c 010b', 'PVST+'],
  // Another organisation's, one of Cisco's that is not known, one that was cut, and a point that is not known.
  ['aaaa03 00000d 2000', 'LLC'],
  ['aaaa03 00000c 0001', 'LLC'],
  ['aaaa03 00000c 20', 'LLC'],
  ['020203', 'LLC'],
  ['4242', 'LLC'],
])('an LLC header of %s names %s', (hex, name) => {
  const bytes = Buffer.concat([Buffer.of(0xff), Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
  // Bytes behind what was captured are not looked at.
  expect(llcText(Buffer.concat([bytes, Buffer.of(0x03)]), 1, bytes.length)).toBe(name);
});

test.each([
  [SPACE.ipProtocol + 89, 'OSPF'],
  [SPACE.ipProtocol + 200, 'IP protocol 200'],
  [SPACE.etherType + 35_020, 'LLDP'],
  [SPACE.etherType + 0x0123, 'ethertype 0x0123'],
  [SPACE.linkType + 9, 'link type 9'],
])('selector %i is %s', (selector, name) => {
  expect(selectorText(selector)).toBe(name);
});
