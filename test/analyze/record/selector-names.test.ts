import { expect, test } from 'vitest';
import { SPACE } from '../../../src/analyze/layers/layer.ts';
import { llcText, selectorText } from '../../../src/analyze/record/selector-text.ts';
import { differences, tsharkValues } from '../../support/tshark-values.ts';

/** What a selector's text names; undefined for a number without a name. */
const named = (space: number) => (value: number) => {
  if (space === SPACE.ipProtocol && value > 255) return undefined;
  const text = selectorText(space + value);
  return /^(IP protocol \d|ethertype 0x|link type \d)/.test(text) ? undefined : text;
};

test('names of IP protocols are those of Wireshark', () => {
  const known = {
    4: 'IPv4 in IP',
    33: 'DCCP',
    41: 'IPv6 in IP',
    46: 'RSVP',
    47: 'GRE',
    50: 'ESP',
    97: 'EtherIP',
    115: 'L2TP',
  };
  expect(differences(named(SPACE.ipProtocol), tsharkValues('ip.proto'), known, 19)).toEqual([]);
});

test('names of ethertypes are those of Wireshark', () => {
  const known = {
    8192: 'CDP',
    8193: 'NHRP',
    8944: 'AVTP',
    8947: 'TRILL',
    34824: 'Ethernet flow control',
    34825: 'LACP',
    34827: 'PPP',
    34878: 'WCCP',
    34958: 'EAPOL',
    35047: 'provider backbone bridging',
    35078: 'FCoE',
    35093: 'RoCE',
    35151: 'NSH',
    36864: 'Ethernet loopback',
  };
  expect(differences(named(SPACE.etherType), tsharkValues('eth.type'), known, 27)).toEqual([]);
});

/** An LLC header, with a SNAP header where it has one. */
const llc = (point: number, ...rest: number[]) => Uint8Array.from([point, point, 3, ...rest]);

test.each([
  [llc(0x42), 'STP'],
  [llc(0xe0), 'IPX'],
  [llc(0xf0), 'NetBIOS'],
  [llc(0xfe), 'IS-IS'],
  [llc(0x43), 'LLC'],
  [llc(0xaa, 0, 0, 0x0c, 0x01, 0x0b), 'PVST+'],
  [llc(0xaa, 0, 0, 0x0c, 0x01, 0x11), 'UDLD'],
  [llc(0xaa, 0, 0, 0x0c, 0x20, 0x00), 'CDP'],
  [llc(0xaa, 0, 0, 0x0c, 0x20, 0x03), 'VTP'],
  [llc(0xaa, 0, 0, 0x0c, 0x20, 0x04), 'DTP'],
  [llc(0xaa, 0, 0, 0x0c, 0x20, 0x05), 'LLC'],
  [llc(0xaa, 0, 0, 0x0d, 0x20, 0x00), 'LLC'],
  [llc(0xaa, 0, 0, 0x0c, 0x20), 'LLC'],
  [Uint8Array.of(0x42, 0x42), 'LLC'],
])('an LLC header %o is %s', (bytes, name) => {
  expect(llcText(bytes, 0, bytes.length)).toBe(name);
});
