import { expect, test } from 'vitest';
import { icmpText } from '../../../src/analyze/record/icmp-text.ts';
import { differences, tsharkValues } from '../../support/tshark-values.ts';

test('names of ICMPv6 types are those of Wireshark', () => {
  const named = (type: number) => {
    const text = type > 255 ? '' : icmpText(6, type, 0);
    return text === '' || /\d/.test(text) ? undefined : text;
  };
  // With the words of code 0, or without "(ping)".
  const known = { 1: 'unreachable no route', 3: 'time exceeded in transit', 128: 'echo request', 129: 'echo reply' };
  expect(differences(named, tsharkValues('icmpv6.type'), known, 16)).toEqual([]);
});
