import { expect, test } from 'vitest';
import type { ClientHello } from '../../../../src/analyze/protocols/tls/client-hello.ts';
import { ja4 } from '../../../../src/analyze/protocols/tls/ja4.ts';

const numbers = (list: string) => list.split(',').map((digits) => Number.parseInt(digits, 16));

/** The example of FoxIO's specification. */
const EXAMPLE: ClientHello = {
  version: 0x0303,
  hasServerName: true,
  sni: 'example.com',
  alpn: ['h2', 'http/1.1'],
  supportedVersions: [0x0304, 0x0303],
  earlyData: false,
  encryptedHello: false,
  ciphers: numbers('1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035'),
  extensions: numbers('001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015'),
  signatureAlgorithms: numbers('0403,0804,0401,0503,0805,0501,0806,0601'),
};

test("the specification's example", () => {
  expect(ja4(EXAMPLE, 't')).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
  expect(ja4({ ...EXAMPLE, signatureAlgorithms: [] }, 'q')).toBe('q13d1516h2_8daaf6152771_6d807ffa2a79');
});

test("Firefox 105's, as published", () => {
  const firefox: ClientHello = {
    ...EXAMPLE,
    ciphers: numbers('1301,1303,1302,c02b,c02f,cca9,cca8,c02c,c030,c00a,c009,c013,c014,009c,009d,002f,0035'),
    extensions: numbers('0000,0017,ff01,000a,000b,0023,0010,0005,0022,0033,002b,000d,002d,001c,0015'),
    signatureAlgorithms: numbers('0403,0503,0603,0804,0805,0806,0401,0501,0601,0203,0201'),
  };
  expect(ja4(firefox, 't')).toBe('t13d1715h2_5b57614c22b0_3d5424432f57');
});

test.each([
  [[], '00'],
  [[''], '00'],
  [['h3'], 'h3'],
  [['http/1.1', 'h2'], 'h1'],
  [['x'], 'xx'],
  [['\xab'], 'ab'],
  [['\xab\xcd'], 'ad'],
  [['0\xab'], '3b'],
  [['01\xab\xcd'], '3d'],
  [['0\xab\xcd1'], '01'],
  [['\x0a\x0a', 'h2'], 'h2'],
])('the ends of %j are %s', (alpn, expected) => {
  expect(ja4({ ...EXAMPLE, alpn }, 't').slice(8, 10)).toBe(expected);
});

test('versions, no server name, nothing to hash, more than 99', () => {
  const bare = { ...EXAMPLE, hasServerName: false, alpn: [], ciphers: [], extensions: [], supportedVersions: [] };
  expect(ja4({ ...bare, version: 0x0301 }, 't')).toBe('t10i000000_000000000000_000000000000');
  expect(ja4({ ...bare, version: 0x0300 }, 't').slice(0, 3)).toBe('ts3');
  expect(ja4({ ...bare, supportedVersions: [0x0303, 0x7f17] }, 't').slice(0, 3)).toBe('t00');
  // With server name and ALPN alone there is nothing to hash either.
  expect(ja4({ ...bare, extensions: [0, 16] }, 't')).toBe('t12i000200_000000000000_000000000000');
  const many = Array.from({ length: 120 }, (_, index) => index + 1);
  expect(ja4({ ...EXAMPLE, ciphers: many }, 't').slice(4, 6)).toBe('99');
});
