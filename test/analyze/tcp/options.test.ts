import { expect, test } from 'vitest';
import { SynOptions } from '../../../src/analyze/tcp/options.ts';
import { tcpFrame } from '../../support/built-capture.ts';
import { decoded } from '../decoded.ts';

/** What is read of these options. */
function read(hex: string) {
  const options = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const frame = tcpFrame({
    side: 0,
    sequence: 1,
    flags: 'S',
    at: 0,
    options,
    payload: '\x08\x0a\x7f\x7f\x7f\x7f\x03\x03\x01',
  });
  const found = new SynOptions();
  found.read(decoded(1, frame));
  const { mss, scale, sackPermitted, timestamp, hasTimestamp } = found;
  return [mss, scale, sackPermitted, hasTimestamp ? timestamp : undefined];
}

test.each([
  ['what Linux offers', '0204 05b4 0402 080a 00000102 00000000 01 0303 07', [1460, 8, true, 0x102]],
  ['the same in another order', '0303 07 01 080a 00000102 00000000 0402 0204 05b4', [1460, 8, true, 0x102]],
  ['nothing', '', [0, 0, false, undefined]],
  ['a scale of 0 is one', '0303 00 01', [0, 1, false, undefined]],
  ['a scale above 14 is 14', '0303 20 01', [0, 15, false, undefined]],
  ['an option that is not known', 'fd04 0000 0204 0100', [256, 0, false, undefined]],
  ['nothing behind the end', '0204 0100 00 0303 07', [256, 0, false, undefined]],
  ['nothing behind a length below 2', '0204 0100 0501 0303 0700 0000', [256, 0, false, undefined]],
  ['nothing behind a length that goes beyond them', '0204 0100 0b08 0303', [256, 0, false, undefined]],
  ['nothing of a kind without its length', '0204 0100 0101 0108', [256, 0, false, undefined]],
  ['wrong lengths are other options', '0205 0100 00 0304 0700 0809 00000102 000000', [0, 0, false, undefined]],
  ['a length that reaches exactly to the end', '0101 0101 0204 0100', [256, 0, false, undefined]],
])('%s', (_, hex, expected) => {
  expect(read(hex)).toEqual(expected);
});
