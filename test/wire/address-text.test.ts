import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressText, hardwareText, isAddress } from '../../src/wire/address-text.ts';
import { fromHex } from '../analyze/decoded.ts';

describe('addresses as text', () => {
  it('IPv4', () => {
    expect(addressText(fromHex('ff 0a00ff01'), 1, 4)).toBe('10.0.255.1');
  });

  it.each([
    ['2001:db8::1', '20010db8 00000000 00000000 00000001'],
    ['2001:db8:0:1:1:1:1:1', '20010db8 00000001 00010001 00010001'],
    ['2001:0:0:1::1', '20010000 00000001 00000000 00000001'],
    ['2001:db8::1:0:0:1', '20010db8 00000000 00010000 00000001'],
    ['::', '00000000 00000000 00000000 00000000'],
    ['::1', '00000000 00000000 00000000 00000001'],
    ['fd00::', 'fd000000 00000000 00000000 00000000'],
    ['::ffff:192.0.2.1', '00000000 00000000 0000ffff c0000201'],
    ['fe80::a0b:c0d', 'fe800000 00000000 00000000 0a0b0c0d'],
  ])('IPv6 by RFC 5952: %s', (text, hex) => {
    expect(addressText(fromHex('ff', hex), 1, 16)).toBe(text);
  });

  it('of hardware', () => {
    expect(hardwareText(fromHex('ff 0200000000 0a'), 1)).toBe('02:00:00:00:00:0a');
  });
});

describe('isAddress', () => {
  it('agrees with node:net', () => {
    for (const text of [
      '10.0.0.1',
      '::1',
      'fe80::1%eth0',
      'fd00::5:1',
      'node-1',
      '10.0.0',
      '1.2.3.4:80',
      ':',
      '',
      'None',
      '256.1.1.1',
    ]) {
      expect(isAddress(text), text).toBe(isIP(text) !== 0);
    }
  });
});
